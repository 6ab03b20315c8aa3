// What the two halves of vulkan_conformance share.
#pragma once
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

extern PFN_vkGetInstanceProcAddr get_address;
extern VkInstance instance;
extern VkPhysicalDevice gpu;

#define ASK(name) ((PFN_##name)get_address(instance, #name))

// Each null where it is not asked for.
VkResult CreateInstance(const char* layer, const char* extension, uint32_t version,
                        VkInstance* made);
VkResult CreateDevice(const char* extension, const void* next,
                      const VkPhysicalDeviceFeatures* features, uint32_t family, VkDevice* made);

// Prints the answer of `ask`, or which signal ended it, from a process of its own that has loaded
// the library, made an instance and found the GPU anew: no driver promises anything to a fork.
enum { kNoQuestion = 1000000 };  // there is nothing to ask, and nothing is printed
int Apart(const char* what, int number, int (*ask)(int));

// Calls that must be refused, come to nothing, or write no more than there is room for.
void AskBadInput(void);
