#include "harness/diagnose/intervention.h"

#include <algorithm>
#include <utility>

#include "harness/base/files.h"
#include "harness/scenario/model/tree_op.h"
#include "harness/stage/identity.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// What ld.so.conf of a plain system says.
constexpr char kUsualSearch[] = "include /etc/ld.so.conf.d/*.conf\n";

bool SetVariable(const std::string& name, const std::optional<std::string>& value, FlatCase& flat) {
  for (EnvVar& variable : flat.c.env)
    if (variable.name == name) {
      if (variable.value == value) return false;
      variable.value = value;
      return true;
    }
  if (!value) return false;
  flat.c.env.push_back({name, value, {}});
  std::sort(flat.c.env.begin(), flat.c.env.end(),
            [](const EnvVar& a, const EnvVar& b) { return a.name < b.name; });
  return true;
}

bool Put(const std::string& path, FlatEntry entry, FlatTree& tree) {
  const auto there = tree.find(path);
  if (there != tree.end()) entry.replaces = there->second.replaces;
  if (there != tree.end() && there->second == entry) return false;
  ErasePath(tree, path);
  tree[path] = std::move(entry);
  return true;
}

bool Copy(const std::string& from, const std::string& to, FlatTree& tree) {
  const auto source = tree.find(RealPath(tree, from));
  if (source == tree.end()) return false;
  FlatEntry entry = source->second;
  entry.same_as.clear();
  entry.replaces = false;
  return Put(to, std::move(entry), tree);
}

bool Remove(const std::string& path, FlatTree& tree) {
  const auto there = tree.find(path);
  // A plain system has every node of its devices.
  const bool plain_node = there == tree.end() && path.starts_with("/dev/");
  if (!plain_node && !HasPath(tree, path)) return false;
  const bool replaces = plain_node || there->second.replaces;
  // Another name of the same file keeps it.
  std::string heir;
  if (there != tree.end() && there->second.same_as.empty())
    for (auto& [other, entry] : tree)
      if (entry.same_as == path) {
        entry.same_as = heir;
        if (heir.empty()) heir = other;
      }
  ErasePath(tree, path);
  if (replaces) tree[path].kind = FlatEntry::Kind::kAbsent;
  return true;
}

bool PutAll(const FlatTree& entries, FlatTree& tree) {
  bool any = false;
  for (const auto& [path, entry] : entries) any = Put(path, entry, tree) || any;
  return any;
}

// A path, or all that start as it does.
bool IsOf(const std::string& subject, const std::string& path) {
  return subject.ends_with('*') ? path.starts_with(subject.substr(0, subject.size() - 1))
                                : path == subject;
}

// What a plain system has and this machine has not.
bool IsLackingNode(const FlatTree::value_type& item, const std::string& subject) {
  return item.second.kind == FlatEntry::Kind::kAbsent && IsOf(subject, item.first);
}

int NodesOf(const std::string& subject, const FlatTree& tree) {
  return static_cast<int>(std::count_if(
      tree.begin(), tree.end(), [&](const auto& item) { return IsLackingNode(item, subject); }));
}

bool AddNodes(const std::string& subject, FlatTree& tree) {
  return std::erase_if(tree, [&](const auto& item) { return IsLackingNode(item, subject); }) != 0;
}

bool JoinGroup(const std::string& group, FlatCase& flat) {
  std::vector<std::string>& groups = flat.c.groups;
  if (std::find(groups.begin(), groups.end(), group) != groups.end()) return false;
  groups.push_back(group);
  std::sort(groups.begin(), groups.end());
  return true;
}

// Only its program: what the release has beside it is in the tree.
bool UseScanner(const ScannerSpec& other, FlatCase& flat) {
  ScannerSpec& scanner = flat.c.runs.front().scanner;
  if (scanner.version == other.version) return false;
  ScannerSpec used = other;
  used.env.clear();
  used.release.clear();
  used.stand_ins.clear();
  scanner = std::move(used);
  return true;
}

int LackingBits(const Intervention& change, const FlatTree& tree) {
  return static_cast<int>(std::count_if(tree.begin(), tree.end(), [&](const auto& item) {
    return IsOf(change.subject, item.first) && item.second.kind != FlatEntry::Kind::kAbsent &&
           (item.second.mode & change.mode) != change.mode;
  }));
}

bool Chmod(const Intervention& change, FlatTree& tree) {
  if (LackingBits(change, tree) == 0) return false;
  for (auto& [path, entry] : tree)
    if (IsOf(change.subject, path) && entry.kind != FlatEntry::Kind::kAbsent)
      entry.mode |= change.mode;
  return true;
}

// As it is on a plain system with these devices.
bool ShowAgain(const std::string& path, FlatTree& tree) {
  const size_t before = tree.size();
  ErasePath(tree, path);
  return tree.size() != before;
}

bool LoadModule(const std::string& module, FlatTree& tree) {
  return std::erase_if(tree, [&](const auto& item) {
           return item.second.kind == FlatEntry::Kind::kAbsent && IsMadeBy(module, item.first);
         }) != 0;
}

bool SetText(const std::string& path, const std::string& text, FlatTree& tree) {
  const auto there = tree.find(path);
  if (there == tree.end() || there->second.text == text) return false;
  there->second.text = text;
  return true;
}

// ldconfig runs, and makes it of what there is.
bool RefreshCache(FlatTree& tree) { return tree.erase(kLoaderCache) != 0; }

