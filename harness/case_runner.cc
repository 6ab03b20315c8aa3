#include "harness/case_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/base/files.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/records/log_lines.h"

namespace gpustage {

namespace {

// The program that the case's first run with a program at `path` has there; it stands from the
// start.
std::string ProgramAt(const Case& c, const std::string& path) {
  for (const RunSpec& run : c.runs)
    if (run.scanner.at == path && !run.scanner.program.empty()) return run.scanner.program;
  return "";
}

bool IsTakenAway(const Case& c, const RunSpec& spec, const std::string& path) {
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops)
      if (const auto* removed = std::get_if<RemoveOp>(&op.what);
          removed != nullptr && removed->path == path)
        return true;
  return false;
}

// The files of its release that staged in a folder of the tree beside what is there.
std::vector<BroughtFile> FolderFiles(const Case& c, const RunSpec& spec) {
  const ScannerSpec& scanner = spec.scanner;
  std::vector<BroughtFile> release_files;
  std::error_code none;
  for (const auto& [folder, host_folder] : scanner.release_folders)
    for (const auto& entry : std::filesystem::directory_iterator(host_folder, none))
      if (const std::string path = folder + "/" + entry.path().filename().string();
          entry.is_regular_file(none) && !IsTakenAway(c, spec, path))
        release_files.push_back({path, entry.path()});
  std::sort(release_files.begin(), release_files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return release_files;
}

// What this run's scanner has of its own where the tree as it was built has something else.
std::vector<BroughtFile> ReleaseFilesOf(const Case& c, const RunSpec& spec) {
  const ScannerSpec& scanner = spec.scanner;
  std::vector<BroughtFile> release_files;
  if (!scanner.at.empty() && ProgramAt(c, scanner.at) != scanner.program)
    release_files.push_back({scanner.at, scanner.program});
  for (const TreeOp& op : c.tree) {
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed == nullptr || placed->source.kind != LibrarySource::Kind::kFake ||
        placed->broken != Breakage{})
      continue;
    const auto found = scanner.release.find(placed->source.name);
    if (found == scanner.release.end()) continue;
    const BroughtFile own = {placed->path, found->second};  // two layouts may have placed the same
    if (std::find(release_files.begin(), release_files.end(), own) == release_files.end())
      release_files.push_back(own);
  }
  return release_files;
}

bool Stands(const Root& root, const std::string& path, struct stat& found) {
  const Result<Place> place = root.FindPlace(path);
  return place &&
         fstatat(place->directory.get(), place->name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string Aside(const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '%');
  return "/.gpustage/aside/" + name;
}

// In place of what has the name.
Status Move(const Root& root, const std::string& from, const std::string& to) {
  TRY(const Place source, root.FindPlace(from));
  TRY(const Place target, root.MakePlace(to));
  if (renameat(source.directory.get(), source.name.c_str(), target.directory.get(),
               target.name.c_str()) != 0)
    return Error{
        fmt::format("cannot move {} to {} in the tree: {}", from, to, std::strerror(errno))};
  return Ok();
}

}  // namespace

StagedCase::~StagedCase() {
  if (!keep) RemoveTree(tree.root.host_path());
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
  if (const auto found = closures_.find(name); found != closures_.end()) return found->second;
  TRY(std::vector<HostFile> files, HostLibrary(name));
  return closures_[name] = files;
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
    directory = fmt::format("{}/tree-{}", workspace_.directory(), ++trees_);
  }
  if (mkdir(directory.c_str(), 0755) != 0) return Error{fmt::format("cannot make {}", directory)};
  Result<StagedTree> tree = BuildStage(plan, directory, shared_);
  if (!tree) {
    RemoveTree(directory);
    return std::move(tree).error();
  }
  return std::make_unique<StagedCase>(*std::move(tree), plan.private_copies, keep_trees_);
}

