#include "harness/diagnose/propose.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/model/users.h"
#include "harness/scenario/read/readers.h"
#include "harness/stage/identity.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// The bits of `wanted` (07) that an entry does not give the user, at the place where the kernel
// looks.
FileMode LackedBits(const FlatEntry& entry, const Identity& user, FileMode wanted) {
  const bool of_group = entry.gid == user.gid || std::find(user.groups.begin(), user.groups.end(),
                                                           entry.gid) != user.groups.end();
  const int shift = entry.uid == user.uid ? 6 : of_group ? 3 : 0;
  return (wanted & ~(entry.mode >> shift)) << shift;
}

class Modes {
 public:
  Modes(const FlatCase& flat, const Identity& user, std::vector<Intervention>& all)
      : tree_(flat.tree), user_(user), all_(all) {}

  // What shut one node of a driver may have shut them all.
  void OpenNodes(const std::vector<Refusal>& refused) {
    static constexpr const char* kNodes[] = {"/dev/nvidia", "/dev/dri/renderD"};
    for (const std::string start : kNodes) {
      const bool any = std::any_of(refused.begin(), refused.end(), [&](const Refusal& refusal) {
        return refusal.path.starts_with(start);
      });
      int shut = 0;
      FileMode lacked = 0;
      for (const auto& [path, entry] : tree_) {
        if (!path.starts_with(start) || entry.kind == FlatEntry::Kind::kAbsent) continue;
        const FileMode bits = LackedBits(entry, user_, 06);
        shut += bits != 0 ? 1 : 0;
        lacked |= bits;
      }
      if (any && shut > 1) Chmod(start + "*", lacked);
    }
  }

  void Propose(const Refusal& refusal) {
    const std::string real = RealPath(tree_, refusal.path);
    for (std::string above = ParentOf(real); above != "/"; above = ParentOf(above)) Add(above, 01);
    Add(real, Wanted(refusal));
  }

 private:
  static FileMode Wanted(const Refusal& refusal) {
    if (refusal.how == EventKind::kLook) return 0;
    if (refusal.how == EventKind::kExec) return 05;
    return refusal.writes ? 06 : 04;
  }

  // A group that is let in already: whoever joins it needs nobody to open anything to all.
  void Join(const std::string& path, const FlatEntry& entry, FileMode bits, FileMode wanted) {
    if (bits > 07 || entry.gid == 0 || (entry.mode >> 3 & wanted) != wanted) return;
    Intervention change;
    change.kind = Kind::kGroup;
    change.subject = path;
    change.value = GroupName(entry.gid);
    change.tier = kRefused;
    all_.push_back(change);
  }

  static std::string GroupName(unsigned gid) {
    for (const KnownGroup& group : kGroups)
      if (group.gid == gid) return std::string(group.name);
    return std::to_string(gid);
  }

  void Add(const std::string& path, FileMode wanted) {
    const auto entry = tree_.find(path);
    if (entry == tree_.end() || entry->second.kind == FlatEntry::Kind::kAbsent) return;
    const FileMode bits = LackedBits(entry->second, user_, wanted);
    if (bits == 0) return;
    Join(path, entry->second, bits, wanted);
    Chmod(path, bits);
  }

  void Chmod(const std::string& path, FileMode bits) {
    Intervention change;
    change.kind = Kind::kChmod;
    change.subject = path;
    change.mode = bits;
    change.tier = kRefused;
    all_.push_back(change);
  }

  const FlatTree& tree_;
  const Identity user_;
  std::vector<Intervention>& all_;
};

// The same change from another reason stays in the place of the first.
std::vector<Intervention> Once(std::vector<Intervention> all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Intervention& a, const Intervention& b) { return a.tier < b.tier; });
  std::vector<Intervention> once;
  for (Intervention& change : all) {
    const bool known = std::any_of(once.begin(), once.end(), [&](Intervention other) {
      other.tier = change.tier;
      return other == change;
    });
    if (!known) once.push_back(std::move(change));
  }
  return once;
}

}  // namespace

Result<ProposalContext> ProposalContext::Read(const Catalog& catalog) {
  TRY(Packages packages, Packages::Read(catalog));
  ProposalContext knowledge{std::move(packages), {}, {}};
  Fixtures fixtures(catalog);
  TRY(const auto* scanners, fixtures.AllScanners());
  for (const auto& [name, scanner] : *scanners)
    if (scanner.missing.empty() && !scanner.given.empty()) knowledge.scanners.push_back(scanner);
  for (const std::string& name : NamesIn(catalog.devices, ".yaml")) {
    TRY(GpuDevice device, ReadDeviceFile(fmt::format("{}/{}.yaml", catalog.devices, name)));
    std::string its_name = device.name;
    knowledge.devices.emplace(std::move(its_name), std::move(device));
  }
  return knowledge;
}

void ProposeModes(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  std::optional<Identity> user = FindUser(flat.c.user);
  if (!user || user->uid == 0) return;
  for (const std::string& group : flat.c.groups)
    if (const auto gid = FindGroup(group)) user->groups.push_back(*gid);
  Modes modes(flat, *user, all);
  modes.OpenNodes(looked.refused);
  for (const Refusal& refusal : looked.refused) modes.Propose(refusal);
}

std::vector<Intervention> Propose(const FlatCase& flat, const SeenByRun& looked,
                                  const ProposalContext& knowledge, std::optional<int64_t> most) {
  std::vector<Intervention> all;
  ProposeModes(flat, looked, all);
  ProposeSearch(flat, looked, knowledge.packages, all);
  ProposeLacks(flat, looked, knowledge.packages, all);
  ProposeLinks(flat, looked, all);
  ProposeOrder(flat, looked, all);
  ProposeInstalls(flat, looked, knowledge.packages, all);
  ProposeStacks(flat, looked, all);
  ProposeBackends(flat, looked, knowledge.packages, all);
  ProposeMasks(flat, looked, most, all);
  ProposeRemovals(flat, looked, most.has_value(), all);
  ProposeEnvironment(flat, looked, all);
  ProposeOverrides(flat, looked, knowledge, all);
  ProposeKernel(flat, looked, all);
  ProposeProgram(flat, looked, all);
  ProposeMachine(flat, looked, knowledge, all);
  return Once(std::move(all));
}

std::vector<Intervention> TowardsHealthy(const std::vector<Intervention>& all, FlatCase flat) {
  static constexpr Kind kKinds[] = {Kind::kUnsetVariable, Kind::kLink,        Kind::kInstall,
                                    Kind::kChmod,         Kind::kAddNode,     Kind::kMakeDirectory,
                                    Kind::kKernelShows,   Kind::kRefreshCache};
  std::vector<Intervention> merged;
  std::set<std::string> subjects;
  for (const Intervention& change : all) {
    const bool back =
        std::find(std::begin(kKinds), std::end(kKinds), change.kind) != std::end(kKinds);
    const bool own = change.number != kNotItsOwn && change.number != kHollow;
    const bool plain = change.kind == Kind::kUnsetVariable && change.tier == kAnything;
    if (!back || !own || plain || change.tier > kAnything || subjects.count(change.subject) != 0)
      continue;
    if (!Apply(change, flat)) continue;
    subjects.insert(change.subject);
    merged.push_back(change);
  }
  return merged;
}

Intervention Change(Intervention::Kind kind, int tier, std::string subject, std::string value) {
  Intervention change;
  change.kind = kind;
  change.tier = tier;
  change.subject = std::move(subject);
  change.value = std::move(value);
  return change;
}

}  // namespace gpustage
