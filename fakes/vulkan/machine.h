// The GPUs of the world as this driver finds them, and what its profiles say of each.
#pragma once

#include "fakes/vulkan/profile.h"
#include "fakes/world/format.h"

namespace gpustage::vulkan {

// Which driver this library is: the vendor whose GPUs it has (0: the processor, which needs none),
// and whether it is NVIDIA's own, which asks NVIDIA's kernel module.
inline constexpr uint32_t kVendor = GPUSTAGE_VULKAN_VENDOR;
inline constexpr bool kIsNvidia = GPUSTAGE_VULKAN_NVIDIA;
// Mesa's RADV makes the UUID of a device of its PCI address (ac_compute_device_uuid).
inline constexpr bool kUuidIsAddress = kVendor == 0x1002;

struct Gpu {
  int place = -1;  // in World::devices; -1: the processor
  const world::Device* device = nullptr;
  const VulkanProfile* profile = nullptr;
  bool own_profile = false;  // recorded or published of this very device
};

// Those whose nodes let the driver in, by PCI address; not VK_SUCCESS when it gives up before.
VkResult FindGpus(Gpu (&gpus)[world::kMaxDevices], uint32_t* count);

void FillProperties(const Gpu& gpu, VkPhysicalDeviceProperties* properties);
// Each struct of the chain that the profile knows; any other stays as the caller has it.
void FillChain(const Gpu& gpu, void* next, bool features);
// True when all that `next` and `plain` ask for is there.
bool HasFeatures(const Gpu& gpu, const void* next, const VkPhysicalDeviceFeatures* plain);
const VulkanRow* FindRow(const VulkanRow* rows, uint32_t count, VkStructureType type);
bool HasExtension(const Gpu& gpu, const char* name, uint32_t* at = nullptr);

uint64_t HeapSize(const Gpu& gpu, uint32_t heap);
// What the system leaves of a heap to this process.
uint64_t HeapBudget(const Gpu& gpu, uint32_t heap);
// What this process has of it, by all its devices.
uint64_t HeapUsage(const Gpu& gpu, uint32_t heap);
bool TakeFromHeap(const Gpu& gpu, uint32_t heap, uint64_t bytes);
void ReturnToHeap(const Gpu& gpu, uint32_t heap, uint64_t bytes);

}  // namespace gpustage::vulkan
