#include <signal.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/places.h"
#include "harness/worker.h"

namespace gpustage {
namespace {

// The tree has it: something that the case places there. Otherwise the host's goes in, with what it needs.
bool PlacedByCase(const Case& c, const std::string& path) {
  for (const RunSpec& run : c.runs)
    if (run.scanner.at == path && !run.scanner.program.empty()) return true;
  for (const TreeOp& op : c.tree) {
    const auto* file = std::get_if<WriteFileOp>(&op.what);
    if (file != nullptr && file->path == path) return true;
  }
  return false;
}

int ExitStatusOf(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kStopped: return outcome.code;
    case Outcome::Kind::kKilled:
    case Outcome::Kind::kTimedOut: return 128 + outcome.code;  // as a shell says it
    case Outcome::Kind::kNotStarted: break;
  }
  fmt::print(stderr, "gpustage: {}\n", ToString(outcome));
  return kCannotHere;
}

Result<int> Exec(const Case& c, std::vector<std::string> argv, const ExecOptions& options, Worker& worker) {
  if (const std::string why = worker.CannotStage(c); !why.empty()) return Error{why};
  TRY(std::vector<HostFile> base, worker.BaseFor(c));
  if (!PlacedByCase(c, argv[0])) {
    const std::string program = FindProgramOnHost(argv[0]);
    if (program.empty()) return Error{fmt::format("no program {} in the tree or on this machine", Quote(argv[0]))};
    TRY(const std::vector<HostFile> closure, ClosureOf(program));
    base.insert(base.end(), closure.begin(), closure.end());
    argv[0] = program.starts_with('/') ? program : "/usr/local/bin/" + BaseNameOf(program);
    base.push_back({program, argv[0]});
  }
  TRY(const StagePlan plan, PlanStage(c, std::move(base), worker.CanSetOwners()));
  TRY(const std::unique_ptr<Stand> stand, worker.Build(plan));
  RunSpec spec = c.runs.front();
  spec.scanner.argv = std::move(argv);
  spec.args.clear();
  if (options.user) spec.user = options.user;
  spec.scanner.host_directories.insert(spec.scanner.host_directories.end(), options.host_directories.begin(),
                                       options.host_directories.end());
  TRY(const ScannerStart start, StartOf(c, spec));
  TRY(const BoxSpec box, PrepareBox(start, stand->tree.root, worker.recorders()));
  // Ctrl-C is for the program inside.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  return ExitStatusOf(RunInBoxInteractive(box, worker.isolation()));
}

}  // namespace

int CmdExec(const ExecOptions& options) {
  const std::string& scenario = options.scenario;
  const Result<std::vector<Case>> cases = SelectCases({{scenario}, {}, ""});
  if (!cases) return PrintError(cases.error(), kBadInput);
  if (cases->size() > 1) {
    std::string ids;
    for (const Case& c : *cases) ids += "\n  " + c.id;
    return PrintError({fmt::format("{} has {} cases; name one:{}", scenario, cases->size(), ids)}, kBadInput);
  }
  const Isolation isolation = ProbeIsolation();
  if (isolation.level == IsolationLevel::kNone)
    return PrintError({"this machine allows no private root; gpustage doctor says why"}, kCannotHere);
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Worker worker(*workspace, FindRecorders(), false);
  const Result<int> status = Exec(cases->front(), options.argv, options, worker);
  return status ? *status : PrintError(status.error(), kBadInput);
}

}  // namespace gpustage
