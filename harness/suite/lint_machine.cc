// What is staged: whether it changes anything.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/suite/lint.h"

namespace gpustage {
namespace {

// All that a cell does, without its name and where it is written.
struct Effect {
  std::string text;
  Machine machine;
  std::vector<std::optional<MachineChange>> changes;
  friend bool operator==(const Effect&, const Effect&) = default;
};

Machine WithoutPlaces(Machine machine) {
  for (FaultSpec& fault : machine.faults) fault.pos = {};
  return machine;
}

void AddTree(const std::vector<TreeOp>& tree, Effect& effect) {
  for (const TreeOp& op : tree) {
    effect.text += ToString(op) + "\n";
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed == nullptr) continue;
    if (const auto& own = placed->machine)
      effect.changes.push_back(MachineChange{WithoutPlaces(own->machine), own->keys});
    for (const ComputeCapability& arch : placed->archs)
      effect.text += fmt::format("arch {}.{}\n", arch.major, arch.minor);
  }
}

void AddEnv(const std::vector<EnvVar>& env, Effect& effect) {
  for (const EnvVar& variable : env)
    effect.text += fmt::format("{}={}\n", variable.name, variable.value.value_or("(unset)"));
}

Effect EffectOf(const Case& c) {
  Effect effect{"", WithoutPlaces(c.machine), {}};
  AddTree(c.tree, effect);
  AddEnv(c.env, effect);
  effect.text += fmt::format("{} {} {}\n", c.user, fmt::join(c.groups, ","), c.working_directory);
  for (const RunSpec& run : c.runs) {
    effect.text +=
        fmt::format("run {} {} {} {} {}\n", run.name, run.scanner.name, run.scanner.version,
                    fmt::join(run.args, " "), run.user.value_or(""));
    effect.text += fmt::format("{} {}\n", run.scanner.time_limit.count(),
                               run.groups ? fmt::format("{}", fmt::join(*run.groups, ",")) : "");
    AddEnv(run.env, effect);
    AddTree(run.change, effect);
    for (const TimedOp& timed : run.meanwhile) {
      effect.text += fmt::format("after {}\n", timed.after.count());
      AddTree({timed.op}, effect);
    }
  }
  for (const Expectation& expectation : c.expect)
    for (const Claim& claim : expectation.claims) effect.text += ToString(claim) + "\n";
  return effect;
}

void LintAxes(const Linted& linted) {
  if (linted.cases.size() < 2) return;
  std::vector<Effect> effects;
  for (const Case& c : linted.cases) effects.push_back(EffectOf(c));
  for (const Axis& axis : linted.scenario.matrix.axes) {
    std::map<std::map<std::string, std::string>, size_t> first;  // by the other axes
    bool compared = false, differs = false;
    for (size_t i = 0; i < linted.cases.size() && !differs; ++i) {
      auto others = linted.cases[i].axes;
      others.erase(axis.name);
      const auto [known, is_new] = first.try_emplace(others, i);
      compared |= !is_new;
      differs = !is_new && !(effects[known->second] == effects[i]);
    }
    if (compared && !differs) linted.Find("idle-axis", axis.set.pos, axis.name);
  }
}

std::string PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) { return what.path; }, op.what);
}

template <typename Op>
const Op* As(const TreeOp& op) {
  return std::get_if<Op>(&op.what);
}

bool Makes(const TreeOp& op) {
  return As<WriteFileOp>(op) || As<SymlinkOp>(op) || As<PlaceLibraryOp>(op) || As<CopyOp>(op) ||
         As<HardLinkOp>(op);
}

// What an operation of this file comes to in a case; another cell may need it.
struct Fate {
  size_t cases = 0;
  size_t idle = 0;
  const char* rule = nullptr;
  std::string path;
  SourcePos pos;
};
using Fates = std::map<std::pair<int, int>, Fate>;

void FollowTree(const Linted& linted, const std::vector<TreeOp>& tree, Fates& fates) {
  std::map<std::string, const TreeOp*> made;
  std::map<std::string, FileMode> modes;
  const auto idle = [&](const TreeOp& op, const char* rule, const std::string& path) {
    Fate& fate = fates[{op.pos.line, op.pos.column}];
    ++fate.idle;
    fate.rule = rule;
    fate.path = path;
    fate.pos = op.pos;
  };
  for (const TreeOp& op : tree) {
    const bool own = op.pos.file == linted.scenario.file;
    const std::string path = PathOf(op);
    if (own) ++fates[{op.pos.line, op.pos.column}].cases;
    if (const auto* chmod = As<ChmodOp>(op)) {
      const auto known = modes.find(path);
      if (own && known != modes.end() && known->second == chmod->mode) idle(op, "same-mode", path);
      modes[path] = chmod->mode;
    }
    if (const auto* link = As<SymlinkOp>(op); own && link != nullptr && link->to == path)
      if (linted.scenario.claim.find("itself") == std::string::npos)
        idle(op, "link-to-itself", path);
    const auto before = made.find(path);
    if (before != made.end() && (Makes(op) || As<RemoveOp>(op)))
      idle(*before->second, Makes(op) ? "overwritten" : "removed-again", path);
    made.erase(path);
    if (own && Makes(op)) made[path] = &op;
    if (const auto* copy = As<CopyOp>(op)) made.erase(copy->from);
    if (const auto* hard = As<HardLinkOp>(op)) made.erase(hard->to);
    if (As<LdconfigOp>(op)) made.clear();  // it has read them all
  }
}

