// What a format can be used for. How an image of it may look nobody recorded; it is as large as the
// limits allow.
#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

const VulkanFormat* Find(const Gpu& gpu, VkFormat format) {
  for (uint32_t i = 0; i < gpu.profile->format_count; ++i)
    if (gpu.profile->formats[i].format == format) return &gpu.profile->formats[i];
  return nullptr;
}

void Fill(const VulkanFormat* found, VkFormatProperties* to) {
  *to = found == nullptr ? VkFormatProperties{} : found->older;
}

// What an image of this use needs of its format.
VkFormatFeatureFlags2 Needs(VkImageUsageFlags usage) {
  VkFormatFeatureFlags2 needs = 0;
  if ((usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT) != 0) needs |= VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT;
  if ((usage & VK_IMAGE_USAGE_TRANSFER_DST_BIT) != 0) needs |= VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT;
  if ((usage & VK_IMAGE_USAGE_SAMPLED_BIT) != 0) needs |= VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT;
  if ((usage & VK_IMAGE_USAGE_STORAGE_BIT) != 0) needs |= VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT;
  if ((usage & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT) != 0)
    needs |= VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT;
  if ((usage & VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT) != 0)
    needs |= VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT;
  return needs;
}

VkSampleCountFlags SamplesOf(const Gpu& gpu, const VkPhysicalDeviceImageFormatInfo2& info,
                             VkFormatFeatureFlags2 features) {
  constexpr VkFormatFeatureFlags2 kAttachment =
      VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_2_DEPTH_STENCIL_ATTACHMENT_BIT;
  if (info.type != VK_IMAGE_TYPE_2D || info.tiling == VK_IMAGE_TILING_LINEAR ||
      (features & kAttachment) == 0)
    return VK_SAMPLE_COUNT_1_BIT;
  const VkPhysicalDeviceLimits& limits = gpu.profile->properties->limits;
  return (features & VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT) != 0
             ? limits.sampledImageColorSampleCounts
             : limits.sampledImageDepthSampleCounts;
}

VkResult FillImage(const Gpu& gpu, const VkPhysicalDeviceImageFormatInfo2& info,
                   VkImageFormatProperties* to) {
  *to = {};
  const VulkanFormat* const found = Find(gpu, info.format);
  if (found == nullptr) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  const VkFormatFeatureFlags2 features = info.tiling == VK_IMAGE_TILING_LINEAR
                                             ? found->answer.linearTilingFeatures
                                             : found->answer.optimalTilingFeatures;
  if (features == 0 || (~features & Needs(info.usage)) != 0) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  const VkPhysicalDeviceLimits& limits = gpu.profile->properties->limits;
  if (info.type == VK_IMAGE_TYPE_1D)
    to->maxExtent = {limits.maxImageDimension1D, 1, 1};
  else if (info.type == VK_IMAGE_TYPE_2D)
    to->maxExtent = {limits.maxImageDimension2D, limits.maxImageDimension2D, 1};
  else
    to->maxExtent = {limits.maxImageDimension3D, limits.maxImageDimension3D,
                     limits.maxImageDimension3D};
  to->maxMipLevels = 1;
  // What is linear is one image for NVIDIA's driver.
  const bool is_one = kIsNvidia && info.tiling == VK_IMAGE_TILING_LINEAR;
  for (uint32_t size = to->maxExtent.width; size > 1 && !is_one; size /= 2) ++to->maxMipLevels;
  to->maxArrayLayers = info.type == VK_IMAGE_TYPE_3D || is_one ? 1 : limits.maxImageArrayLayers;
  to->sampleCounts = SamplesOf(gpu, info, features);
  to->maxResourceSize = gpu.profile->properties->limits.sparseAddressSpaceSize;
  return VK_SUCCESS;
}

#define ASSUME(device) CALL().On(PlaceOf(device)).Trust(Fidelity::kAssumed)

}  // namespace

