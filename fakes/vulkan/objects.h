// What stands behind Vulkan's handles. The first word of a dispatchable one is the loader's.
#pragma once

#include <cstdlib>

#include "fakes/vulkan/machine.h"
#include "fakes/world/call.h"

namespace gpustage::vulkan {

using world::Answer;
using world::Fidelity;

inline constexpr uintptr_t kLoaderMagic = 0x01CDC0DE;  // vk_icd.h: ICD_LOADER_MAGIC

struct PhysicalDevice {
  uintptr_t loader;
  Gpu gpu;
};

struct Instance {
  uintptr_t loader;
  uint32_t gpu_count;
  PhysicalDevice gpus[world::kMaxDevices];
};

struct Device;
struct Queue {
  uintptr_t loader;
  Device* device;
  uint32_t family;
  uint32_t index;
};

struct Device {
  uintptr_t loader;
  const PhysicalDevice* parent;
  uint8_t* enabled;  // a byte for each extension of the profile
  Queue* queues;
  uint32_t queue_count;
};

struct CommandBuffer {
  uintptr_t loader;
  Device* device;
};

// Everything else. What a kind does not need stays 0.
struct Object {
  const Device* device;
  uint64_t size;   // memory, buffer, image
  uint64_t value;  // a semaphore's counter; a fence or an event that is set is 1
  void* memory;    // what is mapped
  uint32_t heap;   // of memory
  uint32_t type;   // of memory
};

template <typename T>
T* New() {
  return static_cast<T*>(calloc(1, sizeof(T)));
}

template <typename T, typename Handle>
T* As(Handle handle) {
  return reinterpret_cast<T*>(handle);
}
inline Object* Thing(auto handle) { return As<Object>(handle); }

template <typename Handle>
Gpu GpuOf(Handle handle) {
  return As<PhysicalDevice>(handle)->gpu;
}
inline int PlaceOf(VkPhysicalDevice device) { return GpuOf(device).place; }
inline int PlaceOf(VkDevice device) { return As<Device>(device)->parent->gpu.place; }
inline int PlaceOf(VkQueue queue) { return As<Queue>(queue)->device->parent->gpu.place; }
inline int PlaceOf(VkCommandBuffer buffer) {
  return As<CommandBuffer>(buffer)->device->parent->gpu.place;
}

template <typename Handle>
VkResult Make(VkDevice device, Handle* out) {
  auto* const made = New<Object>();
  if (made == nullptr) return VK_ERROR_OUT_OF_HOST_MEMORY;
  made->device = As<Device>(device);
  *out = reinterpret_cast<Handle>(made);
  return VK_SUCCESS;
}
template <typename Handle>
VkResult MakeAll(VkDevice device, uint32_t count, Handle* out) {
  VkResult result = VK_SUCCESS;
  for (uint32_t i = 0; i < count && result == VK_SUCCESS; ++i) result = Make(device, &out[i]);
  return result;
}

// A list as Vulkan gives it: how many, or as many as there is room for. `get(i)` is one of `have`.
template <typename T, typename Get>
VkResult List(uint32_t* count, T* out, uint32_t have, Get get) {
  if (out == nullptr) {
    *count = have;
    return VK_SUCCESS;
  }
  const uint32_t room = *count < have ? *count : have;
  for (uint32_t i = 0; i < room; ++i) get(i, out[i]);
  *count = room;
  return room < have ? VK_INCOMPLETE : VK_SUCCESS;
}

}  // namespace gpustage::vulkan
