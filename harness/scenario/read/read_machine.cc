// machine: of a scenario, of a placed fake and of a fix.
#include <fmt/format.h>

#include <cstdlib>

#include "fakes/world/format.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

constexpr size_t kLongestDriver = 31;  // what fits into fakes/world/format.h

// The CUDA that a driver of a branch brings, from the release notes of the CUDA Toolkit ("CUDA
// Toolkit and corresponding driver versions"); 565 reports 12.7. A branch between two of them has
// that of the older.
struct DriverBranch {
  int branch;
  int cuda;
};
constexpr DriverBranch kBranches[] = {
    {410, 10000}, {418, 10010}, {440, 10020}, {450, 11000}, {455, 11010}, {460, 11020},
    {465, 11030}, {470, 11040}, {495, 11050}, {510, 11060}, {515, 11070}, {520, 11080},
    {525, 12000}, {530, 12010}, {535, 12020}, {545, 12030}, {550, 12040}, {555, 12050},
    {560, 12060}, {565, 12070}, {570, 12080}, {575, 12090}, {580, 13000}, {590, 13010}};

// 0: it is older than all of them, or no version.
int CudaOf(const std::string& driver) {
  int cuda = 0;
  for (const DriverBranch& known : kBranches)
    if (std::atoi(driver.c_str()) >= known.branch) cuda = known.cuda;
  return cuda;
}

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
    TRY(machine.driver, ReadCString(*driver, "a driver version", kLongestDriver));
    if (const int cuda = CudaOf(machine.driver); cuda != 0) machine.cuda_version = cuda;
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
      CudaOf(change.machine.driver) != 0)
    change.keys.emplace_back("cuda");
  return change;
}

}  // namespace gpustage
