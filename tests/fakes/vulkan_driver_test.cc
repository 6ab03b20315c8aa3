// The Vulkan drivers asked without a loader: what the loader would ask them, what they refuse, and
// whose account memory is on.
#define VK_NO_PROTOTYPES
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vulkan/vulkan_core.h>

#include <cstring>
#include <filesystem>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A driver as the loader has it: everything by name.
class Driver {
 public:
  explicit Driver(const std::string& path)
      : library_(path),
        get_(reinterpret_cast<PFN_vkGetInstanceProcAddr>(
            library_.Find("vk_icdGetInstanceProcAddr"))) {}

  template <typename Function>
  Function Find(const char* name) const {
    return reinterpret_cast<Function>(get_(instance_, name));
  }
  VkResult Negotiate(uint32_t* version) const {
    return reinterpret_cast<VkResult (*)(uint32_t*)>(
        library_.Find("vk_icdNegotiateLoaderICDInterfaceVersion"))(version);
  }
  VkResult Create(std::vector<const char*> extensions = {}, std::vector<const char*> layers = {}) {
    VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    info.enabledLayerCount = static_cast<uint32_t>(layers.size());
    info.ppEnabledLayerNames = layers.data();
    return Find<PFN_vkCreateInstance>("vkCreateInstance")(&info, nullptr, &instance_);
  }
  VkResult Gpus(std::vector<VkPhysicalDevice>& gpus) const {
    const auto enumerate = Find<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
    uint32_t count = 0;
    const VkResult result = enumerate(instance_, &count, nullptr);
    gpus.resize(count);
    return result != VK_SUCCESS ? result : enumerate(instance_, &count, gpus.data());
  }
  VkPhysicalDevice Gpu() {
    std::vector<VkPhysicalDevice> gpus;
    if (instance_ == VK_NULL_HANDLE) Create();
    if (Gpus(gpus) != VK_SUCCESS || gpus.empty()) throw std::runtime_error("no GPU");
    return gpus.front();
  }
  VkResult Device(VkPhysicalDevice gpu, VkDevice* device, std::vector<const char*> extensions = {},
                  const VkPhysicalDeviceFeatures* features = nullptr, uint32_t family = 0) const {
    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    info.pEnabledFeatures = features;
    return Find<PFN_vkCreateDevice>("vkCreateDevice")(gpu, &info, nullptr, device);
  }
  VkInstance instance() const { return instance_; }

 private:
  Library library_;
  PFN_vkGetInstanceProcAddr get_;
  VkInstance instance_ = VK_NULL_HANDLE;
};

class VulkanDriver : public testing::Test {
 protected:
  VulkanDriver() {
    for (const char* needed :
         {"x11", "xext", "egl", "nvidia-glsi", "nvidia-tls", "nvidia-gpucomp", "nvidia-glcore"})
      needs_.push_back(stage_.Place(needed, std::string(needed) + ".so"));
    path_ = stage_.Place("vulkan-nvidia", "libGLX_nvidia.so.0");
    Copy(PlainDevice(0));
  }
  void Copy(world::Device device) {
    strcpy(device.profile, "h200-141gb");
    device.nvml_memory_total = device.memory_total;
    device.attributes[139] = 0x2335 << 16 | 0x10de;
    AddDevice(stage_.machine(), device);
  }
  // `ask` is told the driver and prints what it said.
  std::string Said(const std::function<void(Driver&, std::ostream&)>& ask) {
    const Outcome outcome = stage_.Run([&](std::ostream& out) {
      for (const std::string& path : needs_) Library{path};
      Driver driver(path_);
      ask(driver, out);
    });
    return outcome.said;
  }

  FakeStage stage_;
  std::vector<std::string> needs_;
  std::string path_;
};

TEST_F(VulkanDriver, SpeaksTheInterfaceFromTwoToSeven) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              for (uint32_t asked : {0u, 1u, 2u, 5u, 7u, 8u, 99u}) {
                uint32_t version = asked;
                out << driver.Negotiate(&version) << "/" << version << " ";
              }
            }),
            "-9/0 -9/1 0/2 0/5 0/7 0/7 0/7 ");
}

TEST_F(VulkanDriver, GivesBeforeAnInstanceOnlyWhatNeedsNone) {
  EXPECT_EQ(
      Said([](Driver& driver, std::ostream& out) {
        for (const char* name : {"vkCreateInstance", "vkEnumerateInstanceVersion", "vkCreateDevice",
                                 "vkEnumeratePhysicalDevices", "vkNoSuchCommand"})
          out << (driver.Find<PFN_vkVoidFunction>(name) != nullptr) << " ";
      }),
      "1 1 0 0 0 ");
}

