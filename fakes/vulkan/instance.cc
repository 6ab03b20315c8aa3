#include <cstring>

#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

// Those that no window system is needed for. The loader adds its own. VK_KHR_surface makes no
// surface without one, and vulkaninfo crashes where VK_KHR_swapchain is there and it is not.
constexpr VkExtensionProperties kExtensions[] = {
    {"VK_KHR_device_group_creation", 1},           {"VK_KHR_external_fence_capabilities", 1},
    {"VK_KHR_external_memory_capabilities", 1},    {"VK_KHR_external_semaphore_capabilities", 1},
    {"VK_KHR_get_physical_device_properties2", 2}, {"VK_KHR_surface", 25},
};
constexpr uint32_t kExtensionCount = sizeof(kExtensions) / sizeof(kExtensions[0]);

bool IsKnown(const char* extension) {
  for (const VkExtensionProperties& known : kExtensions)
    if (world::Equal(known.extensionName, extension)) return true;
  return false;
}

// Descriptors that NVIDIA's driver keeps open while there is an instance. Recorded: with 16 of them
// for the process, none is left behind the first instance. Assumed: that it needs no more.
constexpr int kKeptDescriptors = 13;
int g_kept[kKeptDescriptors];
int g_instances = 0;

void KeepDescriptors() {
  if (!kIsNvidia || __atomic_fetch_add(&g_instances, 1, __ATOMIC_ACQ_REL) > 0) return;
  constexpr long kCloseOnExec = 02000000;  // EFD_CLOEXEC
  for (int& kept : g_kept)
    kept = static_cast<int>(world::SystemCall(SYS_eventfd2, 0L, kCloseOnExec));
}

void ReturnDescriptors() {
  if (!kIsNvidia || __atomic_sub_fetch(&g_instances, 1, __ATOMIC_ACQ_REL) > 0) return;
  for (const int kept : g_kept)
    if (kept >= 0) world::SystemCall(SYS_close, static_cast<long>(kept));
}

VkResult Create(const VkInstanceCreateInfo& info, VkInstance* out) {
  if (info.enabledLayerCount > 0) return VK_ERROR_LAYER_NOT_PRESENT;
  for (uint32_t i = 0; i < info.enabledExtensionCount; ++i)
    if (!IsKnown(info.ppEnabledExtensionNames[i])) return VK_ERROR_EXTENSION_NOT_PRESENT;
  // NVIDIA's driver makes none where it finds no GPU, so that the loader is left without a driver.
  Gpu gpus[world::kMaxDevices];
  uint32_t count = 0;
  if (kIsNvidia && world::Here().device_count > 0 &&
      (FindGpus(gpus, &count) != VK_SUCCESS || count == 0))
    return VK_ERROR_INITIALIZATION_FAILED;
  auto* const made = New<Instance>();
  if (made == nullptr) return VK_ERROR_OUT_OF_HOST_MEMORY;
  made->loader = kLoaderMagic;
  made->gpu_count = UINT32_MAX;  // nobody has looked yet
  KeepDescriptors();
  *out = reinterpret_cast<VkInstance>(made);
  return VK_SUCCESS;
}

// The kernel is asked once an instance, as late as anybody wants to know. Two threads at once write
// the same.
VkResult Look(Instance& instance) {
  if (__atomic_load_n(&instance.gpu_count, __ATOMIC_ACQUIRE) != UINT32_MAX) return VK_SUCCESS;
  Gpu gpus[world::kMaxDevices];
  uint32_t count = 0;
  const VkResult result = FindGpus(gpus, &count);
  if (result != VK_SUCCESS) return result;
  for (uint32_t i = 0; i < count; ++i) instance.gpus[i] = {kLoaderMagic, gpus[i]};
  __atomic_store_n(&instance.gpu_count, count, __ATOMIC_RELEASE);
  return VK_SUCCESS;
}

VkPhysicalDevice HandleOf(Instance& instance, uint32_t i) {
  return reinterpret_cast<VkPhysicalDevice>(&instance.gpus[i]);
}

}  // namespace

extern "C" {

VkResult vkCreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks*,
                          VkInstance* out) {
  const VkApplicationInfo* const application = info->pApplicationInfo;
  const char* const engine = application == nullptr ? nullptr : application->pEngineName;
  const uint32_t api = application == nullptr ? 0 : application->apiVersion;
  return static_cast<VkResult>(
      Answer(CALL(engine, VK_API_VERSION_MAJOR(api), VK_API_VERSION_MINOR(api)),
             [&] { return Create(*info, out); }));
}

void vkDestroyInstance(VkInstance instance, const VkAllocationCallbacks*) {
  Tell(CALL(), [&] {
    if (instance != nullptr) ReturnDescriptors();
    free(As<Instance>(instance));
  });
}

VkResult vkEnumerateInstanceVersion(uint32_t* version) {
  return static_cast<VkResult>(Answer(CALL(), [&] {
    *version = gpustage_vulkan_profiles[0].properties->apiVersion;
    return VK_SUCCESS;
  }));
}

VkResult vkEnumerateInstanceExtensionProperties(const char* layer, uint32_t* count,
                                                VkExtensionProperties* out) {
  return static_cast<VkResult>(Answer(CALL(), [&] {
    if (layer != nullptr) return VK_ERROR_LAYER_NOT_PRESENT;
    return List(count, out, kExtensionCount,
                [](uint32_t i, VkExtensionProperties& to) { to = kExtensions[i]; });
  }));
}

VkResult vkEnumerateInstanceLayerProperties(uint32_t* count, VkLayerProperties*) {
  return static_cast<VkResult>(Answer(CALL(), [&] {
    *count = 0;
    return VK_SUCCESS;
  }));
}

VkResult vkEnumeratePhysicalDevices(VkInstance handle, uint32_t* count, VkPhysicalDevice* out) {
  return static_cast<VkResult>(Answer(CALL(), [&](world::Call& call) {
    Instance& instance = *As<Instance>(handle);
    const VkResult looked = Look(instance);
    if (looked != VK_SUCCESS) return looked;
    call.Gives(instance.gpu_count);
    return List(count, out, instance.gpu_count,
                [&](uint32_t i, VkPhysicalDevice& to) { to = HandleOf(instance, i); });
  }));
}

// Every GPU is a group of its own.
VkResult vkEnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t* count,
                                         VkPhysicalDeviceGroupProperties* out) {
  return static_cast<VkResult>(Answer(CALL(), [&] {
    Instance& instance = *As<Instance>(handle);
    const VkResult looked = Look(instance);
    if (looked != VK_SUCCESS) return looked;
    return List(count, out, instance.gpu_count,
                [&](uint32_t i, VkPhysicalDeviceGroupProperties& to) {
                  to.physicalDeviceCount = 1;
                  to.physicalDevices[0] = HandleOf(instance, i);
                  to.subsetAllocation = VK_FALSE;
                });
  }));
}

}  // extern "C"
