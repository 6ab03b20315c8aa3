#include "harness/case_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/records/log_lines.h"
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

void CaseRunner::EndBy(std::chrono::steady_clock::time_point start, std::chrono::seconds after) {
  deadline_ = start + after;
  after_ = after;
}

std::string CaseRunner::DeadlineReason(bool started) const {
  return fmt::format("the deadline of {} s {}", after_.count(),
                     started ? "came while it ran" : "had passed");
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

Result<std::vector<HostFile>> CaseRunner::Closure(const std::string& program) {
  const std::lock_guard lock(mutex_);
  if (const auto found = closures_.find(program); found != closures_.end()) return found->second;
  TRY(std::vector<HostFile> files, ClosureOf(program));
  return closures_[program] = files;
}

Result<std::vector<HostFile>> CaseRunner::Library(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = libraries_.find(name); found != libraries_.end()) return found->second;
  TRY(std::vector<HostFile> files, HostLibrary(name));
  return libraries_[name] = files;
}

Result<std::vector<HostFile>> CaseRunner::BaseFor(const Case& c) {
  std::vector<HostFile> base;
  TRY(const std::vector<HostFile> asking, Closure(recorders_.ask));
  base.insert(base.end(), asking.begin(), asking.end());
  for (const RunSpec& run : c.runs) {
    const ScannerSpec& scanner = run.scanner;
    if (scanner.program.empty()) continue;  // this run will be skipped
    if (scanner.at.empty() || ProgramAt(c, scanner.at) == scanner.program)
      base.push_back({scanner.program, scanner.at.empty() ? scanner.program : scanner.at});
    TRY(const std::vector<HostFile> closure, Closure(scanner.program));
    base.insert(base.end(), closure.begin(), closure.end());
    for (const BroughtFile& program : scanner.brings) {
      base.push_back({program.host_path, program.path});
      TRY(const std::vector<HostFile> its_closure, Closure(program.host_path));
      base.insert(base.end(), its_closure.begin(), its_closure.end());
    }
    for (const std::string& name : scanner.needs) {
      TRY(const std::vector<HostFile> library, Library(name));
      base.insert(base.end(), library.begin(), library.end());
    }
  }
  return base;
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
        PlanChange(spec.change, staged.tree.next_instance, c.machine));
    for (const PlanStep& step : steps)
      staged.tree.next_instance = std::max(staged.tree.next_instance, step.instance + 1);
    TRY(ApplySteps(steps, staged.private_copies, shared_, staged.tree));
    if (!staged.tree.own_cache) TRY(WriteLoaderCache(staged.tree.root));
  }
  if (spec.machine) TRY(RestartAs(Changed(c.machine, *spec.machine), shared_, staged.tree));
  TRY(PutGroups(c, spec, staged));
  TRY(PutReleaseFiles(c, spec, staged));
  TRY(ScannerStart start, StartOf(c, spec));
  start.mark = staged.tree.mark;
  if (deadline_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - std::chrono::steady_clock::now());
    start.time_limit = std::clamp(left, std::chrono::milliseconds(1), start.time_limit);
  }
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

Result<std::vector<std::string>> CaseRunner::Unasked(const Case& c) {
  std::vector<std::string> paths;
  for (const RunSpec& run : c.runs) {
    std::vector<std::string> programs = {run.scanner.program};
    for (const BroughtFile& program : run.scanner.brings) programs.push_back(program.host_path);
    for (const std::string& program : programs) {
      if (program.empty()) continue;
      TRY(const std::vector<HostFile> closure, Closure(program));
      for (const HostFile& file : closure)
        if (!file.host_path.starts_with(ParentOf(program) + "/"))
          paths.push_back(file.path);  // what lies beside it is its own
    }
  }
  return paths;
}

namespace {

// What is the same file as one that was loaded is no other copy of it, by whatever links.
void DropTheSame(const Root& root, const Identity& user, Evidence& evidence) {
  std::set<std::string> loaded;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows)
      if (row.pid != 0 && row.reached >= Step::kLoaded)
        loaded.insert(LookAt(root, row.library, user, Want::kRead).end);
  std::erase_if(evidence.setting.libraries, [&](const std::string& path) {
    return loaded.contains(LookAt(root, path, user, Want::kRead).end);
  });
}

}  // namespace

Status CaseRunner::Explain(const Case& c, const RunSpec& spec, const StagedCase& staged,
                           Evidence& evidence) {
  TRY(ScannerStart start, StartOf(c, spec));
  const FileOpener open_inside = [&](const std::string& path) {
    const auto& shown = start.host_directories;
    const bool of_host = std::any_of(shown.begin(), shown.end(), [&](const std::string& directory) {
      return path.starts_with(directory + "/");
    });
    if (!of_host) return staged.tree.root.ReadRegular(path);
    Result<Fd> fd = OpenRegularFile(path);
    return fd ? *std::move(fd) : Fd();
  };
  TRY(const std::vector<std::string> base, Unasked(c));
  evidence.outside = FindOutside(evidence, {base, start.host_directories}, open_inside);
  if (!WatchesLoader(evidence.level)) return Ok();  // nothing is known that could be explained
  evidence.linkage = LinkageOf(evidence, open_inside);
  AfterRun after;
  after.uid = static_cast<int>(start.user.uid);
  const std::vector<std::string> own = start.environment;
  for (const Question& question : OpenQuestions(evidence)) {
    start.environment = question.environment.empty() ? own : question.environment;
    TRY(std::vector<Answer> said,
        Ask(start, question.paths, staged.tree.root, recorders_, isolation()));
    after.answered.push_back({question.environment, std::move(said)});
  }
  for (const std::string& path : PathsToLook(evidence))
    after.looked.push_back(LookAt(staged.tree.root, path, start.user,
                                  path.starts_with("/dev/") ? Want::kWrite : Want::kRead));
  DropTheSame(staged.tree.root, start.user, evidence);
  ExplainLosses(after, evidence);
  return Ok();
}

Result<ScannerStart> StartOf(const Case& c, const RunSpec& spec) {
  const std::string user = spec.user.value_or(c.user);
  const std::optional<Identity> identity = FindUser(user);
  if (!identity)
    return Error{
        fmt::format(
            "no user {} in the tree; there are root, ollama, user, nobody and numbers to 65534",
            user),
        spec.pos};
  ScannerStart start;
  start.argv = spec.scanner.argv;
  start.argv.insert(start.argv.end(), spec.args.begin(), spec.args.end());
  start.environment = EnvironmentOf(c, spec);
  start.working_directory = c.working_directory;
  start.user = *identity;
  for (const std::string& group : spec.groups.value_or(c.groups))
    if (const auto gid = FindGroup(group)) start.user.groups.push_back(*gid);
  start.host_directories = spec.scanner.host_directories;
  start.loopback = spec.scanner.network == "loopback";
  start.time_limit = spec.scanner.time_limit;
  start.output_limit = spec.scanner.output_limit;
  start.memory_limit = spec.scanner.memory_limit;
  if (spec.scanner.done_when) start.done_when = LineFinder(*spec.scanner.done_when);
  start.settle = spec.scanner.settle;
  return start;
}

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
