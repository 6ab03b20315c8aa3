#include "harness/case_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "harness/base/files.h"
#include "harness/evidence/loader/outside.h"
#include "harness/stage/identity.h"
#include "harness/stage/world_file.h"

namespace gpustage {

namespace {

constexpr char kGroupFile[] = "/etc/group";

// A file below /proc that the case covers with one of its own, and that is not there to be covered;
// "" when all are.
std::string MissingOfKernel(const Case& c) {
  for (const TreeOp& op : c.tree)
    if (const std::string path =
            std::visit([](const auto& what) -> std::string { return what.path; }, op.what);
        path.starts_with("/proc/") && !path.starts_with("/proc/driver/") && !FileExists(path))
      return path;
  return "";
}

// "DIRECTORY/" for the first runner of this process, "DIRECTORY/2-" for the second.
std::string PrefixIn(const std::string& directory) {
  static std::atomic<int> runners = 0;
  const int number = ++runners;
  return number == 1 ? directory + "/" : fmt::format("{}/{}-", directory, number);
}

}  // namespace

CaseRunner::CaseRunner(const Workspace& workspace, Recorders recorders, bool keep_trees)
    : workspace_(workspace),
      recorders_(std::move(recorders)),
      keep_trees_(keep_trees),
      prefix_(PrefixIn(workspace.directory())),
      shared_(prefix_ + "shared") {}

StagedCase::~StagedCase() {
  if (!keep) TakeDownTree(tree.root.host_path());
}

std::string CaseRunner::CannotStage(const Case& c) const {
  for (const TreeOp& op : c.tree)
    if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
        placed != nullptr && !placed->source.missing.empty())
      return placed->source.missing;
  if (const std::string path = MissingOfKernel(c); !path.empty())
    return fmt::format("the kernel of this machine has no {}, and none can be made", path);
  if (c.machine.real_nodes && !workspace_.isolation().device_nodes)
    return "needs device nodes that nobody can open, which only root makes: gpustage doctor says "
           "why";
  if (!CanSetOwners()) return NeedOfSecondUid(c);
  return "";
}

Result<std::vector<HostFile>> CaseRunner::BaseFor(const Case& c) {
  return host_files_.For(c, recorders_.ask);
}

Result<std::unique_ptr<StagedCase>> CaseRunner::Build(const StagePlan& plan) {
  std::string directory;
  {
    const std::lock_guard lock(mutex_);
    directory = fmt::format("{}tree-{}", prefix_, ++trees_);
  }
  if (mkdir(directory.c_str(), 0755) != 0) return Error{fmt::format("cannot make {}", directory)};
  // Whose scanner may write all of it shares no file with others, and no space either.
  if (plan.private_copies && !keep_trees_) TRY(MakeOwnSpace(directory));
  Result<StagedTree> tree = BuildStage(plan, directory, shared_);
  if (!tree) {
    TakeDownTree(directory);
    return std::move(tree).error();
  }
  return std::make_unique<StagedCase>(*std::move(tree), plan.private_copies, keep_trees_);
}

Result<RawRun> CaseRunner::Run(const Case& c, const RunSpec& spec, StagedCase& staged) {
  if (!spec.change.empty()) {
    TRY(const std::vector<PlanStep> steps,
        PlanChange(spec.change, staged.tree.next_instance,
                   spec.machine ? Changed(c.machine, *spec.machine) : c.machine));
    TRY(ApplySteps(steps, staged.private_copies, shared_, staged.tree));
    if (!staged.tree.own_cache) TRY(WriteLoaderCache(staged.tree.root));
  }
  if (spec.machine) TRY(RestartAs(Changed(c.machine, *spec.machine), shared_, staged.tree));
  TRY(PutGroups(c, spec, staged));
  TRY(PutReleaseFiles(c, spec, staged));
  TRY(ScannerStart start, StartOf(c, spec));
  start.mark = staged.tree.mark;
  start.time_limit = deadline_.Of(start.time_limit);
  Status done = Ok();
  TRY(start.meanwhile, Meanwhile(c, spec, staged, done));
  TRY(RawRun run, RunScanner(start, staged.tree.root, recorders_, isolation()));
  TRY(done);
  return run;
}

// /etc/group says of which groups the run's user is, unless the scenario has one of its own.
Status CaseRunner::PutGroups(const Case& c, const RunSpec& spec, StagedCase& staged) {
  std::string wanted = GroupFile(spec.user.value_or(c.user), spec.groups.value_or(c.groups));
  if (staged.group_file.empty()) staged.group_file = GroupFile(c.user, c.groups);
  if (wanted == staged.group_file) return Ok();
  const Fd file = staged.tree.root.At(kGroupFile, O_RDONLY);
  const Result<std::string> now = ReadFile(fmt::format("/proc/self/fd/{}", file.get()));
  if (!file || !now || *now != staged.group_file) return Ok();
  TRY(staged.tree.root.WriteFile(kGroupFile, wanted, 0644));
  staged.group_file = std::move(wanted);
  return Ok();
}

// What fails in the middle of a run is known when it has ended.
Result<std::vector<TimedChange>> CaseRunner::Meanwhile(const Case& c, const RunSpec& spec,
                                                       StagedCase& staged, Status& done) {
  std::vector<TimedChange> changes;
  for (const TimedOp& timed : spec.meanwhile) {
    TRY(const std::vector<PlanStep> steps,
        PlanChange({timed.op}, staged.tree.next_instance, c.machine));
    for (const PlanStep& step : steps)
      staged.tree.next_instance = std::max(staged.tree.next_instance, step.instance + 1);
    changes.push_back({timed.after, [this, steps, &staged, &done] {
                         if (done)
                           done = ApplySteps(steps, staged.private_copies, shared_, staged.tree);
                       }});
  }
  return changes;
}

Status CaseRunner::PutReleaseFiles(const Case& c, const RunSpec& spec, StagedCase& staged) {
  return staged.release_files.Install(c, spec, staged.private_copies, shared_, staged.tree);
}

Result<AfterRun> CaseRunner::Ask(const Case& c, const RunSpec& spec, const StagedCase& staged,
                                 const Questions& questions) {
  TRY(const ScannerStart start, StartOf(c, spec));
  TRY(std::vector<std::string> unasked, host_files_.Unasked(c));
  std::erase_if(unasked, [](const std::string& path) { return !IsGpuLibrary(path); });
  return AskAfter(questions, start, unasked, staged.tree.root, recorders_, isolation());
}

}  // namespace gpustage
