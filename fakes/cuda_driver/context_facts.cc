// What can be asked of a context: flags, limits, peers.
#include "fakes/cuda_driver/context.h"
#include "fakes/cuda_driver/driver.h"

namespace gpustage::cuda_driver {
namespace {

constexpr unsigned int kMapHost = 8;
constexpr unsigned int kApiVersion = 3020;

int32_t Attribute(int attribute, int32_t otherwise) {
  const int32_t value = DeviceAt(CurrentDevice())->attributes[attribute];
  return value == world::kNoAttribute ? otherwise : value;
}

// By CUlimit, as recorded; the L2 that may be kept is three tenths of the most.
CUresult PutLimit(size_t* value, int limit) {
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (limit) {
    case 0: return Put(value, size_t{1024});     // stack of a thread
    case 1: return Put(value, size_t{8650752});  // printf
    case 2: return Put(value, size_t{8388608});  // heap
    case 4: return Put(value, size_t{2048});     // pending launches
    case 5: return Put(value, size_t{64});       // granularity of fetches
    case 6: return Put(value, static_cast<size_t>(Attribute(108, 0)) / 10 * 3);
    case 7: return Put(value, static_cast<size_t>(Attribute(97, 0)));  // shared memory
    case 8: return Put(value, size_t{0});
    default: return CUDA_ERROR_UNSUPPORTED_LIMIT;
  }
}

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuCtxGetFlags(unsigned int* flags) {
  return InContext(CALL(), [&] { return Put(flags, TheCurrentContext()->flags | kMapHost); });
}

CUresult cuCtxGetLimit(size_t* value, int limit) {
  return InContext(CALL(limit), [&] { return PutLimit(value, limit); });
}

CUresult cuCtxGetApiVersion(CUcontext, unsigned int* version) {
  return InContext(CALL(), [&] { return Put(version, kApiVersion); });
}

CUresult cuCtxGetCacheConfig(int* config) {
  return InContext(CALL(), [&] { return Put(config, 0); });
}

CUresult cuCtxGetSharedMemConfig(int* config) {
  return InContext(CALL(), [&] { return Put(config, 1); });
}

CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return InContext(CALL(), [&] {
    if (least != nullptr) *least = kLeastPriority;
    if (greatest != nullptr) *greatest = kGreatestPriority;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  return InContext(CALL(peer, flags).Trust(Fidelity::kFixed), [&]() -> CUresult {
    if (peer == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    return peer->device == CurrentDevice() ? CUDA_ERROR_PEER_ACCESS_UNSUPPORTED : CUDA_SUCCESS;
  });
}

CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  return InContext(CALL(peer).Trust(Fidelity::kFixed), [&]() -> CUresult {
    if (peer == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    return peer->device == CurrentDevice() ? CUDA_ERROR_PEER_ACCESS_NOT_ENABLED : CUDA_SUCCESS;
  });
}
