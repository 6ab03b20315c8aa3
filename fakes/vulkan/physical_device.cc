#include <cstring>

#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"
#include "fakes/world/text.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

Fidelity TrustOf(VkPhysicalDevice device) {
  const Gpu gpu = GpuOf(device);
  return gpu.own_profile && gpu.profile->all_is_assumed == 0 ? Fidelity::kModelled
                                                             : Fidelity::kAssumed;
}
Fidelity TrustOfMemory(VkPhysicalDevice device) {
  return GpuOf(device).profile->memory_is_assumed != 0 ? Fidelity::kAssumed : TrustOf(device);
}

#define ASK(device) CALL().On(PlaceOf(device)).Trust(TrustOf(device))

const char* NameOfType(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return "INTEGRATED_GPU";
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return "DISCRETE_GPU";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return "VIRTUAL_GPU";
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return "CPU";
    default: return "OTHER";
  }
}

// Programs choose by what they are told here, so the journal has it, too.
template <typename Fill>
void TellProperties(const char* function, VkPhysicalDevice device, Fill fill) {
  VkPhysicalDeviceProperties properties;
  FillProperties(GpuOf(device), &properties);
  const char* const deviceName = properties.deviceName;
  const char* const deviceType = NameOfType(properties.deviceType);
  Tell(world::Call(function, "deviceName, deviceType", deviceName, deviceType)
           .On(PlaceOf(device))
           .Trust(TrustOf(device)),
       fill);
}

void FillFamily(const Gpu& gpu, uint32_t i, VkQueueFamilyProperties2& to) {
  const VulkanQueueFamily& family = gpu.profile->families[i];
  to.queueFamilyProperties = family.answer;
  for (auto* next = static_cast<VkBaseOutStructure*>(to.pNext); next != nullptr;
       next = next->pNext) {
    const VulkanRow* const row = FindRow(family.rows, family.row_count, next->sType);
    if (row == nullptr) continue;
    constexpr size_t kHead = sizeof(VkBaseOutStructure);
    memcpy(reinterpret_cast<char*>(next) + kHead, static_cast<const char*>(row->answer) + kHead,
           row->bytes - kHead);
  }
}

void FillMemory(const Gpu& gpu, VkPhysicalDeviceMemoryProperties* to) {
  const VulkanProfile& profile = *gpu.profile;
  *to = {};
  to->memoryHeapCount = profile.heap_count;
  for (uint32_t i = 0; i < profile.heap_count; ++i)
    to->memoryHeaps[i] = {HeapSize(gpu, i), profile.heaps[i].flags};
  to->memoryTypeCount = profile.type_count;
  for (uint32_t i = 0; i < profile.type_count; ++i) to->memoryTypes[i] = profile.types[i];
}

void FillBudget(const Gpu& gpu, void* chain) {
  for (auto* next = static_cast<VkBaseOutStructure*>(chain); next != nullptr; next = next->pNext) {
    if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT ||
        !HasExtension(gpu, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME))
      continue;
    auto* const to = reinterpret_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(next);
    memset(to->heapBudget, 0, sizeof(to->heapBudget));
    memset(to->heapUsage, 0, sizeof(to->heapUsage));
    for (uint32_t i = 0; i < gpu.profile->heap_count; ++i) {
      to->heapBudget[i] = HeapBudget(gpu, i);
      to->heapUsage[i] = HeapUsage(gpu, i);
    }
  }
}

}  // namespace

extern "C" {

void vkGetPhysicalDeviceProperties(VkPhysicalDevice device, VkPhysicalDeviceProperties* out) {
  TellProperties(__func__, device, [&] { FillProperties(GpuOf(device), out); });
}

void vkGetPhysicalDeviceProperties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* out) {
  TellProperties(__func__, device, [&] {
    FillProperties(GpuOf(device), &out->properties);
    FillChain(GpuOf(device), out->pNext, /*features=*/false);
  });
}

void vkGetPhysicalDeviceFeatures(VkPhysicalDevice device, VkPhysicalDeviceFeatures* out) {
  Tell(ASK(device), [&] { *out = *GpuOf(device).profile->features; });
}

void vkGetPhysicalDeviceFeatures2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* out) {
  Tell(ASK(device), [&] {
    out->features = *GpuOf(device).profile->features;
    FillChain(GpuOf(device), out->pNext, /*features=*/true);
  });
}

void vkGetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice device, uint32_t* count,
                                              VkQueueFamilyProperties* out) {
  Tell(ASK(device), [&] {
    const VulkanProfile& profile = *GpuOf(device).profile;
    List(count, out, profile.family_count,
         [&](uint32_t i, VkQueueFamilyProperties& to) { to = profile.families[i].answer; });
  });
}

void vkGetPhysicalDeviceQueueFamilyProperties2(VkPhysicalDevice device, uint32_t* count,
                                               VkQueueFamilyProperties2* out) {
  Tell(ASK(device), [&] {
    const Gpu gpu = GpuOf(device);
    List(count, out, gpu.profile->family_count,
         [&](uint32_t i, VkQueueFamilyProperties2& to) { FillFamily(gpu, i, to); });
  });
}

void vkGetPhysicalDeviceMemoryProperties(VkPhysicalDevice device,
                                         VkPhysicalDeviceMemoryProperties* out) {
  Tell(CALL().On(PlaceOf(device)).Trust(TrustOfMemory(device)),
       [&] { FillMemory(GpuOf(device), out); });
}

void vkGetPhysicalDeviceMemoryProperties2(VkPhysicalDevice device,
                                          VkPhysicalDeviceMemoryProperties2* out) {
  Tell(CALL().On(PlaceOf(device)).Trust(TrustOfMemory(device)), [&] {
    FillMemory(GpuOf(device), &out->memoryProperties);
    FillBudget(GpuOf(device), out->pNext);
  });
}

VkResult vkEnumerateDeviceExtensionProperties(VkPhysicalDevice device, const char* layer,
                                              uint32_t* count, VkExtensionProperties* out) {
  return static_cast<VkResult>(Answer(ASK(device), [&] {
    if (layer != nullptr) return VK_ERROR_LAYER_NOT_PRESENT;
    const VulkanProfile& profile = *GpuOf(device).profile;
    return List(count, out, profile.extension_count,
                [&](uint32_t i, VkExtensionProperties& to) { to = profile.extensions[i]; });
  }));
}

VkResult vkEnumerateDeviceLayerProperties(VkPhysicalDevice device, uint32_t* count,
                                          VkLayerProperties*) {
  return static_cast<VkResult>(Answer(ASK(device), [&] {
    *count = 0;
    return VK_SUCCESS;
  }));
}

VkResult vkGetPhysicalDeviceToolProperties(VkPhysicalDevice device, uint32_t* count,
                                           VkPhysicalDeviceToolProperties*) {
  return static_cast<VkResult>(Answer(ASK(device), [&] {
    *count = 0;
    return VK_SUCCESS;
  }));
}

}  // extern "C"
