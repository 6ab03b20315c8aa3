// Virtual memory management: address ranges, physical memory on account, and their mapping.
#include <sys/mman.h>

#include "fakes/cuda_driver/driver.h"
#include "fakes/cuda_driver/memory.h"
#include "fakes/world/syscall.h"

namespace gpustage::cuda_driver {
namespace {

constexpr size_t kGranularity = 2 << 20;
constexpr int kMaxHandles = 1024;

struct Physical {
  size_t bytes;  // 0: this handle is free
  CUdevice device;
};
Physical g_physical[kMaxHandles];  // handle n is entry n - 1

Physical* Find(CUmemGenericAllocationHandle handle) {
  if (handle == 0 || handle > kMaxHandles) return nullptr;
  Physical& physical = g_physical[handle - 1];
  return __atomic_load_n(&physical.bytes, __ATOMIC_ACQUIRE) == 0 ? nullptr : &physical;
}

CUresult Create(CUmemGenericAllocationHandle* handle, size_t bytes,
                const CUmemAllocationProp* prop) {
  if (handle == nullptr || prop == nullptr || bytes == 0 || bytes % kGranularity != 0)
    return CUDA_ERROR_INVALID_VALUE;
  const CUdevice device = prop->location.id;
  if (DeviceAt(device) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
  if (!TakeMemory(device, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  for (Physical& physical : g_physical) {
    size_t free = 0;
    if (!__atomic_compare_exchange_n(&physical.bytes, &free, bytes, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    physical.device = device;
    *handle = static_cast<CUmemGenericAllocationHandle>(&physical - g_physical) + 1;
    return CUDA_SUCCESS;
  }
  ReturnMemory(device, bytes);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult Release(CUmemGenericAllocationHandle handle) {
  Physical* const physical = Find(handle);
  if (physical == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const CUdevice device = physical->device;
  ReturnMemory(device, __atomic_exchange_n(&physical->bytes, 0, __ATOMIC_ACQ_REL));
  return CUDA_SUCCESS;
}

CUresult Reserve(CUdeviceptr* address, size_t bytes) {
  if (address == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  void* const range = world::MapMemory(bytes, PROT_NONE);
  *address = reinterpret_cast<CUdeviceptr>(range);
  return range == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult Protect(CUdeviceptr address, size_t bytes, int protection) {
  const long result = world::SystemCall(SYS_mprotect, static_cast<long>(address),
                                        static_cast<long>(bytes), protection);
  return result == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* prop,
                                       CUmemAllocationGranularity_flags option) {
  const CUdevice device = prop == nullptr ? -1 : prop->location.id;
  return OnDevice(CALL(device, option).Trust(Fidelity::kAssumed), device,
                  [&](const Device&) { return Put(granularity, kGranularity); });
}

CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment,
                             CUdeviceptr wanted, unsigned long long flags) {
  return AfterInit(CALL(bytes, alignment, wanted, flags), [&] { return Reserve(address, bytes); });
}

CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  return AfterInit(CALL(address, bytes), [&] {
    gpustage::world::UnmapMemory(reinterpret_cast<void*>(address), bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes,
                     const CUmemAllocationProp* prop, unsigned long long flags) {
  const CUdevice device = prop == nullptr ? -1 : prop->location.id;
  return AfterInit(CALL(device, bytes, flags), [&] { return Create(handle, bytes, prop); });
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  return AfterInit(CALL(handle), [&] { return Release(handle); });
}

CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset,
                  CUmemGenericAllocationHandle handle, unsigned long long flags) {
  return AfterInit(CALL(address, bytes, offset, handle, flags), [&]() -> CUresult {
    if (Find(handle) == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return Protect(address, bytes, PROT_READ | PROT_WRITE);
  });
}

CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  return AfterInit(CALL(address, bytes), [&] { return Protect(address, bytes, PROT_NONE); });
}

CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc*, size_t count) {
  return AfterInit(CALL(address, bytes, count).Trust(Fidelity::kFixed),
                   [&] { return CUDA_SUCCESS; });
}
