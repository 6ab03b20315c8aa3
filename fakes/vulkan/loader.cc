// What the loader asks of a driver: the version of their interface, and the address of each
// command.
#include <dlfcn.h>

#include <cstring>

#include "fakes/vulkan/commands.h"
#include "fakes/vulkan/objects.h"
#include "fakes/world/stub.h"

// The name that every glibc since 2.2.5 has, so that the fake loads where the real library does.
#if defined(__x86_64__)
asm(".symver dlopen,dlopen@GLIBC_2.2.5");
#endif

// A negative VkResult, as every library here has one.
extern "C" int32_t gpustage_vulkan_stub(const char* name) {
  using namespace gpustage::world;
  // What a command buffer records is accepted and never run; what is destroyed is gone.
  const bool accepted = strncmp(name, "vkCmd", 5) == 0 || strncmp(name, "vkDestroy", 9) == 0;
  if (!accepted) return gpustage_stub(name);
  return Answer(Call(name, "").Trust(Fidelity::kFixed), [] { return 0; });
}

namespace gpustage::world {
const int32_t kNotSupported = VK_ERROR_FEATURE_NOT_PRESENT;
const int32_t kDeviceLost = VK_ERROR_DEVICE_LOST;
}  // namespace gpustage::world

namespace gpustage::vulkan {
namespace {

constexpr uint32_t kOldestInterface = 2;
constexpr uint32_t kNewestInterface = 7;

using Function = PFN_vkVoidFunction;

const VulkanCommand* Find(const char* name) {
  for (uint32_t i = 0; i < gpustage_vulkan_command_count; ++i)
    if (world::Equal(gpustage_vulkan_commands[i].name, name)) return &gpustage_vulkan_commands[i];
  return nullptr;
}

// Only what is missing is worth a record: a loader asks for hundreds.
Function Found(const char* by, const char* name, const VulkanCommand* command) {
  if (command != nullptr) return command->function;
  world::Call call(by, "name", name);
  int32_t code = 0;
  (void)call.Begin(&code);
  call.End(0);
  return nullptr;
}

// NVIDIA's driver opens GLVND's EGL when it is first asked, and has no command without it: recorded
// on an H200 (h200-dead-nodes-and-no-egl.txt). Threads that race here open it twice.
bool HasEgl() {
  static int there = -1;
  if (!kIsNvidia) return true;
  int known = __atomic_load_n(&there, __ATOMIC_ACQUIRE);
  if (known < 0) {
    known = dlopen("libEGL.so.1", RTLD_NOW) != nullptr ? 1 : 0;
    __atomic_store_n(&there, known, __ATOMIC_RELEASE);
  }
  return known != 0;
}

bool IsEnabled(const Device& device, const char* name, size_t length) {
  world::Text<VK_MAX_EXTENSION_NAME_SIZE> extension;
  extension.Add(name, length);
  uint32_t at = 0;
  return HasExtension(device.parent->gpu, extension.c_str(), &at) && device.enabled[at] != 0;
}

bool IsThere(const VulkanCommand& command, const Device& device) {
  if (command.of != kDevice) return false;
  if (command.since[0] == '1') return true;
  for (const char* name = command.since; *name != '\0';) {
    const size_t length = strcspn(name, " ");
    if (IsEnabled(device, name, length)) return true;
    name += length + (name[length] == ' ' ? 1 : 0);
  }
  return false;
}

}  // namespace
}  // namespace gpustage::vulkan

using namespace gpustage::vulkan;

extern "C" {

VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  return static_cast<VkResult>(Answer(CALL(*version), [&] {
    if (!HasEgl()) return VK_ERROR_INITIALIZATION_FAILED;
    if (*version < kOldestInterface) return VK_ERROR_INCOMPATIBLE_DRIVER;
    if (*version > kNewestInterface) *version = kNewestInterface;
    return VK_SUCCESS;
  }));
}

Function vk_icdGetInstanceProcAddr(VkInstance instance, const char* name) {
  const VulkanCommand* command = Find(name);
  if (instance == nullptr && command != nullptr && command->of != kGlobal) command = nullptr;
  if (instance == nullptr && !HasEgl()) command = nullptr;
  return Found(__func__, name, command);
}

Function vk_icdGetPhysicalDeviceProcAddr(VkInstance, const char* name) {
  const VulkanCommand* const command = Find(name);
  // A null answer tells the loader that a command is no physical device's: nothing is missing.
  return command != nullptr && command->of == kPhysicalDevice ? command->function : nullptr;
}

Function vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  return vk_icdGetInstanceProcAddr(instance, name);
}

Function vkGetDeviceProcAddr(VkDevice device, const char* name) {
  const VulkanCommand* const command = Find(name);
  return command != nullptr && IsThere(*command, *As<Device>(device)) ? command->function : nullptr;
}

}  // extern "C"
