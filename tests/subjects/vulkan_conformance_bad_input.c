// Calls that a driver must refuse, answer with less than there is, or bear without a word: names
// that nobody has, rooms that are too small, formats that no image can have, handles that are null.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "vulkan_conformance.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

// The last is within its room and without an end that is a word.
static const char* const kNoNames[] = {
    "",
    "VK_",
    "VK_KHR_maintenance",
    "VK_KHR_maintenance1 ",
    " VK_KHR_maintenance1",
    "vk_khr_maintenance1",
    "VK_KHR_MAINTENANCE1",
    "VK_KHR_maintenance11",
    "VK_KHR_surface",
    "VK_EXT_debug_report",
    "VK_EXT_debug_utils",
    "VK_KHR_get_physical_device_properties2",
    "VK_INTEL_performance_query",
    "VK_QCOM_tile_properties",
    "VK_HUAWEI_subpass_shading",
    "VK_AMD_shader_info",
    "VK_ANDROID_external_memory_android_hardware_buffer",
    "VK_KHR_portability_subset",
    "VK_a_name_of_two_hundred_characters_and_more_that_no_extension_has_and_that_is_longer_than_any"
    "_that_was_ever_given_to_one_by_any_vendor_of_any_graphics_processor_and_still_fits_into_its_"
    "room_of_256"};

static int DeviceWithExtension(int number) {
  VkDevice made = VK_NULL_HANDLE;
  return CreateDevice(kNoNames[number], NULL, NULL, 0, &made);
}

static int InstanceWithExtension(int number) {
  VkInstance made = VK_NULL_HANDLE;
  return CreateInstance(NULL, kNoNames[number], VK_API_VERSION_1_0, &made);
}

static int InstanceWithLayer(int number) {
  VkInstance made = VK_NULL_HANDLE;
  return CreateInstance(kNoNames[number], NULL, VK_API_VERSION_1_0, &made);
}

static int ExtensionsOfLayer(int number) {
  uint32_t count = 0;
  return ASK(vkEnumerateDeviceExtensionProperties)(gpu, kNoNames[number], &count, NULL);
}

// 0: no address. A device is made for those of a device.
static const char* const kNoCommands[] = {"",
                                          "vk",
                                          "vkNone",
                                          "vkcreatedevice",
                                          "vkCreateDevice ",
                                          "vkCreateInstanceKHR",
                                          "cuInit",
                                          "vkEnumeratePhysicalDevicesKHR",
                                          "vkCmdDrawNothing",
                                          "vk_icdGetInstanceProcAddr"};

static int AddressOfInstance(int number) { return get_address(instance, kNoCommands[number]) != 0; }

static int AddressOfDevice(int number) {
  // Commands of the instance, and of extensions that this device has not enabled, are none of its.
  static const char* const kOthers[] = {"vkCreateInstance",
                                        "vkEnumeratePhysicalDevices",
                                        "vkGetPhysicalDeviceProperties",
                                        "vkGetPhysicalDeviceMemoryProperties2",
                                        "vkDestroyInstance",
                                        "vkCreateDevice",
                                        "vkGetMemoryFdKHR",
                                        "vkCmdPushDescriptorSetKHR",
                                        "vkGetCalibratedTimestampsEXT",
                                        "vkCmdBeginTransformFeedbackEXT"};
  VkDevice made = VK_NULL_HANDLE;
  if (CreateDevice(NULL, NULL, NULL, 0, &made) != VK_SUCCESS) return 1000;
  const char* const name =
      number < COUNT(kNoCommands) ? kNoCommands[number] : kOthers[number - COUNT(kNoCommands)];
  return ASK(vkGetDeviceProcAddr)(made, name) != 0;
}

// ---- Rooms that are too small -------------------------------------------------------------------

static int GroupsInRoomFor(int number) {
  VkPhysicalDeviceGroupProperties groups[1] = {
      {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES, NULL, 0, {0}, 0}};
  uint32_t count = (uint32_t)number;
  return ASK(vkEnumeratePhysicalDeviceGroups)(instance, &count, groups);
}

