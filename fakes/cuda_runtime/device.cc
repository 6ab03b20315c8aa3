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
  for (const ErrorText& error : kErrors)
    if (error.code == code) return error;
  return kUnknown;
}

constexpr int kVersion = GPUSTAGE_CUDART_VERSION;

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

cudaError_t cudaGetLastError() {
  return Answer(CALL(), [] {
    const cudaError_t error = t_thread.last_error;
    if (!t_thread.sticky) t_thread.last_error = cudaSuccess;
    return error;
  });
}

cudaError_t cudaPeekAtLastError() {
  return Answer(CALL(), [] { return t_thread.last_error; });
}

// Works, and says 0, where there is no driver at all.
cudaError_t cudaDriverGetVersion(int* version) {
  return Answer(CALL(), [&]() -> cudaError_t {
    cudaError_t error = cudaSuccess;
    const Driver& driver = LoadDriver(&error);
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = 0;
    return error == cudaSuccess ? driver.cuDriverGetVersion(version) : cudaSuccess;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return Answer(CALL(), [&] { return Put(version, kVersion); });
}

cudaError_t cudaGetDeviceCount(int* count) {
  if (count != nullptr) *count = 0;
  return Started(CALL(), [&] { return Put(count, DeviceCount()); });
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
  return Started(CALL(flags).Trust(Fidelity::kFixed), [] { return cudaSuccess; });
}

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
  return OnDevice(CALL(device).Trust(Fidelity::kAssumed), device,
                  [&] { return Properties(prop, device, 11); });
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
  return OnDevice(CALL(size, device), device,
                  [&] { return Cuda().cuDeviceGetPCIBusId(bus_id, size, device); });
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* bus_id) {
  return Started(CALL(bus_id), [&] { return Cuda().cuDeviceGetByPCIBusId(device, bus_id); });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return OnDevice(CALL(device, peer).Trust(Fidelity::kFixed), device,
                  [&] { return Put(can, device == peer ? 0 : 1); });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int flags) {
  return OnDevice(CALL(peer, flags).Trust(Fidelity::kFixed), peer, [] { return cudaSuccess; });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return OnDevice(CALL(peer).Trust(Fidelity::kFixed), peer, [] { return cudaSuccess; });
}
