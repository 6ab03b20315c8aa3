#include "harness/stage/device_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fakes/world/format.h"
#include "harness/stage/amd_kernel.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

// A board counts once, however many slices it is cut into.
size_t GpusOf(const Machine& machine) {
  return machine.boards.size() + static_cast<size_t>(std::count_if(
                                     machine.devices.begin(), machine.devices.end(),
                                     [](const GpuDevice& d) { return d.mig_parent.empty(); }));
}

// /dev/nvidia-caps/nvidia-capN. The numbers are /proc/driver/nvidia-caps/mig-minors of the recorded
// H100's machine: 1 and 2 are config and monitor, there in MIG mode or not; then of each of 32 GPUs
// 15 GPU instances, each with 8 compute instances behind it. Modes: that machine's, and 0444 of an
// instance, which the MIG User Guide shows.
struct Capability {
  unsigned number;
  FileMode mode;
};
constexpr unsigned kFirst = 3, kOfInstance = 9, kOfGpu = 15 * kOfInstance;

// As NVML's fake has it: 1 for "… MIG 1g.10gb".
unsigned SlicesIn(const GpuDevice& slice) {
  const size_t at = slice.name.find(" MIG ");
  return at != std::string::npos && at + 5 < slice.name.size() && slice.name[at + 5] >= '1' &&
                 slice.name[at + 5] <= '9'
             ? static_cast<unsigned>(slice.name[at + 5] - '0')
             : 1;
}

// The ids that NVML's fake gives: from 7 on for one slice, from 3 for two, from 1 for more, 0 for
// all.
std::vector<Capability> Capabilities(const Machine& machine) {
  std::vector<Capability> all = {{1, 0400}, {2, 0444}};
  std::set<std::string> gpus;  // their addresses, in the order of their nodes
  for (const auto* devices : {&machine.devices, &machine.boards})
    for (const GpuDevice& device : *devices) gpus.insert(device.pci);
  std::map<std::pair<std::string, unsigned>, unsigned> before;
  for (const GpuDevice& slice : machine.devices) {
    if (slice.mig_parent.empty()) continue;
    const unsigned slices = SlicesIn(slice);
    const unsigned first = slices == 1 ? 7 : slices == 2 ? 3 : slices < 7 ? 1 : 0;
    const unsigned id = first + before[{slice.pci, first}]++;
    const auto gpu = static_cast<unsigned>(std::distance(gpus.begin(), gpus.find(slice.pci)));
    const unsigned node = kFirst + gpu * kOfGpu + id * kOfInstance;
    all.push_back({node, 0444});      // of the GPU instance
    all.push_back({node + 1, 0444});  // of its compute instance 0
  }
  return all;
}

TreeOp NodeOf(const Capability& capability) {
  const std::string name = fmt::format("nvidia-caps/nvidia-cap{}", capability.number);
  return {WriteFileOp{fmt::format("{}/{}", kDeviceNodes, name),
                      fmt::format("{}{}\n", world::kNodeContent, name), capability.mode},
          {}};
}

}  // namespace

std::vector<TreeOp> DeviceNodes(const Machine& machine, const std::vector<TreeOp>& tree) {
  size_t devices = GpusOf(machine);
  for (const TreeOp& op : tree)
    if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
        placed != nullptr && placed->machine)
      devices = std::max(devices, GpusOf(placed->machine->machine));
  std::vector<std::string> names;
  if (devices > 0) names = {"nvidiactl", "nvidia-uvm"};
  if (devices > 0 && machine.real_nodes) names.push_back("nvidia-uvm-tools");
  for (size_t i = 0; i < devices; ++i) names.push_back(fmt::format("nvidia{}", i));
  for (size_t i = 0; i < machine.others.size(); ++i)
    names.push_back(fmt::format("dri/renderD{}", 128 + i));
  std::vector<TreeOp> ops;
  for (const std::string& name : names)
    ops.push_back({WriteFileOp{fmt::format("{}/{}", kDeviceNodes, name),
                               fmt::format("{}{}\n", world::kNodeContent, name), 0666},
                   {}});
  for (TreeOp& op : AmdKernelSide(machine.others)) ops.push_back(std::move(op));
  if (devices > 0 && machine.real_nodes)
    for (const Capability& capability : Capabilities(machine)) ops.push_back(NodeOf(capability));
  return ops;
}

}  // namespace gpustage