Status CaseRunner::PutReleaseFiles(const Case& c, const RunSpec& spec, StagedCase& staged) {
  std::vector<BroughtFile> release_files = ReleaseFilesOf(c, spec);
  const std::vector<BroughtFile> beside = FolderFiles(c, spec);
  if (release_files == staged.release_files && beside.empty()) return Ok();
  const Root& root = staged.tree.root;
  struct stat found;
  for (const BroughtFile& own : staged.release_files)
    if (Stands(root, Aside(own.path), found)) {
      TRY(Move(root, Aside(own.path), own.path));
    } else {
      TRY(Move(root, own.path, Aside(own.path) + ".gone"));
    }
  staged.release_files.clear();
  const auto place = [&](const BroughtFile& own, mode_t mode) -> Status {
    std::error_code none;
    const std::string link =
        std::filesystem::read_symlink(own.host_path, none);  // "libggml.so.0", or ""
    TreeOp placing = {
        PlaceLibraryOp{
            own.path, {LibrarySource::Kind::kFile, own.path, own.host_path, ""}, {}, mode},
        {}};
    if (!link.empty()) placing.what = SymlinkOp{own.path, link};
    TRY(ApplySteps({{placing, 0}}, staged.private_copies, shared_, staged.tree));
    staged.release_files.push_back(own);
    return Ok();
  };
  for (const BroughtFile& own : release_files) {
    // What the scenario took away or made something else of stays as it is.
    if (!Stands(root, own.path, found) || !S_ISREG(found.st_mode)) continue;
    TRY(Move(root, own.path, Aside(own.path)));
    TRY(place(own, found.st_mode & 07777));
  }
  for (const BroughtFile& own : beside)
    if (!Stands(root, own.path, found) && Stands(root, ParentOf(own.path), found) &&
        S_ISDIR(found.st_mode))
      TRY(place(own, 0755));
  return Ok();
}

Result<RawRun> CaseRunner::Run(const Case& c, const RunSpec& spec, StagedCase& staged) {
  if (!spec.change.empty()) {
    TRY(const std::vector<PlanStep> steps,
        PlanChange(spec.change, staged.tree.next_instance, c.machine));
    for (const PlanStep& step : steps)
      staged.tree.next_instance = std::max(staged.tree.next_instance, step.instance + 1);
    TRY(ApplySteps(steps, staged.private_copies, shared_, staged.tree));
    TRY(WriteLoaderCache(staged.tree.root));
  }
  TRY(PutReleaseFiles(c, spec, staged));
  TRY(ScannerStart start, StartOf(c, spec));
  if (deadline_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - std::chrono::steady_clock::now());
    start.time_limit = std::clamp(left, std::chrono::milliseconds(1), start.time_limit);
  }
  return RunScanner(start, staged.tree.root, recorders_, isolation());
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
  std::vector<Answer> answers;
  const std::vector<std::string> own = start.environment;
  for (const Question& question : OpenQuestions(evidence)) {
    start.environment = question.environment.empty() ? own : question.environment;
    TRY(std::vector<Answer> said,
        Ask(start, question.paths, staged.tree.root, recorders_, isolation()));
    answers.insert(answers.end(), said.begin(), said.end());
  }
  ExplainLosses(answers, static_cast<int>(start.user.uid), evidence);
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
  start.host_directories = spec.scanner.host_directories;
  start.loopback = spec.scanner.network == "loopback";
  start.time_limit = spec.scanner.time_limit;
  start.output_limit = spec.scanner.output_limit;
  if (spec.scanner.done_when) start.done_when = LineFinder(*spec.scanner.done_when);
  start.settle = spec.scanner.settle;
  return start;
}

std::vector<std::string> CandidateLibraries(const Case& c, const RunSpec& spec) {
  std::vector<std::string> found;
  for (const std::string& arg : spec.args)
    if (arg.starts_with('/') && BaseNameOf(arg).find(".so") != std::string::npos)
      found.push_back(LexicallyNormal(arg));
  if (!found.empty()) return found;
  const auto add = [&](const std::string& path) {
    if (IsBackendName(BaseNameOf(path)) &&
        std::find(found.begin(), found.end(), path) == found.end())
      found.push_back(path);
  };
  std::vector<const std::vector<TreeOp>*> lists = {&c.tree};
  for (const RunSpec& run : c.runs) lists.push_back(&run.change);
  for (const auto* ops : lists)
    for (const TreeOp& op : *ops) {
      if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what)) add(placed->path);
      if (const auto* link = std::get_if<SymlinkOp>(&op.what)) add(link->path);
      if (const auto* link = std::get_if<HardLinkOp>(&op.what)) add(link->path);
      if (const auto* copy = std::get_if<CopyOp>(&op.what)) add(copy->path);
      if (const auto* file = std::get_if<WriteFileOp>(&op.what)) add(file->path);
      if (const auto* removed = std::get_if<RemoveOp>(&op.what)) std::erase(found, removed->path);
    }
  return found;
}

}  // namespace gpustage
