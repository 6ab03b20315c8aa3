// A minimized machine as a scenario: what its author wrote of a broken library is written again.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/diagnose/minimize.h"
#include "harness/stage/plan.h"

namespace gpustage {
namespace {

// By the name that the catalog has for it.
bool IsOfCatalog(const LibrarySource& source, const KnownImages& known) {
  return std::find(known.begin(), known.end(), source) != known.end();
}

std::vector<TreeOp> OpsOf(const Case& c, size_t run) {
  std::vector<TreeOp> ops = c.tree;
  for (size_t i = 0; i <= run; ++i)
    ops.insert(ops.end(), c.runs[i].change.begin(), c.runs[i].change.end());
  return ops;
}

// The last library that its author put at the path, or whose copy or other name stands there.
const PlaceLibraryOp* WrittenAt(const std::vector<TreeOp>& ops, std::string path,
                                const FlatTree& tree) {
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    const auto is_here = [&](const std::string& other) {
      return LexicallyNormal(other) == path || RealPath(tree, other) == path;
    };
    if (const auto* placed = std::get_if<PlaceLibraryOp>(&op->what);
        placed != nullptr && is_here(placed->path))
      return placed;
    if (const auto* copy = std::get_if<CopyOp>(&op->what); copy != nullptr && is_here(copy->path))
      path = LexicallyNormal(copy->from);
    if (const auto* link = std::get_if<HardLinkOp>(&op->what);
        link != nullptr && is_here(link->path))
      path = LexicallyNormal(link->to);
  }
  return nullptr;
}

class Writer {
 public:
  Writer(const Case& original, size_t run, const ProposalContext& knowledge)
      : original_(original), run_(run), knowledge_(knowledge), ops_(OpsOf(original, run)) {}

  Result<std::vector<TreeOp>> Tree(const FlatCase& flat) const {
    std::vector<TreeOp> tree = ToCase(flat).tree;
    for (TreeOp& op : tree) TRY(MakeReadable(flat, op));
    return tree;
  }

  // What turns one machine into the other.
  Result<WrittenFix> Fix(const FlatCase& before, const FlatCase& after) const {
    WrittenFix fix;
    FlatCase made = after;
    made.tree.clear();
    for (const auto& [path, entry] : before.tree)
      if (IsGone(path, entry, after.tree)) fix.tree.push_back({RemoveOp{path}, {}});
    for (const auto& [path, entry] : after.tree) {
      const auto was = before.tree.find(path);
      if (was != before.tree.end() && was->second == entry) continue;
      if (was != before.tree.end() && IsModeAlone(was->second, entry))
        fix.tree.push_back({ChmodOp{path, entry.mode}, {}});
      else if (entry.kind != FlatEntry::Kind::kAbsent)
        made.tree[path] = entry;
      else
        fix.tree.push_back({RemoveOp{path}, {}});
    }
    for (const auto& [path, entry] : made.tree) made.tree[path].replaces = false;
    TRY(const std::vector<TreeOp> more, Tree(made));
    fix.tree.insert(fix.tree.end(), more.begin(), more.end());
    AddRest(before.c, after.c, fix);
    return fix;
  }

  Case Header(const FlatCase& flat) const {
    Case c = flat.c;
    c.machine = original_.machine;
    c.machine.faults = flat.c.machine.faults;
    c.env = Variables(flat.c.env);
    return c;
  }

 private:
  // A path whose other content needs room first.
  static bool IsGone(const std::string& path, const FlatEntry& entry, const FlatTree& after) {
    const auto is = after.find(path);
    if (entry.kind == FlatEntry::Kind::kAbsent) return false;
    if (is == after.end()) return true;
    return is->second.kind != entry.kind && is->second.kind != FlatEntry::Kind::kAbsent;
  }

  static bool IsModeAlone(FlatEntry before, const FlatEntry& after) {
    before.mode = after.mode;
    return before == after;
  }

  Status MakeReadable(const FlatCase& flat, TreeOp& op) const {
    auto* const placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed == nullptr || IsOfCatalog(placed->source, knowledge_.packages.images())) return Ok();
    const PlaceLibraryOp* const written = WrittenAt(ops_, placed->path, flat.tree);
    if (written == nullptr)
      return Error{fmt::format("{} is a library that no word of a scenario makes", placed->path)};
    const auto path = placed->path;
    const auto mode = placed->mode;
    *placed = *written;
    placed->path = path;
    placed->mode = mode;
    return Ok();
  }

