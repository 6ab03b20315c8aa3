// The machine of a case as lines that two cases can be told apart by.
#include <fmt/format.h>

#include <map>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/report/case_report.h"
#include "harness/report/detail.h"
#include "harness/report/utf8.h"

namespace gpustage {
namespace {

struct Place {
  std::string what;
  FileMode mode = 0755;
  std::string owner = {};
};

// What the operations of a tree leave.
class Tree {
 public:
  void Apply(const TreeOp& op) {
    std::visit([this](const auto& what) { Do(what); }, op.what);
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const auto& [path, place] : places_) {
      const bool link = place.what.starts_with("link");
      lines.push_back(Utf8(fmt::format("{}  {}{}{}", path, place.what,
                                       link ? "" : fmt::format(" {:04o}", place.mode),
                                       place.owner.empty() ? "" : " " + place.owner)));
    }
    return lines;
  }

 private:
  void Do(const MakeDirOp& op) { places_[op.path] = {"directory", op.mode.value_or(0755)}; }
  void Do(const WriteFileOp& op) {
    constexpr size_t kShown = 120;
    const std::string text = op.content.size() <= kShown
                                 ? Quote(op.content)
                                 : fmt::format("{} bytes, {:016x}", op.content.size(),
                                               std::hash<std::string>{}(op.content));
    places_[op.path] = {"file " + text, op.mode.value_or(0644)};
  }
  void Do(const SymlinkOp& op) { places_[op.path] = {"link -> " + op.to, 0777}; }
  void Do(const HardLinkOp& op) { places_[op.path] = {"the same file as " + op.to, ModeOf(op.to)}; }
  void Do(const CopyOp& op) { places_[op.path] = {"copy of " + op.from, ModeOf(op.from)}; }
  void Do(const ChmodOp& op) { At(op.path).mode = op.mode; }
  void Do(const ChownOp& op) {
    At(op.path).owner = op.user.value_or("") + ":" + op.group.value_or("");
  }
  void Do(const RemoveOp& op) {
    std::erase_if(places_, [&](const auto& item) {
      return item.first == op.path || item.first.starts_with(op.path + "/");
    });
  }
  void Do(const PlaceLibraryOp& op) {
    std::string what = "library " + op.source.name;
    if (!op.broken.empty()) what += fmt::format(", broken in {} ways", op.broken.size());
    if (op.machine) what += ", with a machine of its own";
    places_[op.path] = {what, op.mode.value_or(0755)};
  }
  void Do(const LdconfigOp& op) { places_[op.path] = {"as ldconfig makes it", 0644}; }

  // Of the base system where the tree says nothing of it.
  Place& At(const std::string& path) {
    return places_.try_emplace(path, Place{"there"}).first->second;
  }
  FileMode ModeOf(const std::string& path) const {
    const auto found = places_.find(path);
    return found == places_.end() ? 0755 : found->second.mode;
  }

  std::map<std::string, Place> places_;
};

}  // namespace

std::vector<std::string> TreeLines(const CaseReport& report, const RunReport& run) {
  Tree tree;
  for (const TreeOp& op : report.c.tree) tree.Apply(op);
  for (const RunSpec& spec : report.c.runs) {
    for (const TreeOp& op : spec.change) tree.Apply(op);
    if (spec.name == run.spec.name) break;
  }
  return tree.Lines();
}

std::vector<std::string> MachineLines(const CaseReport& report, const RunReport& run) {
  const Machine& machine = report.c.machine;
  std::vector<std::string> lines;
  int ordinal = 0;
  for (const auto* devices : {&machine.devices, &machine.others})
    for (const GpuDevice& device : *devices)
      lines.push_back(Utf8(fmt::format("device {}  {}, compute capability {}.{}, {} MiB, {}",
                                       ordinal++, device.name, device.cc.major, device.cc.minor,
                                       device.memory_total >> 20, device.pci)));
  lines.push_back(Utf8(fmt::format("driver  {}, CUDA {}.{}", machine.driver,
                                   machine.cuda_version / 1000, machine.cuda_version % 1000 / 10)));
  if (!machine.kernel_driver.empty())
    lines.push_back(Utf8("kernel module  " + machine.kernel_driver));
  if (machine.real_nodes) lines.push_back("nodes  character devices");
  for (const FaultSpec& fault : machine.faults)
    lines.push_back(Utf8(
        fmt::format("fault  {}{}", fault.function.empty() ? "a device is lost" : fault.function,
                    fault.kind == FaultKind::kReturn  ? fmt::format(" returns {}", fault.code)
                    : fault.kind == FaultKind::kErrno ? fmt::format(" refuses with {}", fault.code)
                                                      : "")));
  lines.push_back(Utf8(fmt::format("user  {}", run.spec.user.value_or(report.c.user))));
  return lines;
}

}  // namespace gpustage