static int ExtensionsInRoomFor(int number) {
  static VkExtensionProperties some[8];
  uint32_t count = (uint32_t)number;
  const int result = ASK(vkEnumerateDeviceExtensionProperties)(gpu, NULL, &count, some);
  return result * 100 + (int)count;
}

static int FamiliesInRoomFor(int number) {
  VkQueueFamilyProperties some[2];
  uint32_t count = (uint32_t)number;
  ASK(vkGetPhysicalDeviceQueueFamilyProperties)(gpu, &count, some);
  return (int)count;
}

// What lies behind the room stays as it is.
static int BehindTheRoom(int number) {
  static VkExtensionProperties some[8];
  memset(some, 0x5a, sizeof(some));
  uint32_t count = (uint32_t)number;
  ASK(vkEnumerateDeviceExtensionProperties)(gpu, NULL, &count, some);
  const char* const behind = (const char*)&some[number];
  for (const char* at = behind; at < (const char*)(some + 8); ++at)
    if (*at != 0x5a) return 1;
  return 0;
}

// ---- Images that cannot be ----------------------------------------------------------------------

typedef struct NoImage {
  VkFormat format;
  VkImageType type;
  VkImageTiling tiling;
  VkImageUsageFlags usage;
  VkImageCreateFlags flags;
} NoImage;

static const NoImage kNoImages[] = {
    {VK_FORMAT_UNDEFINED, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_SAMPLED_BIT, 0},
    {VK_FORMAT_R8_SRGB, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_STORAGE_BIT, 0},
    {VK_FORMAT_R8G8B8_UNORM, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, 0},
    {VK_FORMAT_R64G64B64A64_SFLOAT, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_SAMPLED_BIT, 0},
    {VK_FORMAT_D32_SFLOAT, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, 0},
    {VK_FORMAT_D32_SFLOAT, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_STORAGE_BIT,
     0},
    {VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT, 0},
    {VK_FORMAT_BC1_RGB_UNORM_BLOCK, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, 0},
    {VK_FORMAT_BC7_SRGB_BLOCK, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_STORAGE_BIT, 0},
    {VK_FORMAT_E5B9G9R9_UFLOAT_PACK32, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_STORAGE_BIT, 0},
    {VK_FORMAT_D24_UNORM_S8_UINT, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_STORAGE_BIT, 0},
    {(VK_FORMAT_ASTC_12x12_SRGB_BLOCK + 1), VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
     VK_IMAGE_USAGE_SAMPLED_BIT, 0},
    {(VkFormat)1000, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_SAMPLED_BIT, 0},
    {(VkFormat)0x7ffffffe, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_LINEAR, VK_IMAGE_USAGE_SAMPLED_BIT,
     0}};

static int ImageOf(int number) {
  const NoImage asked = kNoImages[number];
  VkImageFormatProperties answer;
  return ASK(vkGetPhysicalDeviceImageFormatProperties)(gpu, asked.format, asked.type, asked.tiling,
                                                       asked.usage, asked.flags, &answer);
}

// ---- What is on no device -----------------------------------------------------------------------

static VkDevice MakeDevice(void) {
  VkDevice made = VK_NULL_HANDLE;
  CreateDevice(NULL, NULL, NULL, 0, &made);
  return made;
}

static int BufferOf(int number) {
  static const VkDeviceSize kSizes[] = {1ull << 48, 1ull << 56, 1ull << 60, 1ull << 62};
  VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                             NULL,
                             0,
                             kSizes[number],
                             VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                             VK_SHARING_MODE_EXCLUSIVE,
                             0,
                             NULL};
  VkBuffer buffer = VK_NULL_HANDLE;
  return ASK(vkCreateBuffer)(MakeDevice(), &info, NULL, &buffer);
}

