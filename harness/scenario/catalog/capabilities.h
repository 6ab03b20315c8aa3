// fixtures/compute-capabilities.yaml: what a compute capability says of a device that says no more
// itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/machine.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

struct CapabilityRule {
  ComputeCapability from;
  bool only = false;  // that capability alone; otherwise every one from it on
  std::map<int, int> attributes;

  friend bool operator==(const CapabilityRule&, const CapabilityRule&) = default;
};

struct Capabilities {
  std::vector<CapabilityRule> rules;  // a later one wins
  std::map<int, int> assumed;         // for what no rule knows

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

Result<Capabilities> ReadCapabilitiesFile(const std::string& file);

// Gives the device the attributes that it lacks, and notes which of them are assumed.
void FillAttributes(const Capabilities& capabilities, GpuDevice& device);

// "9.0", also the form of CUDA versions.
Result<ComputeCapability> ReadMajorMinor(const YamlNode& node, std::string_view what,
                                         std::string_view example);
Result<ComputeCapability> ReadComputeCapability(const YamlNode& node);
// {1: 1024, …} over what is there: CUdevice_attribute numbers of cuda.h.
Status ReadAttributes(const YamlNode& node, std::map<int, int>& attributes);

}  // namespace gpustage
