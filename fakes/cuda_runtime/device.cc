// Errors, versions and devices.
#include "fakes/cuda_runtime/device_prop.h"
#include "fakes/cuda_runtime/runtime.h"

namespace gpustage::cuda_runtime {
namespace {

struct ErrorText {
  cudaError_t code;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
#define ERROR(code, name, text) {code, #name, text},
#include "fakes/cuda_runtime/errors.inc"
#undef ERROR
};
constexpr ErrorText kUnknown = {-1, "unrecognized error code", "unrecognized error code"};

const ErrorText& FindError(cudaError_t code) {
#if GPUSTAGE_CUDART_MAJOR == 11
  static constexpr ErrorText kOlder = {
      27, "cudaErrorInvalidNormSetting",
      "read as normalized float not supported for 32-bit non float type"};
  static constexpr cudaError_t kNewer[] = {225, 226, 402, 721, 811, 812, 913, 914, 915};
  if (code == kOlder.code) return kOlder;
  for (const cudaError_t newer : kNewer)
    if (code == newer) return kUnknown;
#endif
  for (const ErrorText& error : kErrors)
    if (error.code == code) return error;
  return kUnknown;
}

constexpr int kVersion = GPUSTAGE_CUDART_VERSION;
constexpr unsigned int kKnownFlags = 0xff;

cudaError_t Properties(cudaDeviceProp* prop, int device, int major) {
  if (prop == nullptr) return cudaErrorInvalidValue;
  WriteProperties(prop, Facts(device), major);
  return cudaSuccess;
}

}  // namespace
}  // namespace gpustage::cuda_runtime

using namespace gpustage::cuda_runtime;
using gpustage::world::AnswerText;

const char* cudaGetErrorName(cudaError_t error) {
  return AnswerText(CALL(error), [&] { return FindError(error).name; });
}

const char* cudaGetErrorString(cudaError_t error) {
  return AnswerText(CALL(error), [&] { return FindError(error).text; });
}

// A runtime that could not start says so to whoever asks, and never forgets it.
cudaError_t cudaGetLastError() {
  return Answer(CALL(), [] {
    const cudaError_t error = Start();
    if (error != cudaSuccess) return error;
    const cudaError_t last = t_thread.last_error;
    if (!t_thread.sticky) t_thread.last_error = cudaSuccess;
    return last;
  });
}

cudaError_t cudaPeekAtLastError() {
  return Answer(CALL(), [] {
    const cudaError_t error = Start();
    return error != cudaSuccess ? error : t_thread.last_error;
  });
}

// Works, and says 0, where there is no driver at all.
cudaError_t cudaDriverGetVersion(int* version) {
  return Remember(Answer(CALL(),
                         [&]() -> cudaError_t {
                           cudaError_t error = cudaSuccess;
                           const Driver& driver = LoadDriver(&error);
                           if (version == nullptr) return cudaErrorInvalidValue;
                           *version = 0;
                           return error == cudaSuccess ? driver.cuDriverGetVersion(version)
                                                       : cudaSuccess;
                         }),
                  false);
}

// CUDA 11 starts for it.
cudaError_t cudaRuntimeGetVersion(int* version) {
#if GPUSTAGE_CUDART_MAJOR == 11
  return Started(CALL(), [&] { return Put(version, kVersion); });
#else
  return Remember(Answer(CALL(), [&] { return Put(version, kVersion); }), false);
#endif
}

cudaError_t cudaGetDeviceCount(int* count) {
  return Started(CALL(), [&](Call& call) {
    call.Gives(DeviceCount());
    return Put(count, DeviceCount());
  });
}

cudaError_t cudaGetDevice(int* device) {
  return Started(CALL(), [&] { return Put(device, t_thread.device); });
}

cudaError_t cudaSetDevice(int device) {
  return OnDevice(CALL(device), device, [&]() -> cudaError_t {
    t_thread.device = device;
    return GPUSTAGE_CUDART_MAJOR >= 12 ? UseContext() : cudaSuccess;  // 11 waits for the first use
  });
}

cudaError_t cudaSetDeviceFlags(unsigned int flags) {
  return Started(CALL(flags).Trust(Fidelity::kFixed), [&]() -> cudaError_t {
    return (flags & ~kKnownFlags) != 0 ? cudaErrorInvalidValue : cudaSuccess;
  });
}

cudaError_t cudaGetDeviceFlags(unsigned int* flags) {
  return InContext(CALL(), [&] { return Cuda().cuCtxGetFlags(flags); });
}

cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit limit) {
  return InContext(CALL(limit), [&] { return Cuda().cuCtxGetLimit(value, limit); });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return InContext(CALL(), [&] { return Cuda().cuCtxGetStreamPriorityRange(least, greatest); });
}

#if GPUSTAGE_CUDART_MAJOR >= 12
cudaError_t cudaInitDevice(int device, unsigned int device_flags, unsigned int flags) {
  return OnDevice(CALL(device, device_flags, flags), device, [] { return cudaSuccess; });
}
#endif

cudaError_t cudaDeviceReset() {
  return InContext(CALL(), [] {
    t_thread.context_of = 0;
    t_thread.sticky = false;
    return Cuda().cuDevicePrimaryCtxReset(t_thread.device);
  });
}

cudaError_t cudaDeviceSynchronize() {
  return InContext(CALL(), [] { return Cuda().cuCtxSynchronize(); });
}

#if GPUSTAGE_CUDART_MAJOR == 12
// Programs that were built with CUDA 11 headers call the old name and mean the old struct.
extern "C" cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* prop, int device) {
  return OnDevice(CALL(device), device, [&] { return Properties(prop, device, 12); });
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int device) {
  return OnDevice(CALL(device), device, [&] { return Properties(prop, device, 11); });
}
#else
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int device) {
  return OnDevice(CALL(device), device,
                  [&] { return Properties(prop, device, GPUSTAGE_CUDART_MAJOR); });
}
#endif

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attr, int device) {
  return OnDevice(CALL(device, attr), device,
                  [&] { return Cuda().cuDeviceGetAttribute(value, attr, device); });
}

cudaError_t cudaDeviceGetPCIBusId(char* bus_id, int size, int device) {
  return Started(CALL(size, device),
                 [&] { return Cuda().cuDeviceGetPCIBusId(bus_id, size, device); });
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* bus_id) {
  return Started(CALL(bus_id), [&] { return Cuda().cuDeviceGetByPCIBusId(device, bus_id); });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return OnDevice(CALL(device, peer), device,
                  [&] { return Cuda().cuDeviceCanAccessPeer(can, device, peer); });
}

cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attr, int device, int peer) {
  return OnDevice(CALL(device, attr, peer), device,
                  [&] { return Cuda().cuDeviceGetP2PAttribute(value, attr, device, peer); });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int flags) {
  return OnDevice(CALL(peer, flags).Trust(Fidelity::kFixed), peer, [&]() -> cudaError_t {
    return peer == t_thread.device ? cudaErrorPeerAccessUnsupported : cudaSuccess;
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return OnDevice(CALL(peer).Trust(Fidelity::kFixed), peer, [&]() -> cudaError_t {
    return peer == t_thread.device ? cudaErrorPeerAccessNotEnabled : cudaSuccess;
  });
}
