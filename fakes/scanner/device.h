// A device as the runner reports it and the server judges it (ml/device.go of v0.17.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fakes/scanner/environment.h"

namespace gpustage::ollama {

struct DeviceInfo {
  std::string id;       // "GPU-<uuid>"; a number with some libraries
  std::string library;  // "CUDA"
  std::string name;     // "CUDA0"
  std::string description;
  std::string filter_id;  // the id before renumbering, when that is a number
  bool integrated = false;
  std::string pci_id;
  uint64_t total_memory = 0;
  uint64_t free_memory = 0;
  int compute_major = 0;
  int compute_minor = 0;
  int driver_major = 0;
  int driver_minor = 0;
  std::vector<std::string> library_path;  // OLLAMA_LIBRARY_PATH of the runner that found it

  const std::string& LibDir() const { return library_path.back(); }
  std::string Compute() const;
  std::string Driver() const;
};

enum class Comparison { kUnique, kSameBackend, kDuplicate };
Comparison Compare(const DeviceInfo& a, const DeviceInfo& b);

// A second, deeper start of the runner is due: rocBLAS and the compiled compute capabilities crash
// late.
bool NeedsInitValidation(const DeviceInfo& device);

// Environment of that second start: this device alone, and GGML_CUDA_INIT.
EnvMap ValidationEnvironment(const DeviceInfo& device);

// The body of GET /info. nullopt: `text` is not such a body.
std::string ToJson(const std::vector<DeviceInfo>& devices);
std::optional<std::vector<DeviceInfo>> FromJson(const std::string& text);

// As %+v prints the slice, in the line "runner enumerated devices".
std::string GoText(const std::vector<DeviceInfo>& devices);

}  // namespace gpustage::ollama
