#include "harness/stage/world_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "fakes/world/format.h"

namespace gpustage {
namespace {

template <size_t N>
Status CopyText(char (&slot)[N], const std::string& text, std::string_view what) {
  if (text.size() >= N)
    return Error{fmt::format("{} is longer than {} bytes: {}", what, N - 1, text)};
  std::memcpy(slot, text.data(), text.size());
  return Ok();
}

Status FillDevice(const GpuDevice& from, world::Device& to) {
  TRY(CopyText(to.name, from.name, "the device's name"));
  TRY(CopyText(to.profile, from.profile, "the device's profile"));
  TRY(CopyText(to.pci_bus_id, from.pci, "the device's PCI address"));
  std::copy(from.uuid.begin(), from.uuid.end(), to.uuid);
  unsigned domain = 0, bus = 0, slot = 0;
  std::sscanf(from.pci.c_str(), "%x:%x:%x", &domain, &bus,
              &slot);  // a malformed one gives what can be read of it
  to.pci_domain = domain;
  to.pci_bus = bus;
  to.pci_device = slot;
  to.cc_major = from.cc.major;
  to.cc_minor = from.cc.minor;
  to.prop_cc_major = from.prop_cc.value_or(from.cc).major;
  to.prop_cc_minor = from.prop_cc.value_or(from.cc).minor;
  to.mig = from.mig_enabled          ? world::Mig::kBoard
           : from.mig_parent.empty() ? world::Mig::kOff
                                     : world::Mig::kSlice;
  to.sm_count = from.sm_count;
  to.integrated = from.integrated ? 1 : 0;
  to.memory_total = from.memory_total;
  to.memory_free = from.memory_free;
  to.nvml_memory_total = from.nvml_memory_total != 0 ? from.nvml_memory_total : from.memory_total;
  std::fill(std::begin(to.attributes), std::end(to.attributes), world::kNoAttribute);
  for (const auto& [number, value] : from.attributes) {
    if (number < 0 || number >= static_cast<int>(world::kMaxAttributes))
      return Error{fmt::format("there is no CUDA device attribute {}", number)};
    to.attributes[number] = value;
    if (from.assumed.attributes.count(number) != 0)
      to.assumed[number / 8] |= static_cast<uint8_t>(1 << number % 8);
  }
  std::fill(std::begin(to.board), std::end(to.board), world::kNoAttribute);
  for (const auto& [figure, value] : from.board) to.board[figure] = value;
  to.no_nvml_memory = from.no_nvml_memory ? 1 : 0;
  if (from.assumed.memory_total) to.assumed_memory |= world::kTotalIsAssumed;
  if (from.assumed.memory_free) to.assumed_memory |= world::kFreeIsAssumed;
  return Ok();
}

Status FillFault(const FaultSpec& from, world::Fault& to) {
  TRY(CopyText(to.function, from.function, "the function's name"));
  TRY(CopyText(to.process_has, from.process_has, "the text for the process"));
  to.device = from.device.value_or(-1);
  to.first_call = static_cast<uint32_t>(from.first_call);
  to.last_call = static_cast<uint32_t>(from.last_call.value_or(0));
  to.action = static_cast<world::FaultAction>(from.kind);
  to.code = from.code;
  to.milliseconds = static_cast<uint32_t>(from.milliseconds);
  to.sticky = from.sticky ? 1 : 0;
  to.from_ms = static_cast<uint32_t>(from.from_ms);
  to.to_ms = static_cast<uint32_t>(from.to_ms.value_or(0));
  to.bytes = from.bytes;
  return Ok();
}

}  // namespace

static_assert(static_cast<int>(FaultKind::kErrno) == static_cast<int>(world::FaultAction::kErrno));
static_assert(static_cast<int>(PropsLayout::kHomemade) ==
              static_cast<int>(world::PropsLayout::kHomemade));

Machine Changed(Machine machine, const MachineChange& change) {
  const Machine& other = change.machine;
  // There is one kernel, whatever a copy of the driver says of itself.
  if (machine.kernel_driver.empty()) machine.kernel_driver = machine.driver;
  for (const std::string& key : change.keys) {
    if (key == "devices")
      machine.devices = other.devices, machine.boards = other.boards, machine.others = other.others;
    if (key == "driver") machine.driver = other.driver;
    if (key == "kernel_driver") machine.kernel_driver = other.kernel_driver;
    if (key == "cuda") machine.cuda_version = other.cuda_version;
    if (key == "props_layout") machine.props_layout = other.props_layout;
    if (key == "faults") machine.faults = other.faults;
  }
  return machine;
}

Result<std::string> WorldFile(const Machine& machine, const std::vector<ComputeCapability>& archs) {
  const size_t count = machine.devices.size() + machine.boards.size() + machine.others.size();
  if (count > world::kMaxDevices)
    return Error{
        fmt::format("a machine holds at most {} devices, not {}", world::kMaxDevices, count)};
  if (machine.faults.size() > world::kMaxFaults)
    return Error{fmt::format("a machine holds at most {} faults, not {}", world::kMaxFaults,
                             machine.faults.size())};
  const auto made = std::make_unique<world::World>();
  world::World& w = *made;
  std::memcpy(w.magic, world::kWorldMagic, sizeof w.magic);
  w.version = world::kWorldVersion;
  w.bytes = sizeof w;
  w.driver_cuda_version = machine.cuda_version;
  w.props_layout = static_cast<world::PropsLayout>(machine.props_layout);
  TRY(CopyText(w.driver_version, machine.driver, "the driver's version"));
  TRY(CopyText(w.kernel_driver, machine.kernel_driver, "the kernel module's version"));
  // A machine without a GPU has no nodes, and its driver finds no device without looking.
  if (!machine.devices.empty() || !machine.boards.empty() || !machine.others.empty())
    TRY(CopyText(w.device_nodes, kDeviceNodes, "the folder of the device nodes"));
  w.real_nodes = machine.real_nodes ? 1 : 0;
  w.device_count = static_cast<uint32_t>(machine.devices.size());
  w.board_count = static_cast<uint32_t>(machine.boards.size());
  w.fault_count = static_cast<uint32_t>(machine.faults.size());
  if (archs.size() > world::kMaxArchs)
    return Error{fmt::format("a library is built for at most {} compute capabilities, not {}",
                             world::kMaxArchs, archs.size())};
  for (const ComputeCapability& arch : archs)
    w.archs[w.arch_count++] = 100 * arch.major + 10 * arch.minor;
  for (size_t i = 0; i < machine.devices.size(); ++i)
    TRY(FillDevice(machine.devices[i], w.devices[i]));
  for (size_t i = 0; i < machine.boards.size(); ++i)
    TRY(FillDevice(machine.boards[i], w.devices[machine.devices.size() + i]));
  w.other_count = static_cast<uint32_t>(machine.others.size());
  for (size_t i = 0; i < machine.others.size(); ++i)
    TRY(FillDevice(machine.others[i],
                   w.devices[machine.devices.size() + machine.boards.size() + i]));
  for (size_t i = 0; i < machine.faults.size(); ++i) TRY(FillFault(machine.faults[i], w.faults[i]));
  return std::string(reinterpret_cast<const char*>(&w), sizeof w);
}

}  // namespace gpustage