// Nothing was submitted, so nothing was ever done.
static int NeverDone(int number) {
  const VkDevice made = MakeDevice();
  VkFenceCreateInfo fence_info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, NULL, 0};
  VkEventCreateInfo event_info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, NULL, 0};
  VkFence fences[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
  VkEvent event = VK_NULL_HANDLE;
  ASK(vkCreateFence)(made, &fence_info, NULL, &fences[0]);
  fence_info.flags = VK_FENCE_CREATE_SIGNALED_BIT;
  ASK(vkCreateFence)(made, &fence_info, NULL, &fences[1]);
  ASK(vkCreateEvent)(made, &event_info, NULL, &event);
  switch (number) {
    case 0: return ASK(vkGetFenceStatus)(made, fences[0]);
    case 1: return ASK(vkGetFenceStatus)(made, fences[1]);
    case 2: return ASK(vkWaitForFences)(made, 1, fences, VK_TRUE, 0);
    case 3: return ASK(vkWaitForFences)(made, 2, fences, VK_TRUE, 1000);
    case 4: return ASK(vkWaitForFences)(made, 2, fences, VK_FALSE, 1000);
    case 5: return ASK(vkGetEventStatus)(made, event);
    case 6: ASK(vkSetEvent)(made, event); return ASK(vkGetEventStatus)(made, event);
    default: ASK(vkResetFences)(made, 2, fences); return ASK(vkGetFenceStatus)(made, fences[1]);
  }
}

// Null is nothing to destroy, of every kind.
static int DestroyNothing(int number) {
  static const char* const kCommands[] = {"vkDestroyFence",
                                          "vkDestroySemaphore",
                                          "vkDestroyEvent",
                                          "vkDestroyQueryPool",
                                          "vkDestroyBuffer",
                                          "vkDestroyBufferView",
                                          "vkDestroyImage",
                                          "vkDestroyImageView",
                                          "vkDestroyShaderModule",
                                          "vkDestroyPipelineCache",
                                          "vkDestroyPipeline",
                                          "vkDestroyPipelineLayout",
                                          "vkDestroySampler",
                                          "vkDestroyFramebuffer",
                                          "vkDestroyDescriptorSetLayout",
                                          "vkDestroyDescriptorPool",
                                          "vkDestroyRenderPass",
                                          "vkDestroyCommandPool",
                                          "vkFreeMemory",
                                          "vkDestroyPrivateDataSlot"};
  if (number >= COUNT(kCommands)) return kNoQuestion;
  const PFN_vkDestroyBuffer destroy = (PFN_vkDestroyBuffer)get_address(instance, kCommands[number]);
  if (destroy == NULL) return 1000;
  destroy(MakeDevice(), VK_NULL_HANDLE, NULL);
  return 0;
}

static void AskEach(const char* what, int from, int to, int (*ask)(int)) {
  for (int i = from; i < to; ++i) Apart(what, i, ask);
}

void AskBadInput(void) {
  AskEach("bad device with extension", 0, COUNT(kNoNames), DeviceWithExtension);
  AskEach("bad instance with extension", 12, COUNT(kNoNames), InstanceWithExtension);
  AskEach("bad instance with layer", 0, 4, InstanceWithLayer);
  AskEach("bad extensions of layer", 1, 5, ExtensionsOfLayer);
  AskEach("bad address of an instance", 0, COUNT(kNoCommands) - 1, AddressOfInstance);
  AskEach("bad address of a device", 0, COUNT(kNoCommands) + 10, AddressOfDevice);
  AskEach("bad groups in room for", 0, 2, GroupsInRoomFor);
  AskEach("bad extensions in room for", 0, 8, ExtensionsInRoomFor);
  AskEach("bad queue families in room for", 0, 2, FamiliesInRoomFor);
  AskEach("bad written behind a room for", 0, 8, BehindTheRoom);
  AskEach("bad image", 0, COUNT(kNoImages), ImageOf);
  AskEach("bad buffer", 0, 4, BufferOf);
  AskEach("bad never done", 0, 8, NeverDone);
  AskEach("bad destroy nothing", 0, 20, DestroyNothing);
}
