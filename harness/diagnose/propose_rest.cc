// Changes of the environment, of the user and of the machine.
#include <algorithm>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

bool Hides(const std::string& name) {
  return name == "LD_PRELOAD" || name == "LD_AUDIT" || name.ends_with("VISIBLE_DEVICES") ||
         name == "GPU_DEVICE_ORDINAL";
}

// What every program is started with.
bool IsPlain(const std::string& name) { return name == "PATH" || name == "HOME" || name == "LANG"; }

// By which the fake machine is told what it is: no machine has one, so none is a cause.
bool IsOfHarness(const std::string& name) { return name.starts_with("GPUSTAGE_"); }

std::vector<std::string> Split(const std::string& list, const char* separators) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find_first_of(separators, start), list.size());
    if (end > start) parts.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts, size_t without, char separator) {
  std::string list;
  for (size_t i = 0; i < parts.size(); ++i)
    if (i != without) list += (list.empty() ? "" : std::string(1, separator)) + parts[i];
  return list;
}

// A list of directories, of libraries, or of devices, without one of its entries.
void ProposeEntries(const EnvVar& variable, int tier, std::vector<Intervention>& all) {
  constexpr size_t kMost = 16;
  const bool preloads = variable.name == "LD_PRELOAD";
  const bool paths = variable.name.ends_with("PATH") && !IsPlain(variable.name);
  if (!preloads && !paths && !Hides(variable.name)) return;
  const char* const separators = preloads ? ": " : paths ? ":" : ",";
  const std::vector<std::string> parts = Split(*variable.value, separators);
  if (parts.size() < 2) return;
  for (size_t i = 0; i < parts.size() && i < kMost; ++i)
    all.push_back(Change(Kind::kDropEntry, tier, variable.name, Join(parts, i, *separators)));
}

