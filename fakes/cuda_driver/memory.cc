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

struct Allocation {
  void* memory;  // null: this slot is free; kTaken: it is being filled
  size_t bytes;
  CUdevice device;
};
Allocation g_allocations[kMaxAllocations];
uint64_t g_used[world::kMaxDevices];

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

// Pages that nobody touches cost nothing, so a device of 80 GiB can be filled on a small machine.
CUresult Allocate(CUdevice device, size_t bytes, void** memory) {
  if (memory == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (device != kHost && !TakeMemory(device, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  Allocation* const slot = TakeSlot();
  void* const pages = slot == nullptr ? nullptr : world::MapMemory(bytes, PROT_READ | PROT_WRITE);
  if (pages == nullptr) {
    if (slot != nullptr) __atomic_store_n(&slot->memory, nullptr, __ATOMIC_RELEASE);
    if (device != kHost) ReturnMemory(device, bytes);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  slot->bytes = bytes;
  slot->device = device;
  __atomic_store_n(&slot->memory, pages, __ATOMIC_RELEASE);
  *memory = pages;
  return CUDA_SUCCESS;
}

CUresult Free(void* memory) {
  if (memory == nullptr) return CUDA_SUCCESS;
  for (Allocation& slot : g_allocations) {
    if (__atomic_load_n(&slot.memory, __ATOMIC_ACQUIRE) != memory) continue;
    world::UnmapMemory(memory, slot.bytes);
    if (slot.device != kHost) ReturnMemory(slot.device, slot.bytes);
    __atomic_store_n(&slot.memory, nullptr, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

// On the device of the current context.
template <typename Body>
CUresult OnCurrent(Call&& call, Body body) {
  return AfterInit(static_cast<Call&&>(call).On(CurrentDevice()), [&]() -> CUresult {
    return CurrentDevice() < 0 ? CUDA_ERROR_INVALID_CONTEXT : body();
  });
}

void* Pointer(CUdeviceptr memory) { return reinterpret_cast<void*>(memory); }

CUresult AllocateDevice(CUdeviceptr* memory, size_t bytes) {
  return Allocate(CurrentDevice(), bytes, reinterpret_cast<void**>(memory));
}

CUresult Copy(void* to, const void* from, size_t bytes) {
  memcpy(to, from, bytes);
  return CUDA_SUCCESS;
}

}  // namespace

bool TakeMemory(CUdevice device, size_t bytes) {
  const uint64_t free = world::FreeMemory(*DeviceAt(device), device);
  const uint64_t used = __atomic_add_fetch(&g_used[device], bytes, __ATOMIC_ACQ_REL);
  if (bytes <= free && used <= free) return true;
  ReturnMemory(device, bytes);
  return false;
}

void ReturnMemory(CUdevice device, size_t bytes) {
  __atomic_sub_fetch(&g_used[device], bytes, __ATOMIC_ACQ_REL);
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  return OnCurrent(CALL(), [&] {
    const Device& device = *DeviceAt(CurrentDevice());
    const uint64_t left = gpustage::world::FreeMemory(device, CurrentDevice());
    const uint64_t used = __atomic_load_n(&g_used[CurrentDevice()], __ATOMIC_ACQUIRE);
    const CUresult result = Put(free, size_t{used < left ? left - used : 0});
    return result == CUDA_SUCCESS ? Put(total, size_t{device.memory_total}) : result;
  });
}

CUresult cuMemAlloc_v2(CUdeviceptr* memory, size_t bytes) {
  return OnCurrent(CALL(bytes), [&] { return AllocateDevice(memory, bytes); });
}

CUresult cuMemAllocManaged(CUdeviceptr* memory, size_t bytes, unsigned int flags) {
  return OnCurrent(CALL(bytes, flags), [&] { return AllocateDevice(memory, bytes); });
}

CUresult cuMemFree_v2(CUdeviceptr memory) {
  return AfterInit(CALL(memory), [&] { return Free(Pointer(memory)); });
}

CUresult cuMemHostAlloc(void** memory, size_t bytes, unsigned int flags) {
  return OnCurrent(CALL(bytes, flags), [&] { return Allocate(kHost, bytes, memory); });
}

CUresult cuMemFreeHost(void* memory) {
  return AfterInit(CALL(memory), [&] { return Free(memory); });
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* memory, void* host, unsigned int flags) {
  return OnCurrent(CALL(host, flags),
                   [&] { return Put(memory, reinterpret_cast<CUdeviceptr>(host)); });
}

CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned int flags) {
  return OnCurrent(CALL(memory, bytes, flags).Trust(Fidelity::kFixed),
                   [&] { return CUDA_SUCCESS; });
}

CUresult cuMemHostUnregister(void* memory) {
  return OnCurrent(CALL(memory).Trust(Fidelity::kFixed), [&] { return CUDA_SUCCESS; });
}

CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return OnCurrent(CALL(to, from, bytes), [&] { return Copy(Pointer(to), Pointer(from), bytes); });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return OnCurrent(CALL(to, from, bytes), [&] { return Copy(Pointer(to), from, bytes); });
}

CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return OnCurrent(CALL(to, from, bytes), [&] { return Copy(to, Pointer(from), bytes); });
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return OnCurrent(CALL(to, from, bytes), [&] { return Copy(Pointer(to), Pointer(from), bytes); });
}

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t bytes) {
  return OnCurrent(CALL(to, value, bytes), [&] {
    memset(Pointer(to), value, bytes);
    return CUDA_SUCCESS;
  });
}
