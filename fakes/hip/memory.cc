// Memory on the account of its device. Pages that nobody touches cost nothing.
#include <sys/mman.h>

#include <cstring>

#include "fakes/hip/runtime.h"
#include "fakes/world/fault.h"
#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

using namespace gpustage;
using namespace gpustage::hip;

namespace {

constexpr int kMaxAllocations = 4096;
constexpr int kHost = -1;

struct Allocation {
  void* memory;  // null: free; kTaken: being filled
  size_t bytes;
  int device;
};
Allocation g_allocations[kMaxAllocations];
uint64_t g_used[amd::kMaxNodes];
void* const kTaken = reinterpret_cast<void*>(1);

uint64_t FreeOf(int device) {
  const Facts& f = Of(device);
  const uint64_t used = __atomic_load_n(&g_used[device], __ATOMIC_ACQUIRE);
  const uint64_t free =
      f.place < 0 ? f.memory : world::FreeMemory(world::Here().devices[f.place], f.place);
  return used < free ? free - used : 0;
}

bool Take(int device, size_t bytes) {
  if (device == kHost) return true;
  if (bytes > FreeOf(device)) return false;
  __atomic_add_fetch(&g_used[device], bytes, __ATOMIC_ACQ_REL);
  return true;
}

void Return(int device, size_t bytes) {
  if (device != kHost) __atomic_sub_fetch(&g_used[device], bytes, __ATOMIC_ACQ_REL);
}

bool Keep(void* memory, size_t bytes, int device) {
  for (Allocation& slot : g_allocations) {
    void* empty = nullptr;
    if (!__atomic_compare_exchange_n(&slot.memory, &empty, kTaken, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    slot.bytes = bytes;
    slot.device = device;
    __atomic_store_n(&slot.memory, memory, __ATOMIC_RELEASE);
    return true;
  }
  return false;
}

hipError_t Allocate(void** to, size_t bytes, int device) {
  if (to == nullptr) return hipErrorInvalidValue;
  *to = nullptr;
  if (bytes == 0) return hipSuccess;
  if (!Take(device, bytes)) return hipErrorOutOfMemory;
  void* const pages = world::MapMemory(bytes, PROT_READ | PROT_WRITE);
  if (pages != nullptr && Keep(pages, bytes, device)) {
    *to = pages;
    return hipSuccess;
  }
  if (pages != nullptr) world::UnmapMemory(pages, bytes);
  Return(device, bytes);
  return hipErrorOutOfMemory;
}

hipError_t Free(void* memory, bool host) {
  if (memory == nullptr) return hipSuccess;
  for (Allocation& slot : g_allocations) {
    if (__atomic_load_n(&slot.memory, __ATOMIC_ACQUIRE) != memory || (slot.device == kHost) != host)
      continue;
    world::UnmapMemory(memory, slot.bytes);
    Return(slot.device, slot.bytes);
    __atomic_store_n(&slot.memory, nullptr, __ATOMIC_RELEASE);
    return hipSuccess;
  }
  return hipErrorInvalidValue;
}

hipError_t Copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return hipSuccess;
  if (to == nullptr || from == nullptr) return hipErrorInvalidValue;
  memmove(to, from, bytes);
  return hipSuccess;
}

hipError_t Set(void* to, int value, size_t bytes) {
  if (bytes == 0) return hipSuccess;
  if (to == nullptr) return hipErrorInvalidValue;
  memset(to, value, bytes);
  return hipSuccess;
}

}  // namespace

extern "C" {

hipError_t hipMemGetInfo(size_t* free, size_t* total) {
  return WithDevice(HERE(), [&] {
    if (free == nullptr || total == nullptr) return hipErrorInvalidValue;
    *free = FreeOf(Current());
    *total = Of(Current()).memory;
    return hipSuccess;
  });
}

hipError_t hipMalloc(void** memory, size_t bytes) {
  return WithDevice(HERE(bytes), [&] { return Allocate(memory, bytes, Current()); });
}
hipError_t hipMallocManaged(void** memory, size_t bytes, unsigned) {
  return WithDevice(HERE(bytes), [&] { return Allocate(memory, bytes, Current()); });
}
hipError_t hipFree(void* memory) {
  return WithDevice(HERE(), [&] { return Free(memory, /*host=*/false); });
}
hipError_t hipHostMalloc(void** memory, size_t bytes, unsigned) {
  return WithDevice(HERE(bytes), [&] { return Allocate(memory, bytes, kHost); });
}
hipError_t hipHostFree(void* memory) {
  return WithDevice(HERE(), [&] { return Free(memory, /*host=*/true); });
}
hipError_t hipMemcpy(void* to, const void* from, size_t bytes, int) {
  return WithDevice(HERE(bytes), [&] { return Copy(to, from, bytes); });
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t bytes, int, hipStream_t) {
  return WithDevice(HERE(bytes), [&] { return Copy(to, from, bytes); });
}
hipError_t hipMemset(void* to, int value, size_t bytes) {
  return WithDevice(HERE(bytes), [&] { return Set(to, value, bytes); });
}
hipError_t hipMemsetAsync(void* to, int value, size_t bytes, hipStream_t) {
  return WithDevice(HERE(bytes), [&] { return Set(to, value, bytes); });
}

}  // extern "C"
