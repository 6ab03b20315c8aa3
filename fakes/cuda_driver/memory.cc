#include "fakes/cuda_driver/memory.h"

#include <sys/mman.h>

#include <cstring>

#include "fakes/cuda_driver/driver.h"
#include "fakes/world/fault.h"
#include "fakes/world/syscall.h"

namespace gpustage::cuda_driver {
namespace {

constexpr int kMaxAllocations = 4096;
constexpr CUdevice kHost = -1;
constexpr CUdevice kRegistered = -2;  // the caller's own memory
constexpr unsigned int kHostFlags = 7;

struct Allocation {
  void* memory;  // null: this slot is free; kTaken: it is being filled
  size_t bytes;
  CUdevice device;
  unsigned int flags;  // of host memory
};
Allocation g_allocations[kMaxAllocations];

// What is smaller than a block shares blocks, anything else has blocks of its own.
constexpr size_t kBlock = 2 << 20;
uint64_t g_small[world::kMaxDevices];
uint64_t g_large[world::kMaxDevices];

uint64_t RoundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

uint64_t Used(CUdevice device) {
  const uint64_t small = __atomic_load_n(&g_small[device], __ATOMIC_ACQUIRE);
  return RoundUp(small, kBlock) + __atomic_load_n(&g_large[device], __ATOMIC_ACQUIRE);
}

void* const kTaken = reinterpret_cast<void*>(1);

Allocation* TakeSlot() {
  for (Allocation& slot : g_allocations) {
    void* free = nullptr;
    if (__atomic_compare_exchange_n(&slot.memory, &free, kTaken, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return &slot;
  }
  return nullptr;
}

CUresult Keep(void* memory, size_t bytes, CUdevice device, unsigned int flags) {
  Allocation* const slot = TakeSlot();
  if (slot == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  slot->bytes = bytes;
  slot->device = device;
  slot->flags = flags;
  __atomic_store_n(&slot->memory, memory, __ATOMIC_RELEASE);
  return CUDA_SUCCESS;
}

// Pages that nobody touches cost nothing, so a device of 80 GiB can be filled on a small machine.
CUresult Allocate(CUdevice device, size_t bytes, unsigned int flags, void** memory) {
  if (device != kHost && !TakeMemory(device, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  void* const pages = world::MapMemory(bytes, PROT_READ | PROT_WRITE);
  if (pages != nullptr && Keep(pages, bytes, device, flags) == CUDA_SUCCESS) {
    *memory = pages;
    return CUDA_SUCCESS;
  }
  if (pages != nullptr) world::UnmapMemory(pages, bytes);
  if (device != kHost) ReturnMemory(device, bytes);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

// The allocation that `memory` lies in, or null.
Allocation* Around(const void* memory) {
  for (Allocation& slot : g_allocations) {
    char* const begin = static_cast<char*>(__atomic_load_n(&slot.memory, __ATOMIC_ACQUIRE));
    if (begin == nullptr || begin == kTaken) continue;
    if (memory >= begin && memory < begin + slot.bytes) return &slot;
  }
  return nullptr;
}

Allocation* At(const void* memory) {
  Allocation* const slot = Around(memory);
  return slot != nullptr && slot->memory == memory ? slot : nullptr;
}

CUresult Free(void* memory, bool host) {
  if (memory == nullptr) return CUDA_SUCCESS;
  Allocation* const slot = At(memory);
  if (slot == nullptr || (slot->device == kHost) != host || slot->device == kRegistered)
    return CUDA_ERROR_INVALID_VALUE;
  // It belongs to whoever frees it before its address may be another's.
  void* mine = memory;
  if (!__atomic_compare_exchange_n(&slot->memory, &mine, kTaken, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    return CUDA_ERROR_INVALID_VALUE;
  world::UnmapMemory(memory, slot->bytes);
  if (!host) ReturnMemory(slot->device, slot->bytes);
  __atomic_store_n(&slot->memory, nullptr, __ATOMIC_RELEASE);
  return CUDA_SUCCESS;
}

// As the real one does, null or zero is written before anything can fail.
template <typename T>
CUresult AllocateInto(Call&& call, T* where, size_t bytes, CUdevice device, unsigned int flags) {
  if (where != nullptr) *where = T{};
  return InContext(static_cast<Call&&>(call), [&]() -> CUresult {
    if (where == nullptr || (flags & ~kHostFlags) != 0) return CUDA_ERROR_INVALID_VALUE;
    if (bytes == 0) return device == kHost ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    return Allocate(device, bytes, flags, reinterpret_cast<void**>(where));
  });
}

CUresult Register(void* memory, size_t bytes, unsigned int flags) {
  if (memory == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (Around(memory) != nullptr) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  return Keep(memory, bytes, kRegistered, flags);
}

CUresult Unregister(void* memory) {
  if (memory == nullptr) return CUDA_ERROR_INVALID_VALUE;
  Allocation* const slot = At(memory);
  if (slot == nullptr || slot->device != kRegistered) return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
  __atomic_store_n(&slot->memory, nullptr, __ATOMIC_RELEASE);
  return CUDA_SUCCESS;
}

CUresult PutDevicePointer(CUdeviceptr* where, void* host, unsigned int flags) {
  const Allocation* const slot = Around(host);
  if (flags != 0 || slot == nullptr || slot->device >= 0) return CUDA_ERROR_INVALID_VALUE;
  return Put(where, reinterpret_cast<CUdeviceptr>(host));
}

CUresult PutRange(CUdeviceptr* base, size_t* bytes, const void* memory) {
  const Allocation* const slot = Around(memory);
  if (slot == nullptr) return CUDA_ERROR_NOT_FOUND;
  if (base != nullptr) *base = reinterpret_cast<CUdeviceptr>(slot->memory);
  if (bytes != nullptr) *bytes = slot->bytes;
  return CUDA_SUCCESS;
}

// CUpointer_attribute: kind of memory, number of the buffer, whether it is managed, its device,
// whether it is mapped.
CUresult PutAttribute(int* value, int attribute, const void* memory) {
  const Allocation* const slot = Around(memory);
  if (slot == nullptr || value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case 2: return Put(value, slot->device >= 0 ? 2 : 1);
    case 7: return Put(value, static_cast<int>(slot - g_allocations) + 1);
    case 8: return Put(value, 0);
    case 9: return Put(value, slot->device >= 0 ? slot->device : CurrentDevice());
    case 10: return Put(value, 1);
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

void* Pointer(CUdeviceptr memory) { return reinterpret_cast<void*>(memory); }

CUresult Copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (to == nullptr || from == nullptr) return CUDA_ERROR_INVALID_VALUE;
  memcpy(to, from, bytes);
  return CUDA_SUCCESS;
}

// Whether all of it is the caller's to use on a device.
bool IsOnDevice(const void* memory, size_t bytes) {
  const Allocation* const slot = Around(memory);
  if (slot == nullptr) return IsMapped(reinterpret_cast<CUdeviceptr>(memory), bytes);
  const auto left = static_cast<size_t>(static_cast<char*>(slot->memory) + slot->bytes -
                                        static_cast<const char*>(memory));
  return bytes <= left;
}

CUresult CopyOnDevice(void* to, bool to_device, const void* from, bool from_device, size_t bytes) {
  if (bytes > 0 &&
      ((to_device && !IsOnDevice(to, bytes)) || (from_device && !IsOnDevice(from, bytes))))
    return CUDA_ERROR_INVALID_VALUE;
  return Copy(to, from, bytes);
}

// Memory that no device knows is taken for the host's, as unified addressing does.
CUresult CopyAny(void* to, const void* from, size_t bytes) {
  return CopyOnDevice(to, Around(to) != nullptr, from, Around(from) != nullptr, bytes);
}

template <typename T>
CUresult Fill(CUdeviceptr to, T value, size_t count) {
  if (to % sizeof(T) != 0 || (count > 0 && !IsOnDevice(Pointer(to), count * sizeof(T))))
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) static_cast<T*>(Pointer(to))[i] = value;
  return CUDA_SUCCESS;
}

}  // namespace

bool TakeMemory(CUdevice device, size_t bytes) {
  const uint64_t free = world::FreeMemory(*DeviceAt(device), device);
  if (bytes > free) return false;
  const bool small = bytes < kBlock;
  uint64_t& account = small ? g_small[device] : g_large[device];
  __atomic_add_fetch(&account, RoundUp(bytes, small ? 512 : kBlock), __ATOMIC_ACQ_REL);
  if (Used(device) <= free) return true;
  ReturnMemory(device, bytes);
  return false;
}

void ReturnMemory(CUdevice device, size_t bytes) {
  const bool small = bytes < kBlock;
  uint64_t& account = small ? g_small[device] : g_large[device];
  __atomic_sub_fetch(&account, RoundUp(bytes, small ? 512 : kBlock), __ATOMIC_ACQ_REL);
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  if (free != nullptr) *free = 0;
  return InContext(CALL(), [&](Call& call) {
    const Device& device = *DeviceAt(CurrentDevice());
    if (device.assumed_memory != 0) call.set_fidelity(Fidelity::kAssumed);
    const uint64_t used = Used(CurrentDevice());
    const uint64_t left = gpustage::world::FreeMemory(device, CurrentDevice());
    if (free != nullptr) *free = used < left ? left - used : 0;
    if (total != nullptr) *total = device.memory_total;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAlloc_v2(CUdeviceptr* memory, size_t bytes) {
  return AllocateInto(CALL(bytes), memory, bytes, CurrentDevice(), 0);
}

// Managed memory belongs to everybody (1) or to the host (2).
CUresult cuMemAllocManaged(CUdeviceptr* memory, size_t bytes, unsigned int flags) {
  if (flags != 1 && flags != 2)
    return Answer(CALL(bytes, flags), [] { return CUDA_ERROR_INVALID_VALUE; });
  return AllocateInto(CALL(bytes, flags), memory, bytes, CurrentDevice(), flags);
}

CUresult cuMemFree_v2(CUdeviceptr memory) {
  return AfterInit(CALL(memory), [&] { return Free(Pointer(memory), /*host=*/false); });
}

CUresult cuMemHostAlloc(void** memory, size_t bytes, unsigned int flags) {
  return AllocateInto(CALL(bytes, flags), memory, bytes, kHost, flags);
}

CUresult cuMemFreeHost(void* memory) {
  return AfterInit(CALL(memory), [&] { return Free(memory, /*host=*/true); });
}

CUresult cuMemHostGetFlags(unsigned int* flags, void* memory) {
  return InContext(CALL(memory), [&]() -> CUresult {
    const Allocation* const slot = Around(memory);
    return slot == nullptr || slot->device != kHost ? CUDA_ERROR_INVALID_VALUE
                                                    : Put(flags, slot->flags);
  });
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* memory, void* host, unsigned int flags) {
  return InContext(CALL(host, flags), [&] { return PutDevicePointer(memory, host, flags); });
}

CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned int flags) {
  return InContext(CALL(memory, bytes, flags), [&] { return Register(memory, bytes, flags); });
}

CUresult cuMemHostUnregister(void* memory) {
  return InContext(CALL(memory), [&] { return Unregister(memory); });
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr memory) {
  return InContext(CALL(memory), [&] { return PutRange(base, bytes, Pointer(memory)); });
}

CUresult cuPointerGetAttribute(void* value, CUpointer_attribute attribute, CUdeviceptr memory) {
  return InContext(CALL(attribute, memory), [&] {
    return PutAttribute(static_cast<int*>(value), attribute, Pointer(memory));
  });
}

#define COPY(name, To, From, body)                                 \
  CUresult name(To to, From from, size_t bytes) {                  \
    return InContext(CALL(to, from, bytes), [&] { return body; }); \
  }
#define COPY_ASYNC(name, To, From, body)                                   \
  CUresult name(To to, From from, size_t bytes, CUstream stream) {         \
    return InContext(CALL(to, from, bytes, stream), [&] { return body; }); \
  }
COPY(cuMemcpy, CUdeviceptr, CUdeviceptr, CopyAny(Pointer(to), Pointer(from), bytes))
COPY(cuMemcpyHtoD_v2, CUdeviceptr, const void*, CopyOnDevice(Pointer(to), true, from, false, bytes))
COPY(cuMemcpyDtoH_v2, void*, CUdeviceptr, CopyOnDevice(to, false, Pointer(from), true, bytes))
COPY(cuMemcpyDtoD_v2, CUdeviceptr, CUdeviceptr,
     CopyOnDevice(Pointer(to), true, Pointer(from), true, bytes))
COPY_ASYNC(cuMemcpyAsync, CUdeviceptr, CUdeviceptr, CopyAny(Pointer(to), Pointer(from), bytes))
COPY_ASYNC(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void*,
           CopyOnDevice(Pointer(to), true, from, false, bytes))
COPY_ASYNC(cuMemcpyDtoHAsync_v2, void*, CUdeviceptr,
           CopyOnDevice(to, false, Pointer(from), true, bytes))
COPY_ASYNC(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr,
           CopyOnDevice(Pointer(to), true, Pointer(from), true, bytes))

#define FILL(name, T)                                                                 \
  CUresult name(CUdeviceptr to, T value, size_t count) {                              \
    return InContext(CALL(to, value, count), [&] { return Fill(to, value, count); }); \
  }
FILL(cuMemsetD8_v2, unsigned char)
FILL(cuMemsetD16_v2, unsigned short)
FILL(cuMemsetD32_v2, unsigned int)

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  if (!IsStream(stream))
    return Answer(CALL(to, value, bytes, stream), [] { return CUDA_ERROR_INVALID_HANDLE; });
  return InContext(CALL(to, value, bytes, stream), [&] { return Fill(to, value, bytes); });
}