extern "C" {

void vkGetPhysicalDeviceFormatProperties(VkPhysicalDevice device, VkFormat format,
                                         VkFormatProperties* out) {
  Tell(CALL(format).On(PlaceOf(device)), [&] { Fill(Find(GpuOf(device), format), out); });
}

void vkGetPhysicalDeviceFormatProperties2(VkPhysicalDevice device, VkFormat format,
                                          VkFormatProperties2* out) {
  Tell(CALL(format).On(PlaceOf(device)), [&] {
    const VulkanFormat* const found = Find(GpuOf(device), format);
    Fill(found, &out->formatProperties);
    for (auto* next = static_cast<VkBaseOutStructure*>(out->pNext); next != nullptr;
         next = next->pNext) {
      if (next->sType != VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3) continue;
      auto* const to = reinterpret_cast<VkFormatProperties3*>(next);
      to->linearTilingFeatures = found == nullptr ? 0 : found->answer.linearTilingFeatures;
      to->optimalTilingFeatures = found == nullptr ? 0 : found->answer.optimalTilingFeatures;
      to->bufferFeatures = found == nullptr ? 0 : found->answer.bufferFeatures;
    }
  });
}

VkResult vkGetPhysicalDeviceImageFormatProperties(VkPhysicalDevice device, VkFormat format,
                                                  VkImageType type, VkImageTiling tiling,
                                                  VkImageUsageFlags usage, VkImageCreateFlags flags,
                                                  VkImageFormatProperties* out) {
  return static_cast<VkResult>(Answer(ASSUME(device), [&] {
    return FillImage(GpuOf(device),
                     {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2, nullptr, format, type,
                      tiling, usage, flags},
                     out);
  }));
}

VkResult vkGetPhysicalDeviceImageFormatProperties2(VkPhysicalDevice device,
                                                   const VkPhysicalDeviceImageFormatInfo2* info,
                                                   VkImageFormatProperties2* out) {
  return static_cast<VkResult>(Answer(ASSUME(device), [&] {
    return FillImage(GpuOf(device), *info, &out->imageFormatProperties);
  }));
}

void vkGetPhysicalDeviceSparseImageFormatProperties(VkPhysicalDevice device, VkFormat, VkImageType,
                                                    VkSampleCountFlagBits, VkImageUsageFlags,
                                                    VkImageTiling, uint32_t* count,
                                                    VkSparseImageFormatProperties*) {
  Tell(ASSUME(device), [&] { *count = 0; });
}

void vkGetPhysicalDeviceSparseImageFormatProperties2(VkPhysicalDevice device,
                                                     const VkPhysicalDeviceSparseImageFormatInfo2*,
                                                     uint32_t* count,
                                                     VkSparseImageFormatProperties2*) {
  Tell(ASSUME(device), [&] { *count = 0; });
}

// Nothing is shared with another process.
void vkGetPhysicalDeviceExternalBufferProperties(VkPhysicalDevice device,
                                                 const VkPhysicalDeviceExternalBufferInfo*,
                                                 VkExternalBufferProperties* out) {
  Tell(ASSUME(device), [&] { out->externalMemoryProperties = {}; });
}

void vkGetPhysicalDeviceExternalFenceProperties(VkPhysicalDevice device,
                                                const VkPhysicalDeviceExternalFenceInfo*,
                                                VkExternalFenceProperties* out) {
  Tell(ASSUME(device), [&] {
    out->exportFromImportedHandleTypes = out->compatibleHandleTypes = 0;
    out->externalFenceFeatures = 0;
  });
}

void vkGetPhysicalDeviceExternalSemaphoreProperties(VkPhysicalDevice device,
                                                    const VkPhysicalDeviceExternalSemaphoreInfo*,
                                                    VkExternalSemaphoreProperties* out) {
  Tell(ASSUME(device), [&] {
    out->exportFromImportedHandleTypes = out->compatibleHandleTypes = 0;
    out->externalSemaphoreFeatures = 0;
  });
}

}  // extern "C"