// A variable that names a directory by its last name could name another.
void ProposeNames(const EnvVar& variable, const FlatCase& flat, std::vector<Intervention>& all) {
  std::vector<std::string> names;
  for (const auto& [path, entry] : flat.tree) {
    const bool library = BaseNameOf(path).find(".so") != std::string::npos;
    const std::string directory = library ? ParentOf(path) : path;
    if (entry.kind == FlatEntry::Kind::kAbsent) continue;
    const std::string name = BaseNameOf(directory);
    const bool kin = name.substr(0, name.find_first_of("_.-")) ==
                     variable.value->substr(0, variable.value->find_first_of("_.-"));
    if (kin && name != *variable.value &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  for (const std::string& name : names)
    all.push_back(Change(Kind::kSetVariable, kVariable, variable.name, name));
}

// A path that the environment names and that is not there.
void ProposeNamedPaths(const FlatCase& flat, const SeenByRun& looked,
                       std::vector<Intervention>& all) {
  for (const EnvVar& variable : flat.c.env)
    if (variable.value && variable.value->starts_with('/') && !IsPlain(variable.name))
      for (const std::string& path : looked.missing)
        if (path == *variable.value || ParentOf(path) == *variable.value)
          all.push_back(Change(Kind::kMakeDirectory, kVariable, *variable.value));
}

// What the loader loads before everything else, of whichever program.
void ProposePreloads(const FlatCase& flat, std::vector<Intervention>& all) {
  static constexpr char kPreload[] = "/etc/ld.so.preload";
  const auto file = flat.tree.find(kPreload);
  if (file == flat.tree.end() || file->second.kind != FlatEntry::Kind::kFile) return;
  const std::vector<std::string> entries = Split(file->second.text, " \t\n:");
  for (size_t i = 0; entries.size() > 1 && i < entries.size(); ++i) {
    std::string left;
    for (size_t k = 0; k < entries.size(); ++k)
      if (k != i) left += entries[k] + '\n';
    all.push_back(Change(Kind::kDropEntry, kMask, kPreload, left));
  }
  all.push_back(Change(Kind::kRemove, kMask, kPreload));
}

// What a driver makes all at once comes back all at once.
void ProposeNodes(const FlatCase& flat, std::vector<Intervention>& all) {
  static constexpr char kAllOfNvidia[] = "/dev/nvidia*";
  int of_nvidia = 0;
  for (const auto& [path, entry] : flat.tree) {
    if (entry.kind != FlatEntry::Kind::kAbsent || !path.starts_with("/dev/")) continue;
    all.push_back(Change(Kind::kAddNode, kRefused, path));
    of_nvidia += path.starts_with("/dev/nvidia") ? 1 : 0;
  }
  if (of_nvidia > 1) all.push_back(Change(Kind::kAddNode, kRefused, kAllOfNvidia));
}

}  // namespace

void ProposeEnvironment(const FlatCase& flat, const SeenByRun& looked,
                        std::vector<Intervention>& all) {
  for (const EnvVar& variable : flat.c.env) {
    if (!variable.value || IsOfHarness(variable.name)) continue;
    const bool named = IsNamed(looked.loss, flat.tree, variable.name);
    const int tier = Hides(variable.name) || named ? kMask
                     : IsPlain(variable.name)      ? kAnything
                                                   : kVariable;
    ProposeEntries(variable, tier, all);
    all.push_back(Change(Kind::kUnsetVariable, tier, variable.name));
    if (!IsPlain(variable.name) && !variable.value->empty() &&
        variable.value->find('/') == std::string::npos)
      ProposeNames(variable, flat, all);
  }
  ProposeNamedPaths(flat, looked, all);
  if (flat.c.user != "root" && flat.c.user != "0")
    all.push_back(Change(Kind::kUser, kUserTier, "user", "root"));
  ProposePreloads(flat, all);
  ProposeNodes(flat, all);
}

void ProposeMachine(const FlatCase& flat, const SeenByRun& looked, const ProposalContext& knowledge,
                    std::vector<Intervention>& all) {
  const Machine& machine = flat.c.machine;
  all.push_back(Change(Kind::kDriverVersion, kDriverTier, "kernel module"));
  const ScannerSpec& scanner = flat.c.runs.front().scanner;
  for (const ScannerSpec& other : knowledge.scanners) {
    if (other.given != scanner.given || other.version == scanner.version) continue;
    Intervention change = Change(Kind::kScanner, kScannerVersion, other.given, other.version);
    change.scanner = other;
    all.push_back(std::move(change));
  }
  for (size_t i = 0; i < machine.boards.size(); ++i) {
    const bool cut = std::any_of(
        machine.devices.begin(), machine.devices.end(),
        [&](const GpuDevice& one) { return one.mig_parent == machine.boards[i].profile; });
    Intervention change = Change(Kind::kWholeBoard, kDriverTier, machine.boards[i].profile);
    change.number = static_cast<int>(i);
    if (!cut) all.push_back(change);
  }
  all.push_back(Change(Kind::kCudaVersion, kDriverTier, "driver"));
  all.push_back(Change(Kind::kLayout, kFaultTier, "cudaDeviceProp"));
  for (size_t i = 0; i < machine.faults.size(); ++i) {
    const std::string& function = machine.faults[i].function;
    Intervention change = Change(Kind::kDropFault, kFaultTier, function);
    change.number = static_cast<int>(i);
    // One that was seen to fail comes before those that may never be called.
    const bool seen =
        std::any_of(looked.failed_calls.begin(), looked.failed_calls.end(),
                    [&](const FailedCall& call) { return call.function == function; });
    all.insert(seen ? all.begin() : all.end(), change);
  }
  for (size_t i = 0; i < machine.devices.size(); ++i) {
    const auto known = knowledge.devices.find(machine.devices[i].name);
    if (known == knowledge.devices.end()) continue;
    Intervention change = Change(Kind::kDeviceAnswers, kFaultTier, known->first);
    change.number = static_cast<int>(i);
    change.device = known->second;
    all.push_back(change);
  }
}

}  // namespace gpustage