bool PutFirstInSearch(const Intervention& change, FlatTree& tree) {
  const auto there = tree.find(change.subject);
  const bool has_text = there != tree.end() && there->second.kind == FlatEntry::Kind::kFile;
  FlatEntry entry;
  entry.mode = 0644;
  entry.text = change.value + "\n" + (has_text ? there->second.text : kUsualSearch);
  RefreshCache(tree);
  return Put(change.subject, std::move(entry), tree);
}

bool Chown(const Intervention& change, FlatTree& tree) {
  const auto there = tree.find(change.subject);
  const std::optional<Identity> user = FindUser(change.value);
  if (there == tree.end() || !user || there->second.uid == user->uid) return false;
  there->second.uid = user->uid;
  return true;
}

bool ApplyToTree(const Intervention& change, FlatTree& tree) {
  FlatEntry entry;
  switch (change.kind) {
    case Kind::kLink:
      entry.kind = FlatEntry::Kind::kLink;
      entry.mode = 0777;
      entry.text = change.value;
      return Put(change.subject, std::move(entry), tree);
    case Kind::kCopy: return Copy(change.value, change.subject, tree);
    case Kind::kInstall: return Put(change.subject, change.entry, tree);
    case Kind::kInstallAll: return PutAll(change.entries, tree);
    case Kind::kSearch: return PutFirstInSearch(change, tree);
    case Kind::kRefreshCache: return RefreshCache(tree);
    case Kind::kChown: return Chown(change, tree);
    case Kind::kRemove: return Remove(change.subject, tree);
    case Kind::kMakeDirectory:
      entry.kind = FlatEntry::Kind::kDirectory;
      entry.mode = 01777;
      return !HasPath(tree, change.subject) && Put(change.subject, std::move(entry), tree);
    case Kind::kChmod: return Chmod(change, tree);
    case Kind::kAddNode: return AddNodes(change.subject, tree);
    case Kind::kKernelShows: return ShowAgain(change.subject, tree);
    case Kind::kLoadModule: return LoadModule(change.subject, tree);
    case Kind::kDropEntry: return SetText(change.subject, change.value, tree);
    default: return false;
  }
}

bool ApplyToMachine(const Intervention& change, Machine& machine) {
  const size_t number = static_cast<size_t>(change.number);
  switch (change.kind) {
    case Kind::kDriverVersion: {
      const bool other = !machine.kernel_driver.empty() && machine.kernel_driver != machine.driver;
      machine.kernel_driver.clear();
      return other;
    }
    case Kind::kCudaVersion: {
      const int wanted = change.number != 0 ? change.number : Machine().cuda_version;
      const bool other =
          change.number != 0 ? machine.cuda_version != wanted : machine.cuda_version < wanted;
      machine.cuda_version = wanted;
      return other;
    }
    case Kind::kLayout: {
      const auto wanted = static_cast<PropsLayout>(change.number);
      return std::exchange(machine.props_layout, wanted) != wanted;
    }
    case Kind::kWholeBoard: {
      if (number >= machine.boards.size()) return false;
      machine.devices.push_back(machine.boards[number]);
      machine.devices.back().mig_enabled = false;
      machine.boards.erase(machine.boards.begin() + change.number);
      return true;
    }
    case Kind::kDeviceAnswers: {
      if (number >= machine.devices.size() || !change.device) return false;
      GpuDevice answers = *change.device;
      GpuDevice& device = machine.devices[number];
      answers.profile.clear();
      answers.uuid = device.uuid;
      answers.pci = device.pci;
      const bool other = device != answers;
      device = answers;
      return other;
    }
    case Kind::kDropFault:
      if (number >= machine.faults.size()) return false;
      machine.faults[number] = {};  // a place that is empty, so that the numbers of others stay
      machine.faults[number].function = "none";
      return true;
    default: return false;
  }
}

}  // namespace

bool IsOfMachine(const Intervention& change) { return change.kind >= Kind::kDriverVersion; }

bool CanBeDone(const Intervention& change) {
  return change.kind != Kind::kKernelShows && change.kind != Kind::kDeviceAnswers &&
         change.kind != Kind::kLayout && change.kind != Kind::kDropFault;
}

bool Apply(const Intervention& change, FlatCase& flat) {
  switch (change.kind) {
    case Kind::kDropEntry:
      if (change.subject.starts_with('/')) break;
      return SetVariable(change.subject, change.value, flat);
    case Kind::kSetVariable: return SetVariable(change.subject, change.value, flat);
    case Kind::kUnsetVariable: return SetVariable(change.subject, std::nullopt, flat);
    case Kind::kUser: {
      const bool other = flat.c.user != change.value;
      flat.c.user = change.value;
      return other;
    }
    case Kind::kGroup: return JoinGroup(change.value, flat);
    case Kind::kScanner: return change.scanner && UseScanner(*change.scanner, flat);
    default: break;
  }
  return IsOfMachine(change) ? ApplyToMachine(change, flat.c.machine)
                             : ApplyToTree(change, flat.tree);
}

int SizeOf(const Intervention& change, const FlatCase& flat) {
  if (change.kind == Kind::kInstallAll) return static_cast<int>(change.entries.size());
  if (change.kind == Kind::kAddNode) return std::max(1, NodesOf(change.subject, flat.tree));
  if (change.kind == Kind::kChmod) return std::max(1, LackingBits(change, flat.tree));
  if (change.kind != Kind::kLink && change.kind != Kind::kCopy && change.kind != Kind::kInstall)
    return 1;
  // A directory goes before something else can have its name.
  const auto there = flat.tree.find(change.subject);
  const bool directory = there == flat.tree.end()
                             ? HasPath(flat.tree, change.subject)
                             : there->second.kind == FlatEntry::Kind::kDirectory;
  return directory ? 2 : 1;
}

}  // namespace gpustage
