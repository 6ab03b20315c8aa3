// What vulkaninfo lists, as a machine with the drivers that list it (harness/docs/vulkan.md).
#include <fmt/format.h>

#include <algorithm>

#include "harness/import/assemble.h"

namespace gpustage::pasted {
namespace {

constexpr char kLibraries[] = "/usr/lib/x86_64-linux-gnu/";
constexpr char kLayoutVersion[] = "580.159.04";  // fixtures/layouts/nvidia-vulkan.yaml
constexpr char kManifests[] = "/usr/share/vulkan/icd.d/";

// A driver as VkPhysicalDeviceDriverProperties names it. One of mesa-vulkan has its manifest there;
// another's library is of `fake`.
struct VulkanDriver {
  const char *name, *vendor;
  const char *manifest, *library, *fake;
  bool of_layout = false;
};
constexpr VulkanDriver kDrivers[] = {
    {"NVIDIA", "nvidia", "", "", ""},
    {"radv", "amd", "radeon_icd.x86_64.json", "", "", true},
    {"Intel open-source Mesa driver", "intel", "intel_icd.x86_64.json", "", "", true},
    {"llvmpipe", "software", "lvp_icd.x86_64.json", "", "", true},
    {"venus", "virtio", "virtio_icd.x86_64.json", "libvulkan_virtio.so", "vulkan-venus"},
    {"NVK", "nvidia", "nouveau_icd.x86_64.json", "libvulkan_nouveau.so", "vulkan-nvk"},
    {"AMD open-source driver", "amd", "amd_icd64.json", "amdvlk64.so", "vulkan-amdvlk"}};

// By the name of the driver; where a text does not say it, the usual one of the vendor.
const VulkanDriver* DriverOf(const Device& device) {
  for (const VulkanDriver& driver : kDrivers)
    if (device.driver.empty() ? device.vendor == driver.vendor : device.driver == driver.name)
      return &driver;
  return nullptr;
}

class VulkanStage {
 public:
  VulkanStage(const Facts& facts, Machine& machine) : facts_(facts), machine_(machine) {}

  void Read() {
    machine_.layouts.clear();
    // What is asked of CUDA's driver is no matter here.
    std::erase_if(machine_.facts.gaps, [](const capture::Gap& gap) {
      return gap.command.find("nvidia") != std::string::npos;
    });
    if (GpusListed() == 0) machine_.devices.clear();
    machine_.symptom.devices = 0;
    for (const auto& told : facts_.devices)
      if (told.value.api == Lister()) Take(told);
    machine_.symptom.says = fmt::format(
        "Vulkan lists {}{}", Count(GpusListed(), "GPU"),
        machine_.symptom.devices > GpusListed()
            ? " and " + Count(machine_.symptom.devices - GpusListed(), "device") + " of software"
            : "");
    machine_.symptom.reported = true;
    if (machine_.symptom.devices == 0)
      machine_.why.push_back(
          "no driver of Vulkan lists a GPU" +
          (machine_.symptom.from.empty() ? "" : " (" + machine_.symptom.from + ")"));
    if (machine_.layouts.empty()) machine_.layouts.emplace_back("mesa-vulkan");
    LeaveOut();
  }

 private:
  static std::string Count(int count, const char* what) {
    return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), what,
                       count < 2 ? "" : "s");
  }
  // The text that lists them all; JSON is of one GPU.
  std::string Lister() const {
    size_t json = 0, text = 0;
    for (const auto& told : facts_.devices) {
      json += told.value.api == "vulkaninfo --json";
      text += told.value.api == "vulkaninfo";
    }
    return json > text ? "vulkaninfo --json" : "vulkaninfo";
  }
  int GpusListed() const {
    const std::string lister = Lister();
    return static_cast<int>(
        std::count_if(facts_.devices.begin(), facts_.devices.end(), [&](const auto& told) {
          return told.value.api == lister && told.value.vendor != "software";
        }));
  }

  void Take(const Told<Device>& told) {
    ++machine_.symptom.devices;
    machine_.symptom.from = ToString(told.from);
    const VulkanDriver* const driver = DriverOf(told.value);
    if (driver == nullptr) {
      machine_.not_staged = fmt::format(
          "no fake stands for a driver of Vulkan that lists a device "
          "({})",
          ToString(told.from));
      return;
    }
    if (std::find(used_.begin(), used_.end(), driver) != used_.end()) return;
    used_.push_back(driver);
    if (driver->of_layout) return Layout("mesa-vulkan");
    if (*driver->fake == '\0') {
      // Its files carry the version of the layout.
      if (!machine_.driver.empty() && machine_.driver != kLayoutVersion)
        Ask(machine_, "the files of NVIDIA's Vulkan driver " + machine_.driver,
            std::string("no text lists them; those of ") + kLayoutVersion + " stand for them",
            "ls -l /usr/lib/x86_64-linux-gnu/libGLX_nvidia* /usr/share/vulkan/icd.d");
      machine_.driver.clear();
      machine_.kernel_driver.clear();
      Layout("nvidia-vulkan");
      return Layout("x11");
    }
    const std::string library = std::string(kLibraries) + driver->library;
    machine_.more.push_back(
        fmt::format("{{library: {}, fake: {}}}  # {}", library, driver->fake, ToString(told.from)));
    machine_.more.push_back(fmt::format(
        R"({{file: {}{}, content: '{{"ICD": {{"api_version": "1.3.0", "library_path": "{}"}}, )"
        R"("file_format_version": "1.0.0"}}'}})",
        kManifests, driver->manifest, library));
    // The kernel's own driver of an NVIDIA GPU.
    if (std::string(driver->vendor) == "nvidia")
      machine_.more.emplace_back(
          "{file: /dev/dri/renderD128, mode: \"0666\", content: \"gpustage node "
          "dri/renderD128\\n\"}");
  }
  void Layout(const char* name) {
    auto& layouts = machine_.layouts;
    if (std::find(layouts.begin(), layouts.end(), name) == layouts.end())
      layouts.emplace_back(name);
  }
  // Mesa's manifests of drivers that list nothing here.
  void LeaveOut() {
    auto& layouts = machine_.layouts;
    if (std::find(layouts.begin(), layouts.end(), "mesa-vulkan") == layouts.end()) return;
    for (const VulkanDriver& driver : kDrivers)
      if (driver.of_layout && std::find(used_.begin(), used_.end(), &driver) == used_.end())
        machine_.more.push_back(
            fmt::format("{{remove: {}{}}}  # it lists nothing", kManifests, driver.manifest));
  }

  const Facts& facts_;
  Machine& machine_;
  std::vector<const VulkanDriver*> used_;
};

}  // namespace

void StageVulkan(const Facts& facts, Machine& machine) { VulkanStage(facts, machine).Read(); }

}  // namespace gpustage::pasted