TEST_F(VulkanDriver, RefusesLayersAndExtensionsThatItHasNot) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              out << driver.Create({}, {"VK_LAYER_any"}) << " " << driver.Create({"VK_KHR_any"})
                  << " " << driver.Create({"VK_KHR_get_physical_device_properties2"});
            }),
            "-6 -7 0");
}

TEST_F(VulkanDriver, HasOneIdentityWithCuda) {
  EXPECT_EQ(
      Said([this](Driver& driver, std::ostream& out) {
        VkPhysicalDevicePCIBusInfoPropertiesEXT pci = {
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT};
        VkPhysicalDeviceIDProperties id = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, &pci};
        VkPhysicalDeviceProperties2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &id};
        VkPhysicalDevice const gpu = driver.Gpu();
        driver.Find<PFN_vkGetPhysicalDeviceProperties2>("vkGetPhysicalDeviceProperties2")(gpu,
                                                                                          &all);
        const world::Device& device = stage_.machine().devices[0];
        out << (memcmp(id.deviceUUID, device.uuid, 16) == 0) << " " << pci.pciBus << " "
            << all.properties.deviceName << " " << std::hex << all.properties.vendorID << ":"
            << all.properties.deviceID;
      }),
      "1 1 NVIDIA Test 0 10de:2335");
}

TEST_F(VulkanDriver, LeavesAStructThatItDoesNotKnowAsItWas) {
  EXPECT_EQ(
      Said([](Driver& driver, std::ostream& out) {
        struct {
          VkStructureType type;
          void* next;
          uint32_t value;
        } unknown = {static_cast<VkStructureType>(1234567890), nullptr, 77};
        VkPhysicalDeviceFeatures2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &unknown};
        VkPhysicalDevice const gpu = driver.Gpu();
        driver.Find<PFN_vkGetPhysicalDeviceFeatures2>("vkGetPhysicalDeviceFeatures2")(gpu, &all);
        out << unknown.value << " " << all.features.shaderInt64;
      }),
      "77 1");
}

TEST_F(VulkanDriver, MakesNoDeviceOfWhatTheProfileHasNot) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              VkPhysicalDevice const gpu = driver.Gpu();
              VkDevice device = VK_NULL_HANDLE;
              VkPhysicalDeviceFeatures astc = {};
              astc.textureCompressionASTC_LDR = VK_TRUE;  // false on the recorded H200
              VkPhysicalDeviceFeatures int64 = {};
              int64.shaderInt64 = VK_TRUE;
              out << driver.Device(gpu, &device, {"VK_KHR_no_such"}) << " "
                  << driver.Device(gpu, &device, {}, &astc) << " "
                  << driver.Device(gpu, &device, {}, nullptr, 99) << " "
                  << driver.Device(gpu, &device, {"VK_EXT_memory_budget"}, &int64);
            }),
            "-7 -8 -3 0");
}

TEST_F(VulkanDriver, GivesCommandsOfAnExtensionOnlyWhereItIsEnabled) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              VkPhysicalDevice const gpu = driver.Gpu();
              const auto get = driver.Find<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr");
              VkDevice with = VK_NULL_HANDLE, without = VK_NULL_HANDLE;
              driver.Device(gpu, &with, {"VK_KHR_push_descriptor"});
              driver.Device(gpu, &without);
              for (VkDevice const device : {with, without})
                out << (get(device, "vkCmdPushDescriptorSetKHR") != nullptr)
                    << (get(device, "vkCmdDispatch") != nullptr)
                    << (get(device, "vkEnumeratePhysicalDevices") != nullptr) << " ";
            }),
            "110 010 ");
}

TEST_F(VulkanDriver, KeepsMemoryOnTheAccountOfItsHeap) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              VkPhysicalDevice const gpu = driver.Gpu();
              VkDevice device = VK_NULL_HANDLE;
              driver.Device(gpu, &device);
              const auto allocate = driver.Find<PFN_vkAllocateMemory>("vkAllocateMemory");
              const auto release = driver.Find<PFN_vkFreeMemory>("vkFreeMemory");
              const auto usage = [&] {
                VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
                VkPhysicalDeviceMemoryProperties2 memory = {
                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, &budget};
                driver.Find<PFN_vkGetPhysicalDeviceMemoryProperties2>(
                    "vkGetPhysicalDeviceMemoryProperties2")(gpu, &memory);
                return budget.heapUsage[0] >> 30;
              };
              VkDeviceMemory first = VK_NULL_HANDLE, second = VK_NULL_HANDLE;
              VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr,
                                           60ull << 30, 1};
              out << allocate(device, &info, nullptr, &first) << usage() << " ";
              out << allocate(device, &info, nullptr, &second) << usage()
                  << " ";  // 60 + 60 of 80 GiB
              release(device, first, nullptr);
              out << usage() << " " << allocate(device, &info, nullptr, &second) << usage();
            }),
            "060 -260 0 060");
}

