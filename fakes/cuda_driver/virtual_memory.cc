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

// A reserved range of addresses. What is mapped in it is one handle at its beginning.
struct Range {
  CUdeviceptr address;  // 0: this slot is free; kTakenAddress: it is being filled
  size_t bytes;
  size_t mapped;
  bool accessible;
};
constexpr int kMaxRanges = 1024;
constexpr CUdeviceptr kTakenAddress = 1;
Range g_ranges[kMaxRanges];

Range* Around(CUdeviceptr address) {
  for (Range& range : g_ranges) {
    const CUdeviceptr begin = __atomic_load_n(&range.address, __ATOMIC_ACQUIRE);
    if (begin > kTakenAddress && address >= begin && address < begin + range.bytes) return &range;
  }
  return nullptr;
}

Range* At(CUdeviceptr address) {
  Range* const range = Around(address);
  return range != nullptr && range->address == address ? range : nullptr;
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
  if (address == nullptr || bytes == 0 || bytes % kGranularity != 0)
    return CUDA_ERROR_INVALID_VALUE;
  for (Range& range : g_ranges) {
    CUdeviceptr free = 0;
    if (!__atomic_compare_exchange_n(&range.address, &free, kTakenAddress, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    void* const pages = world::MapMemory(bytes, PROT_NONE);
    range.bytes = bytes;
    range.mapped = 0;
    range.accessible = false;
    __atomic_store_n(&range.address, reinterpret_cast<CUdeviceptr>(pages), __ATOMIC_RELEASE);
    return pages == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : Put(address, range.address);
  }
  return CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult FreeRange(CUdeviceptr address, size_t bytes) {
  Range* const range = At(address);
  if (range == nullptr || range->bytes != bytes || range->mapped != 0)
    return CUDA_ERROR_INVALID_VALUE;
  world::UnmapMemory(reinterpret_cast<void*>(address), bytes);
  __atomic_store_n(&range->address, 0, __ATOMIC_RELEASE);
  return CUDA_SUCCESS;
}

CUresult Protect(const Range& range, int protection) {
  const long result = world::SystemCall(SYS_mprotect, static_cast<long>(range.address),
                                        static_cast<long>(range.mapped), protection);
  return result == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult Map(CUdeviceptr address, size_t bytes, size_t offset,
             CUmemGenericAllocationHandle handle) {
  if (offset != 0) return CUDA_ERROR_NOT_SUPPORTED;
  Range* const range = At(address);
  const Physical* const physical = Find(handle);
  if (range == nullptr || physical == nullptr || range->mapped != 0 || bytes > range->bytes ||
      bytes > physical->bytes)
    return CUDA_ERROR_INVALID_VALUE;
  range->mapped = bytes;
  range->accessible = false;
  return CUDA_SUCCESS;
}

CUresult Unmap(CUdeviceptr address) {
  Range* const range = At(address);
  if (range == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (range->mapped == 0) return CUDA_SUCCESS;
  const CUresult result = Protect(*range, PROT_NONE);
  range->mapped = 0;
  return result;
}

CUresult SetAccess(CUdeviceptr address, const CUmemAccessDesc* access, size_t count) {
  Range* const range = At(address);
  if (range == nullptr || range->mapped == 0 || access == nullptr || count == 0)
    return CUDA_ERROR_INVALID_VALUE;
  range->accessible = true;
  return Protect(*range, PROT_READ | PROT_WRITE);
}

}  // namespace

bool IsMapped(CUdeviceptr address, size_t bytes) {
  const Range* const range = Around(address);
  return range != nullptr && range->accessible && address - range->address + bytes <= range->mapped;
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* prop,
                                       CUmemAllocationGranularity_flags option) {
  return AfterInit(CALL(option), [&]() -> CUresult {
    if (prop == nullptr || option < 0 || option > 1) return CUDA_ERROR_INVALID_VALUE;
    return Put(granularity, kGranularity);
  });
}

CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment,
                             CUdeviceptr wanted, unsigned long long flags) {
  return AfterInit(CALL(bytes, alignment, wanted, flags), [&] { return Reserve(address, bytes); });
}

CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  return AfterInit(CALL(address, bytes), [&] { return FreeRange(address, bytes); });
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
  return AfterInit(CALL(address, bytes, offset, handle, flags),
                   [&] { return Map(address, bytes, offset, handle); });
}

CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  return AfterInit(CALL(address, bytes), [&] { return Unmap(address); });
}

CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc* access,
                        size_t count) {
  return AfterInit(CALL(address, bytes, count), [&] { return SetAccess(address, access, count); });
}
