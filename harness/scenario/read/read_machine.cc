// machine: of a scenario, of a placed fake and of a fix.
#include <fmt/format.h>

#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

constexpr size_t kLongestDriver = 31;  // what fits into fakes/world/format.h

}  // namespace

Result<Machine> ReadMachine(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckKeys(node, "a machine",
                {"devices", "driver", "kernel_driver", "cuda", "props_layout", "faults"}));
  Machine machine;
  if (const YamlNode* devices = node.Find("devices")) {
    TRY(CheckList(*devices, "devices"));
    for (const YamlNode& device : devices->items) TRY(AddDevices(device, fixtures, machine));
  }
  if (const YamlNode* driver = node.Find("driver")) {
    TRY(machine.driver, ReadCString(*driver, "a driver version", kLongestDriver));
  }
  if (const YamlNode* driver = node.Find("kernel_driver")) {
    TRY(machine.kernel_driver, ReadCString(*driver, "a driver version", kLongestDriver));
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
  return machine;
}

Result<MachineChange> ReadMachineChange(const YamlNode& node, Fixtures& fixtures) {
  MachineChange change;
  TRY(change.machine, ReadMachine(node, fixtures));
  for (const YamlEntry& entry : node.entries) change.keys.push_back(entry.key);
  return change;
}

}  // namespace gpustage