TEST_F(VulkanDriver, MapsOnlyWhatTheHostCanSee) {
  EXPECT_EQ(
      Said([](Driver& driver, std::ostream& out) {
        VkPhysicalDevice const gpu = driver.Gpu();
        VkDevice device = VK_NULL_HANDLE;
        driver.Device(gpu, &device);
        for (uint32_t type : {1u, 2u}) {
          VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, type};
          VkDeviceMemory memory = VK_NULL_HANDLE;
          driver.Find<PFN_vkAllocateMemory>("vkAllocateMemory")(device, &info, nullptr, &memory);
          void* mapped = nullptr;
          out << driver.Find<PFN_vkMapMemory>("vkMapMemory")(device, memory, 0, 4096, 0, &mapped)
              << " ";
          if (mapped != nullptr) memset(mapped, 1, 4096);
        }
      }),
      "-5 0 ");
}

TEST_F(VulkanDriver, RecordsEachCallWithItsDevice) {
  Said([](Driver& driver, std::ostream&) {
    VkDevice device = VK_NULL_HANDLE;
    driver.Device(driver.Gpu(), &device, {"VK_EXT_memory_budget"});
  });
  const std::vector<CallRecord> created = stage_.Calls("vkCreateDevice");
  ASSERT_THAT(created, SizeIs(1));
  EXPECT_EQ(created[0].device, 0);
  EXPECT_EQ(created[0].result, 0);
  EXPECT_THAT(created[0].arguments, HasSubstr("VK_EXT_memory_budget"));
}

TEST_F(VulkanDriver, MeetsTheFaultsOfTheScenario) {
  stage_.AddFault("vkCreateDevice", world::FaultAction::kReturn).code = VK_ERROR_DEVICE_LOST;
  world::Fault& full = stage_.AddFault("", world::FaultAction::kMemoryLeft);
  full.device = 0;
  full.bytes = 1 << 30;
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              VkPhysicalDevice const gpu = driver.Gpu();
              VkDevice device = VK_NULL_HANDLE;
              out << driver.Device(gpu, &device) << " ";
              VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
              VkPhysicalDeviceMemoryProperties2 memory = {
                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, &budget};
              driver.Find<PFN_vkGetPhysicalDeviceMemoryProperties2>(
                  "vkGetPhysicalDeviceMemoryProperties2")(gpu, &memory);
              out << budget.heapBudget[0];
            }),
            "-4 1073741824");
}

TEST_F(VulkanDriver, GivesAsManyOfAListAsThereIsRoomFor) {
  Copy(PlainDevice(1));
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              driver.Create();
              const auto enumerate =
                  driver.Find<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
              VkPhysicalDevice gpus[3] = {};
              for (uint32_t room : {0u, 1u, 2u, 3u}) {
                uint32_t count = room;
                const VkResult result = enumerate(driver.instance(), &count, gpus);
                out << result << "/" << count << " ";
              }
            }),
            "5/0 5/1 0/2 0/2 ");
}

TEST_F(VulkanDriver, HasNoGpuOfAMachineWithoutOne) {
  stage_.machine().device_count = 0;
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              std::vector<VkPhysicalDevice> gpus;
              out << driver.Create() << driver.Gpus(gpus) << gpus.size();
            }),
            "000");
}

// The whole of the work of a program: recorded, submitted, waited for, and nothing computed.
TEST_F(VulkanDriver, AcceptsWorkAndIsDoneAtOnce) {
  EXPECT_EQ(Said([](Driver& driver, std::ostream& out) {
              VkDevice device = VK_NULL_HANDLE;
              driver.Device(driver.Gpu(), &device);
              VkQueue queue = VK_NULL_HANDLE;
              driver.Find<PFN_vkGetDeviceQueue>("vkGetDeviceQueue")(device, 0, 0, &queue);
              VkFence fence = VK_NULL_HANDLE;
              VkFenceCreateInfo fence_info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
              driver.Find<PFN_vkCreateFence>("vkCreateFence")(device, &fence_info, nullptr, &fence);
              const auto status = driver.Find<PFN_vkGetFenceStatus>("vkGetFenceStatus");
              out << status(device, fence) << " ";
              VkSubmitInfo submit = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
              out << driver.Find<PFN_vkQueueSubmit>("vkQueueSubmit")(queue, 1, &submit, fence)
                  << " " << status(device, fence) << " "
                  << driver.Find<PFN_vkWaitForFences>("vkWaitForFences")(device, 1, &fence, VK_TRUE,
                                                                         0);
            }),
            "1 0 0 0");
}

}  // namespace
}  // namespace gpustage::fakes_test
