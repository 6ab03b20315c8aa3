#include "harness/evidence/path/known.h"

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {
namespace {

// The path that a step of a tree makes; "" when it makes none.
std::string MadeBy(const TreeOp& op) {
  if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what)) return placed->path;
  if (const auto* link = std::get_if<SymlinkOp>(&op.what)) return link->path;
  if (const auto* link = std::get_if<HardLinkOp>(&op.what)) return link->path;
  if (const auto* copy = std::get_if<CopyOp>(&op.what)) return copy->path;
  if (const auto* file = std::get_if<WriteFileOp>(&op.what)) return file->path;
  return "";
}

// Without what a later step took away.
std::vector<std::string> LibrariesOf(const Case& c, const RunSpec& spec) {
  std::vector<std::string> paths;
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops) {
      const std::string path = MadeBy(op);
      if (FamilyOfLibrary(BaseNameOf(path)) != Family::kNone &&
          std::find(paths.begin(), paths.end(), path) == paths.end())
        paths.push_back(path);
      if (const auto* removed = std::get_if<RemoveOp>(&op.what))
        std::erase_if(paths, [&](const std::string& known) {
          return known == removed->path || known.starts_with(removed->path + "/");
        });
    }
  return paths;
}

}  // namespace

std::vector<std::string> CandidateLibraries(const Case& c, const RunSpec& spec) {
  std::vector<std::string> found;
  for (const std::string& arg : spec.args)
    if (arg.starts_with('/') && BaseNameOf(arg).find(".so") != std::string::npos)
      found.push_back(LexicallyNormal(arg));
  if (!found.empty()) return found;
  std::vector<const std::vector<TreeOp>*> lists = {&c.tree};
  for (const RunSpec& run : c.runs) lists.push_back(&run.change);
  for (const auto* ops : lists)
    for (const TreeOp& op : *ops)
      if (const std::string path = MadeBy(op);
          IsBackendName(BaseNameOf(path)) &&
          std::find(found.begin(), found.end(), path) == found.end())
        found.push_back(path);
  return found;
}

namespace {

// A link is of the version that its library is of. A link to a link comes after it, or is not
// known.
void AddVersionsOfLinks(const Case& c, const RunSpec& spec, Setting& setting) {
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops)
      if (const auto* link = std::get_if<SymlinkOp>(&op.what)) {
        const std::string to =
            link->to.starts_with('/') ? link->to : ParentOf(link->path) + "/" + link->to;
        const auto known = setting.versions.find(LexicallyNormal(to));
        if (known != setting.versions.end()) setting.versions[link->path] = known->second;
      }
}

}  // namespace

Setting SettingOf(const Case& c, const RunSpec& spec) {
  Setting setting;
  const Machine& machine = c.machine;
  setting.devices = static_cast<int>(machine.devices.size());
  setting.any_device = !machine.devices.empty() || !machine.others.empty();
  setting.others = static_cast<int>(machine.others.size());
  setting.amd = static_cast<int>(
      std::count_if(machine.others.begin(), machine.others.end(),
                    [](const GpuDevice& device) { return device.pci_id.starts_with("1002:"); }));
  setting.kernel_driver = machine.kernel_driver.empty() ? machine.driver : machine.kernel_driver;
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops)
      if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what)) {
        const bool own = placed->machine && std::count(placed->machine->keys.begin(),
                                                       placed->machine->keys.end(), "driver") > 0;
        setting.versions[placed->path] = own ? placed->machine->machine.driver : machine.driver;
        if (!placed->machine || placed->machine->machine.devices.empty()) continue;
        setting.any_device = true;
        setting.own_device = true;
      }
  AddVersionsOfLinks(c, spec, setting);
  setting.libraries = LibrariesOf(c, spec);
  return setting;
}

}  // namespace gpustage
