// Every command that this driver may be asked for.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum VulkanCommandOf { kGlobal, kInstance, kPhysicalDevice, kDevice };

struct VulkanCommand {
  const char* name;
  const char* since;  // "1.1", or the extensions any of which brings it
  void (*function)(void);
  enum VulkanCommandOf of;
};
extern const struct VulkanCommand gpustage_vulkan_commands[];
extern const uint32_t gpustage_vulkan_command_count;

#ifdef __cplusplus
}
#endif
