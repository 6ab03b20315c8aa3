// Devices and their queues: what is asked for is held to the profile, and nothing is run.
#include <cstring>

#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"
#include "fakes/world/text.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

VkResult Enable(const VkDeviceCreateInfo& info, Device& device) {
  for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
    uint32_t at = 0;
    if (!HasExtension(device.parent->gpu, info.ppEnabledExtensionNames[i], &at))
      return VK_ERROR_EXTENSION_NOT_PRESENT;
    device.enabled[at] = 1;
  }
  return HasFeatures(device.parent->gpu, info.pNext, info.pEnabledFeatures)
             ? VK_SUCCESS
             : VK_ERROR_FEATURE_NOT_PRESENT;
}

VkResult MakeQueues(const VkDeviceCreateInfo& info, Device& device) {
  const VulkanProfile& profile = *device.parent->gpu.profile;
  for (uint32_t i = 0; i < info.queueCreateInfoCount; ++i) {
    const VkDeviceQueueCreateInfo& asked = info.pQueueCreateInfos[i];
    if (asked.queueFamilyIndex >= profile.family_count ||
        asked.queueCount > profile.families[asked.queueFamilyIndex].answer.queueCount)
      return VK_ERROR_INITIALIZATION_FAILED;
    device.queue_count += asked.queueCount;
  }
  device.queues = static_cast<Queue*>(calloc(device.queue_count + 1, sizeof(Queue)));
  if (device.queues == nullptr) return VK_ERROR_OUT_OF_HOST_MEMORY;
  uint32_t made = 0;
  for (uint32_t i = 0; i < info.queueCreateInfoCount; ++i) {
    const VkDeviceQueueCreateInfo& asked = info.pQueueCreateInfos[i];
    for (uint32_t index = 0; index < asked.queueCount; ++index)
      device.queues[made++] = {kLoaderMagic, &device, asked.queueFamilyIndex, index};
  }
  return VK_SUCCESS;
}

void Free(Device* device) {
  if (device == nullptr) return;
  free(device->queues);
  free(device->enabled);
  free(device);
}

VkResult MakeDevice(const PhysicalDevice& parent, const VkDeviceCreateInfo& info, VkDevice* out) {
  auto* const made = New<Device>();
  if (made == nullptr) return VK_ERROR_OUT_OF_HOST_MEMORY;
  made->loader = kLoaderMagic;
  made->parent = &parent;
  made->enabled = static_cast<uint8_t*>(calloc(parent.gpu.profile->extension_count + 1, 1));
  VkResult result = made->enabled == nullptr ? VK_ERROR_OUT_OF_HOST_MEMORY : Enable(info, *made);
  if (result == VK_SUCCESS) result = MakeQueues(info, *made);
  if (result != VK_SUCCESS) {
    Free(made);
    return result;
  }
  *out = reinterpret_cast<VkDevice>(made);
  return VK_SUCCESS;
}

VkQueue FindQueue(Device& device, uint32_t family, uint32_t index) {
  for (uint32_t i = 0; i < device.queue_count; ++i)
    if (device.queues[i].family == family && device.queues[i].index == index)
      return reinterpret_cast<VkQueue>(&device.queues[i]);
  return VK_NULL_HANDLE;
}

}  // namespace

extern "C" {

VkResult vkCreateDevice(VkPhysicalDevice parent, const VkDeviceCreateInfo* info,
                        const VkAllocationCallbacks*, VkDevice* out) {
  world::Text<160> names;  // what does not fit is cut off
  for (uint32_t i = 0; i < info->enabledExtensionCount; ++i)
    names.Add(i == 0 ? "" : " ").Add(info->ppEnabledExtensionNames[i]);
  const char* const extensions = names.c_str();
  return static_cast<VkResult>(Answer(CALL(extensions).On(PlaceOf(parent)), [&] {
    return MakeDevice(*As<PhysicalDevice>(parent), *info, out);
  }));
}

void vkDestroyDevice(VkDevice device, const VkAllocationCallbacks*) {
  if (device == VK_NULL_HANDLE) return;
  Tell(CALL().On(PlaceOf(device)), [&] { Free(As<Device>(device)); });
}

void vkGetDeviceQueue(VkDevice device, uint32_t family, uint32_t index, VkQueue* out) {
  Tell(CALL(family, index).On(PlaceOf(device)),
       [&] { *out = FindQueue(*As<Device>(device), family, index); });
}

void vkGetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2* info, VkQueue* out) {
  Tell(CALL().On(PlaceOf(device)),
       [&] { *out = FindQueue(*As<Device>(device), info->queueFamilyIndex, info->queueIndex); });
}

VkResult vkDeviceWaitIdle(VkDevice device) {
  return static_cast<VkResult>(Answer(CALL().On(PlaceOf(device)), [] { return VK_SUCCESS; }));
}

void vkGetDeviceGroupPeerMemoryFeatures(VkDevice device, uint32_t, uint32_t, uint32_t,
                                        VkPeerMemoryFeatureFlags* out) {
  Tell(CALL().On(PlaceOf(device)), [&] { *out = 0; });
}

VkResult vkGetDeviceGroupPresentCapabilitiesKHR(VkDevice device,
                                                VkDeviceGroupPresentCapabilitiesKHR* out) {
  return static_cast<VkResult>(Answer(CALL().On(PlaceOf(device)).Trust(Fidelity::kAssumed), [&] {
    memset(out->presentMask, 0, sizeof(out->presentMask));
    out->presentMask[0] = 1;
    out->modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    return VK_SUCCESS;
  }));
}

}  // extern "C"