  // Over what a scanner is started with.
  std::vector<EnvVar> Variables(const std::vector<EnvVar>& whole) const {
    Case bare;
    RunSpec run = original_.runs[run_];
    run.env.clear();
    std::vector<EnvVar> written;
    std::vector<std::string> usual = EnvironmentOf(bare, run);
    for (const EnvVar& variable : whole) {
      const std::string text = variable.name + "=" + variable.value.value_or("");
      if (variable.value && std::find(usual.begin(), usual.end(), text) == usual.end())
        written.push_back(variable);
    }
    for (const std::string& text : usual) {
      const std::string name = text.substr(0, text.find('='));
      const bool set = std::any_of(whole.begin(), whole.end(), [&](const EnvVar& one) {
        return one.name == name && one.value;
      });
      if (!set) written.push_back({name, std::nullopt, {}});
    }
    return written;
  }

  static void AddRest(const Case& before, const Case& after, WrittenFix& fix) {
    for (const EnvVar& variable : after.env)
      if (std::find(before.env.begin(), before.env.end(), variable) == before.env.end())
        fix.env.push_back(variable);
    for (const EnvVar& variable : before.env) {
      const bool left = std::any_of(after.env.begin(), after.env.end(),
                                    [&](const EnvVar& one) { return one.name == variable.name; });
      if (!left) fix.env.push_back({variable.name, std::nullopt, {}});
    }
    if (before.user != after.user) fix.user = after.user;
    if (before.groups != after.groups) fix.groups = after.groups;
    if (before.machine == after.machine) return;
    MachineChange change{after.machine, {}};
    std::erase_if(change.machine.faults,
                  [](const FaultSpec& fault) { return fault.function == "none"; });
    if (before.machine.faults != after.machine.faults) change.keys.push_back("faults");
    if (before.machine.kernel_driver != after.machine.kernel_driver) {
      change.machine.kernel_driver = after.machine.driver;
      change.keys.push_back("kernel_driver");
    }
    if (before.machine.cuda_version != after.machine.cuda_version) change.keys.push_back("cuda");
    if (before.machine.props_layout != after.machine.props_layout)
      change.keys.push_back("props_layout");
    if (before.machine.devices != after.machine.devices) change.keys.push_back("devices");
    fix.machine = std::move(change);
  }

  const Case& original_;
  const size_t run_;
  const ProposalContext& knowledge_;
  const std::vector<TreeOp> ops_;
};

std::string Plural(int64_t count) {
  return fmt::format("{} device{}", count, count == 1 ? "" : "s");
}

std::string ClaimOf(const Minimized& small) {
  const RunLoss& loss = small.loss;
  std::string claim = small.count ? Plural(*small.count) : "no count";
  if (loss.any && loss.at)
    claim += fmt::format(": {} is lost at \"{}\"", BaseNameOf(loss.library), ToString(*loss.at));
  return claim;
}

}  // namespace

Result<std::string> MinimizedText(const Minimized& small, const Case& original, size_t run,
                                  const ProposalContext& knowledge) {
  const Writer writer(original, run, knowledge);
  WrittenScenario written;
  written.comments = {
      fmt::format("The smallest machine with the loss of {}: {} of {} parts; with its devices it "
                  "needs {}.",
                  original.id, small.parts, small.parts_before, small.floor)};
  written.claim = ClaimOf(small);
  written.c = writer.Header(small.flat);
  TRY(written.c.tree, writer.Tree(small.flat));
  written.devices = small.count;
  if (small.loss.any && small.loss.at) {
    written.lost_library = BaseNameOf(small.loss.library);
    written.lost_at = ToString(*small.loss.at);
  }
  if (small.mending) {
    FlatCase mended = small.flat;
    for (const Intervention& change : small.mending->changes) Apply(change, mended);
    TRY(written.fix, writer.Fix(small.flat, mended));
    written.fix->devices = small.mending->after.value_or(0);
  }
  std::vector<GpuDevice> known;
  for (const auto& [name, device] : knowledge.devices) known.push_back(device);
  return ScenarioText(written, known);
}

}  // namespace gpustage
