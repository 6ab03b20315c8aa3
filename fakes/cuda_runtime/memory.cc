// Memory: all of it is the driver's.
#include "fakes/cuda_runtime/runtime.h"

namespace gpustage::cuda_runtime {
namespace {

CUdeviceptr Address(const void* memory) { return reinterpret_cast<CUdeviceptr>(memory); }

CUresult Copy(void* to, const void* from, size_t bytes) {
  return Cuda().cuMemcpy(Address(to), Address(from), bytes);
}

constexpr cudaMemcpyKind kHostToHost = 0, kToDevice = 1, kToHost = 2, kOnDevice = 3, kAny = 4;

// By the caller's word for where memory is; without one the driver finds out.
CUresult Copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  switch (kind) {
    case kToDevice: return Cuda().cuMemcpyHtoD(Address(to), from, bytes);
    case kToHost: return Cuda().cuMemcpyDtoH(to, Address(from), bytes);
    case kOnDevice: return Cuda().cuMemcpyDtoD(Address(to), Address(from), bytes);
    case kHostToHost:
    case kAny: return Copy(to, from, bytes);
    default: return cudaErrorInvalidMemcpyDirection;
  }
}

CUresult Fill(void* to, int value, size_t bytes) {
  return Cuda().cuMemsetD8(Address(to), static_cast<unsigned char>(value), bytes);
}

// Nothing of no size is a success here, and an error of the driver's.
CUresult Allocate(void** memory, size_t bytes) {
  if (bytes == 0) return Put<void*>(memory, nullptr);
  return Cuda().cuMemAlloc(reinterpret_cast<CUdeviceptr*>(memory), bytes);
}

}  // namespace
}  // namespace gpustage::cuda_runtime

using namespace gpustage::cuda_runtime;

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return InContext(CALL(), [&] { return Cuda().cuMemGetInfo(free, total); });
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return InContext(CALL(bytes), [&] { return Allocate(memory, bytes); });
}

cudaError_t cudaMallocManaged(void** memory, size_t bytes, unsigned int flags) {
  return InContext(CALL(bytes, flags), [&] {
    return Cuda().cuMemAllocManaged(reinterpret_cast<CUdeviceptr*>(memory), bytes, flags);
  });
}

cudaError_t cudaFree(void* memory) {
  return InContext(CALL(memory), [&] { return Cuda().cuMemFree(Address(memory)); });
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return InContext(CALL(bytes), [&] { return Cuda().cuMemHostAlloc(memory, bytes, 0); });
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned int flags) {
  return InContext(CALL(bytes, flags), [&] { return Cuda().cuMemHostAlloc(memory, bytes, flags); });
}

cudaError_t cudaFreeHost(void* memory) {
  return InContext(CALL(memory), [&] { return Cuda().cuMemFreeHost(memory); });
}

cudaError_t cudaHostGetDevicePointer(void** memory, void* host, unsigned int flags) {
  return InContext(CALL(host, flags), [&] {
    return Cuda().cuMemHostGetDevicePointer(reinterpret_cast<CUdeviceptr*>(memory), host, flags);
  });
}

cudaError_t cudaHostRegister(void* memory, size_t bytes, unsigned int flags) {
  return InContext(CALL(memory, bytes, flags),
                   [&] { return Cuda().cuMemHostRegister(memory, bytes, flags); });
}

cudaError_t cudaHostUnregister(void* memory) {
  return InContext(CALL(memory), [&] { return Cuda().cuMemHostUnregister(memory); });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return InContext(CALL(to, from, bytes, kind), [&] { return Copy(to, from, bytes, kind); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return InContext(CALL(to, from, bytes, kind, stream),
                   [&] { return Copy(to, from, bytes, kind); });
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  return InContext(CALL(to, to_pitch, from, from_pitch, width, height, kind, stream), [&] {
    CUresult result = CUDA_SUCCESS;
    for (size_t row = 0; row < height && result == CUDA_SUCCESS; ++row)
      result = Copy(static_cast<char*>(to) + row * to_pitch,
                    static_cast<const char*>(from) + row * from_pitch, width);
    return result;
  });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device,
                                size_t bytes, cudaStream_t stream) {
  return InContext(CALL(to, to_device, from, from_device, bytes, stream),
                   [&] { return Copy(to, from, bytes); });
}

cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  return InContext(CALL(to, value, bytes), [&] { return Fill(to, value, bytes); });
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return InContext(CALL(to, value, bytes, stream), [&] { return Fill(to, value, bytes); });
}
