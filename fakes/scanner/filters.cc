#include "fakes/scanner/filters.h"

#include <algorithm>

#include "fakes/scanner/paths.h"

namespace gpustage::ollama {
namespace {

using IdsByDirectory = std::map<std::string, std::map<std::string, size_t>>;

// The directory whose devices stay: the highest name when all have the same ids. Otherwise the real
// code looks for another that agrees with all the rest, which cannot be, and is left with the
// lowest name.
std::string KeptDirectory(const IdsByDirectory& by_directory) {
  const auto same_id = [](const auto& a, const auto& b) { return a.first == b.first; };
  const auto& [highest, expected] = *by_directory.rbegin();
  for (const auto& [directory, ids] : by_directory)
    if (!std::equal(ids.begin(), ids.end(), expected.begin(), expected.end(), same_id))
      return by_directory.begin()->first;
  return highest;
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Attributes Details(const DeviceInfo& device) {
  return {{"id", device.id},
          {"library", device.library},
          {"compute", device.Compute()},
          {"name", device.name},
          {"description", device.description},
          {"libdirs", Joined(device.library_path, ",")},
          {"driver", device.Driver()},
          {"pci_id", device.pci_id},
          {"type", device.integrated ? "iGPU" : "discrete"},
          {"total", HumanBytes(device.total_memory)},
          {"available", HumanBytes(device.free_memory)}};
}

}  // namespace

bool SkipDirectory(const std::string& directory, const Log& log) {
  const std::string base = Base(directory);
  const std::string requested = Var("OLLAMA_LLM_LIBRARY");
  const std::string jetpack = Jetpack();
  if (!requested.empty() && base != requested) {
    log.Write(kDebug, "runner.go:98", "skipping available library at user's request",
              {{"requested", requested}, {"libDir", directory}});
    return true;
  }
  if (!jetpack.empty()) return base != "cuda_" + jetpack;
  if (base.find("cuda_jetpack") != std::string::npos) {
    log.Write(
        kDebug, "runner.go:103",
        "jetpack not detected (set JETSON_JETPACK or OLLAMA_LLM_LIBRARY to override), skipping",
        {{"libDir", directory}});
    return true;
  }
  if (!BoolVar("OLLAMA_VULKAN") && base.find("vulkan") != std::string::npos) {
    log.Write(kInfo, "runner.go:106",
              "experimental Vulkan support disabled.  To enable, set OLLAMA_VULKAN=1");
    return true;
  }
  return false;
}

void FilterOverlapByLibrary(const Supported& supported, std::vector<bool>& needs_delete,
                            const Log& log) {
  for (const auto& [library, by_directory] : supported) {
    const std::string kept = KeptDirectory(by_directory);
    for (auto it = by_directory.rbegin(); it != by_directory.rend(); ++it) {
      if (it->first == kept) continue;
      for (const auto& [id, index] : it->second) {
        if (!by_directory.at(kept).contains(id)) continue;
        log.Write(kDebug, "runner.go:401", "filtering device with overlapping libraries",
                  {{"id", id},
                   {"library", it->first},
                   {"delete_index", std::to_string(index)},
                   {"kept_library", kept}});
        needs_delete[index] = true;
      }
    }
  }
}

void DeleteMarked(std::vector<DeviceInfo>& devices, const std::vector<bool>& needs_delete,
                  const Log& log) {
  std::map<std::string, int> next_id;
  std::vector<DeviceInfo> left;
  for (size_t i = 0; i < devices.size(); ++i) {
    DeviceInfo& device = devices[i];
    if (needs_delete[i]) {
      log.Write(kTrace, "runner.go:183", "removing unsupported or overlapping GPU combination",
                {{"libDir", device.LibDir()},
                 {"description", device.description},
                 {"compute", device.Compute()},
                 {"pci_id", device.pci_id}});
      continue;
    }
    const std::string new_id = std::to_string(next_id[device.library]++);
    if (IsNumber(device.id)) {
      log.Write(kDebug, "runner.go:193", "adjusting filtering IDs",
                {{"FilterID", device.id}, {"new_ID", new_id}});
      device.filter_id = device.id;
      device.id = new_id;
    }
    left.push_back(std::move(device));
  }
  devices = std::move(left);
}

void DropDuplicates(std::vector<DeviceInfo>& devices, const Log& log) {
  for (size_t i = 0; i < devices.size(); ++i) {
    for (size_t j = i + 1; j < devices.size();) {
      const Comparison comparison = Compare(devices[i], devices[j]);
      if (comparison == Comparison::kUnique) {
        ++j;
        continue;
      }
      if (comparison == Comparison::kDuplicate) {
        // The first stays if its library is preferred, otherwise the second takes its place.
        if (devices[i].library != "CUDA" && devices[i].library != "ROCm")
          std::swap(devices[i], devices[j]);
        log.Write(kDebug, "runner.go:227", "dropping duplicate device", Details(devices[j]));
      }
      devices.erase(devices.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
}

}  // namespace gpustage::ollama
