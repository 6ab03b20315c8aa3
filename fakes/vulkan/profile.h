// What one GPU answers: a table that fakes/vulkan/compile makes of what vulkaninfo --json recorded
// (fixtures/vulkan). C, so that the tables can name the fields of Vulkan's structs in any order.
#pragma once

#include <stdint.h>
#include <vulkan/vulkan_core.h>

#ifdef __cplusplus
extern "C" {
#endif

// A struct of the chain of VkPhysicalDeviceProperties2, Features2 or VkQueueFamilyProperties2,
// whole; its sType comes first, as in every such struct.
typedef struct VulkanRow {
  const void* answer;
  uint32_t bytes;
  uint32_t is_feature;
  uint32_t is_words;  // as the words of a recording, of which a driver left those of kUnwritten
} VulkanRow;

enum { kUnwrittenWord = -0x5a5a5a5b };  // 0xa5a5a5a5

typedef struct VulkanFormat {
  VkFormat format;
  VkFormatProperties older;  // not always what of `answer` fits into it
  VkFormatProperties3 answer;
} VulkanFormat;

typedef struct VulkanQueueFamily {
  VkQueueFamilyProperties answer;
  const VulkanRow* rows;
  uint32_t row_count;
} VulkanQueueFamily;

// Of `bytes`, or of the device's memory `part` of `parts`.
typedef struct VulkanHeap {
  uint64_t bytes;
  uint32_t part;
  uint32_t parts;
  VkMemoryHeapFlags flags;
} VulkanHeap;

typedef struct VulkanProfile {
  const char* device;           // its name in fixtures/devices
  uint32_t answers_for_others;  // a device without a profile of its own answers as this one
  uint32_t all_is_assumed;      // names apart, nobody recorded it
  uint32_t memory_is_assumed;
  uint32_t buffer_alignment;
  uint32_t exact_sizes;       // what a buffer needs is not rounded up to its alignment
  uint64_t budget_over_free;  // what the budget is above the memory that CUDA calls free
  const VkPhysicalDeviceProperties* properties;
  const VkPhysicalDeviceFeatures* features;
  const VulkanRow* rows;
  uint32_t row_count;
  uint32_t extension_count;
  const VkExtensionProperties* extensions;
  const VulkanFormat* formats;
  uint32_t format_count;
  uint32_t family_count;
  const VulkanQueueFamily* families;
  const VulkanHeap* heaps;
  const VkMemoryType* types;
  uint32_t heap_count;
  uint32_t type_count;
} VulkanProfile;

extern const VulkanProfile gpustage_vulkan_profiles[];
extern const uint32_t gpustage_vulkan_profile_count;

#ifdef __cplusplus
}
#endif
