// machine: of a scenario, of a placed fake and of a fix.
#include <fmt/format.h>

#include "fakes/world/format.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/model/driver_branch.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

constexpr size_t kLongestDriver = 31;  // what fits into fakes/world/format.h

// A node that a fault has fail is one of this machine's.
Status CheckNodes(const YamlNode* faults, const Machine& machine) {
  for (size_t i = 0; i < machine.faults.size(); ++i) {
    const FaultSpec& fault = machine.faults[i];
    if (fault.kind != FaultKind::kErrno) continue;
    const std::string name = fault.function.substr(std::string_view("/dev/").size());
    const auto [major, minor] = world::DeviceNumberOf(name.c_str());
    const bool control = name == "nvidiactl" || name.starts_with("nvidia-");
    const bool amd = name == "kfd" || name.starts_with("dri/");
    const size_t first = name.starts_with("dri/") ? 128 : 0;
    const size_t have = amd ? machine.others.size() : machine.devices.size();
    if (control || name == "kfd" ? have > 0 : minor >= first && minor - first < have) continue;
    return ErrorAt(*faults->items[i].Find("node"),
                   fmt::format("this machine has {} devices of that driver, and no node {}", have,
                               Quote(fault.function)));
  }
  return Ok();
}

// "570.172.08": numbers and points, as NVML prints it.
Result<std::string> ReadDriver(const YamlNode& node) {
  TRY(const std::string driver, ReadCString(node, "a driver version", kLongestDriver));
  const bool version = driver.find_first_not_of("0123456789.") == std::string::npos &&
                       driver.find('.') != std::string::npos && driver.front() != '.' &&
                       driver.back() != '.';
  if (version) return driver;
  return ErrorAt(
      node, fmt::format("expected a driver version such as 580.159.04, got {}", Describe(node)));
}

}  // namespace

Result<Machine> ReadMachine(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckKeys(node, "a machine",
                {"devices", "driver", "kernel_driver", "cuda", "props_layout", "nodes", "container",
                 "faults"}));
  Machine machine;
  if (const YamlNode* devices = node.Find("devices")) {
    TRY(CheckList(*devices, "devices"));
    for (const YamlNode& device : devices->items) TRY(AddDevices(device, fixtures, machine));
  }
  if (const YamlNode* driver = node.Find("driver")) {
    TRY(machine.driver, ReadDriver(*driver));
    if (const int cuda = CudaOfDriver(machine.driver); cuda != 0) machine.cuda_version = cuda;
  }
  if (const YamlNode* driver = node.Find("kernel_driver")) {
    TRY(machine.kernel_driver, ReadDriver(*driver));
  }
  if (const YamlNode* cuda = node.Find("cuda")) {
    TRY(const ComputeCapability version, ReadMajorMinor(*cuda, "a CUDA version", "12.8"));
    machine.cuda_version = version.major * 1000 + version.minor * 10;
  }
  if (const YamlNode* layout = node.Find("props_layout")) {
    TRY(machine.props_layout, ReadChoice<PropsLayout>(*layout, "props_layout",
                                                      {{"own", PropsLayout::kOwn},
                                                       {"cuda12", PropsLayout::kCuda12},
                                                       {"cuda13", PropsLayout::kCuda13},
                                                       {"naive", PropsLayout::kNaive},
                                                       {"truncated", PropsLayout::kTruncated},
                                                       {"homemade", PropsLayout::kHomemade}}));
  }
  if (const YamlNode* nodes = node.Find("nodes")) {
    TRY(machine.real_nodes,
        ReadChoice<bool>(*nodes, "kind of nodes", {{"files", false}, {"real", true}}));
  }
  if (const YamlNode* container = node.Find("container")) {
    TRY(machine.nvidia_container,
        ReadChoice<bool>(*container, "container", {{"none", false}, {"nvidia", true}}));
  }
  const YamlNode* faults = node.Find("faults");
  if (faults != nullptr) {
    TRY(machine.faults, ReadFaults(*faults, fixtures));
  }
  for (size_t i = 0; i < machine.faults.size(); ++i)
    if (const FaultSpec& fault = machine.faults[i];
        fault.device && node.Find("devices") != nullptr &&
        *fault.device >= static_cast<int>(machine.devices.size() + machine.boards.size()))
      return ErrorAt(*faults->items[i].Find("device"),
                     fmt::format("this machine has {} devices, counted from 0, so this fault meets "
                                 "no call",
                                 machine.devices.size()));
  if (node.Find("devices") != nullptr) TRY(CheckNodes(faults, machine));
  return machine;
}

Result<MachineChange> ReadMachineChange(const YamlNode& node, Fixtures& fixtures) {
  MachineChange change;
  for (const char* key : {"nodes", "container"})
    if (node.Find(key) != nullptr)
      return ErrorAt(*node.Find(key),
                     fmt::format("\"{}\" stands in the machine of the case, which has one", key));
  TRY(change.machine, ReadMachine(node, fixtures));
  for (const YamlEntry& entry : node.entries) change.keys.push_back(entry.key);
  if (node.Find("driver") != nullptr && node.Find("cuda") == nullptr &&
      CudaOfDriver(change.machine.driver) != 0)
    change.keys.emplace_back("cuda");
  return change;
}

}  // namespace gpustage
