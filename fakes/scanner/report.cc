#include "fakes/scanner/report.h"

#include <algorithm>
#include <fstream>

#include "fakes/scanner/paths.h"
#include "fakes/scanner/release.h"

namespace gpustage::ollama {
namespace {

struct Memory {
  unsigned long long total = 0;
  unsigned long long free = 0;
};

// /proc/meminfo, then the limits of the control group where there are any ("max" is none).
Memory CpuMemory() {
  Memory memory;
  std::ifstream meminfo("/proc/meminfo");
  std::string name, unit;
  for (unsigned long long kib; meminfo >> name >> kib;) {
    std::getline(meminfo, unit);
    if (name == "MemTotal:") memory.total = kib * 1024;
    if (name == "MemAvailable:") memory.free = kib * 1024;
  }
  unsigned long long bytes = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> bytes) memory.total = bytes;
  if (std::ifstream("/sys/fs/cgroup/memory.current") >> bytes) memory.free = memory.total - bytes;
  return memory;
}

// Base names of those directories that are Ollama's.
std::string LibDirs(const DeviceInfo& device) {
  std::vector<std::string> names;
  for (const std::string& dir : device.library_path)
    if (dir.find("lib/ollama") != std::string::npos) names.push_back(Base(dir));
  return Joined(names, ",");
}

void ReportDevice(const DeviceInfo& device, const Log& log) {
  log.Write(kInfo, "types.go:42", "inference compute",
            {{"id", device.id},
             {"filter_id", device.filter_id},
             {"library", device.library},
             {"compute", device.Compute()},
             {"name", device.name},
             {"description", device.description},
             {"libdirs", LibDirs(device)},
             {"driver", device.Driver()},
             {"pci_id", device.pci_id},
             {"type", device.integrated ? "iGPU" : "discrete"},
             {"total", HumanBytes(device.total_memory)},
             {"available", HumanBytes(device.free_memory)}});
}

// A constant but for the memory: its empty pci_id says nothing about any GPU.
void ReportCpu(const Log& log) {
  const Memory memory = CpuMemory();
  log.Write(kInfo, "types.go:60", "inference compute",
            {{"id", "cpu"},
             {"library", "cpu"},
             {"compute", ""},
             {"name", "cpu"},
             {"description", "cpu"},
             {"libdirs", "ollama"},
             {"driver", ""},
             {"pci_id", ""},
             {"type", ""},
             {"total", HumanBytes(memory.total)},
             {"available", HumanBytes(memory.free)}});
}

}  // namespace

void WarnOfOverrides(const Log& log) {
  bool any = false;
  for (const char* name :
       {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
        "GGML_VK_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HSA_OVERRIDE_GFX_VERSION"}) {
    const std::string value = Var(name);
    if (value.empty()) continue;
    log.Write(kWarn, "runner.go:485", "user overrode visible devices", {{name, value}});
    any = true;
  }
  if (any)
    log.Write(kWarn, "runner.go:489", "if GPUs are not correctly discovered, unset and try again");
}

void ReportDevices(std::vector<DeviceInfo> devices, const Log& log) {
  std::stable_sort(devices.begin(), devices.end(), [](const DeviceInfo& a, const DeviceInfo& b) {
    return a.integrated != b.integrated ? b.integrated : a.free_memory > b.free_memory;
  });
  unsigned long long vram = 0;
  for (const DeviceInfo& device : devices) {
    ReportDevice(device, log);
    vram += device.total_memory - GpuOverhead();
  }
  if (devices.empty()) ReportCpu(log);
  constexpr unsigned long long kGibi = 1ULL << 30;
  if (IsRelease013()) {
    if (vram < 20 * kGibi)
      log.Write(kInfo, "routes.go:1648", "entering low vram mode",
                {{"total vram", HumanBytes(vram)}, {"threshold", HumanBytes(20 * kGibi)}});
    return;
  }
  const char* context = vram >= 47 * kGibi ? "262144" : vram >= 23 * kGibi ? "32768" : "4096";
  log.Write(kInfo, "routes.go:1768", "vram-based default context",
            {{"total_vram", HumanBytes(vram)}, {"default_num_ctx", context}});
}

std::string GoText(const Supported& supported) {
  EnvMap by_library;
  for (const auto& [library, by_directory] : supported) {
    EnvMap directories;
    for (const auto& [directory, ids] : by_directory) {
      EnvMap indices;
      for (const auto& [id, index] : ids) indices[id] = std::to_string(index);
      directories[directory] = GoText(indices);
    }
    by_library[library] = GoText(directories);
  }
  return GoText(by_library);
}

}  // namespace gpustage::ollama