void LintTrees(const Linted& linted) {
  Fates fates;
  for (const Case& c : linted.cases) {
    FollowTree(linted, c.tree, fates);
    for (const RunSpec& run : c.runs) FollowTree(linted, run.change, fates);
  }
  for (const auto& [at, fate] : fates)
    if (fate.rule != nullptr && fate.idle >= fate.cases)
      linted.Find(fate.rule, fate.pos, fate.path);
}

void LintFaults(const Linted& linted, const Case& c) {
  const std::vector<FaultSpec>& faults = c.machine.faults;
  const bool has_fake = std::any_of(c.tree.begin(), c.tree.end(), [](const TreeOp& op) {
    const auto* placed = As<PlaceLibraryOp>(op);
    return placed != nullptr && placed->source.kind == LibrarySource::Kind::kFake;
  });
  for (size_t i = 0; i < faults.size(); ++i) {
    const FaultSpec& fault = faults[i];
    if (fault.device && *fault.device >= static_cast<int>(c.machine.devices.size()))
      linted.Find("fault-beyond", fault.pos, std::to_string(*fault.device));
    if (!has_fake) linted.Find("fault-of-nothing", fault.pos, fault.function);
    // A count that returns 0 and writes none is how a shim hides all devices.
    const bool counts = fault.function.find("Count") != std::string::npos;
    if (fault.kind == FaultKind::kReturn && fault.code == 0 && !counts)
      linted.Find("fault-returns-0", fault.pos, fault.function);
    for (size_t j = 0; j < i; ++j) {
      const FaultSpec& other = faults[j];
      if (!fault.function.empty() && fault.function == other.function &&
          fault.device == other.device && fault.first_call == other.first_call &&
          fault.last_call == other.last_call && fault.process_has == other.process_has &&
          fault.from_ms == other.from_ms && fault.to_ms == other.to_ms)
        linted.Find("fault-twice", fault.pos, fault.function);
    }
  }
}

// Where a library has a machine of its own, it may have more devices.
void LintCalls(const Linted& linted, const Case& c) {
  const bool own_machine = std::any_of(c.tree.begin(), c.tree.end(), [](const TreeOp& op) {
    const auto* placed = As<PlaceLibraryOp>(op);
    return placed != nullptr && placed->machine;
  });
  for (const Expectation& expectation : c.expect)
    for (const Claim& claim : expectation.claims)
      if (const auto* calls = std::get_if<CallsClaim>(&claim.what);
          calls != nullptr && !own_machine &&
          calls->device.value_or(-1) >= static_cast<int>(c.machine.devices.size()))
        linted.Find("call-beyond", claim.pos, calls->function);
}

void LintCase(const Linted& linted, const Case& c) {
  LintCalls(linted, c);
  for (const RunSpec& run : c.runs) {
    if (run.scanner.time_limit < std::chrono::milliseconds(100))
      linted.Find("no-time", run.pos, run.name);
  }
  LintFaults(linted, c);
  const bool has_library = std::any_of(c.tree.begin(), c.tree.end(), [](const TreeOp& op) {
    return As<PlaceLibraryOp>(op) != nullptr;
  });
  const bool brings = std::any_of(c.runs.begin(), c.runs.end(), [](const RunSpec& run) {
    return !run.scanner.brings.empty() || !run.scanner.needs.empty() || !run.change.empty();
  });
  if (!c.machine.devices.empty() && !has_library && !brings)
    linted.Find("no-driver", linted.scenario.root.pos);
}

// A variable that is unset and that neither a layout nor what is usual sets.
void LintUnset(const Linted& linted) {
  static const std::set<std::string> usual = {"HOME", "PATH", "LANG", "USER", "LOGNAME", "SHELL"};
  const YamlNode* const env = linted.scenario.root.Find("env");
  if (env == nullptr || !env->IsMap()) return;
  for (const YamlEntry& entry : env->entries) {
    if (entry.value.Find("unset") == nullptr || usual.count(entry.key) != 0) continue;
    const bool set_by_matrix =
        std::any_of(linted.cases.begin(), linted.cases.end(), [&](const Case& c) {
          return std::any_of(c.env.begin(), c.env.end(), [&](const EnvVar& variable) {
            return variable.name == entry.key && variable.value;
          });
        });
    const bool by_layout = linted.scenario.root.Find("layout") != nullptr;
    if (!set_by_matrix && !by_layout) linted.Find("unset-nothing", entry.pos, entry.key);
  }
}

}  // namespace

void LintMachine(const Linted& linted) {
  LintAxes(linted);
  LintTrees(linted);
  for (const Case& c : linted.cases) LintCase(linted, c);
  LintUnset(linted);
}

}  // namespace gpustage
