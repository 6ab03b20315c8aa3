#include <signal.h>

#include "harness/cli/commands.h"
#include "harness/cli/inside.h"
#include "harness/cli/places.h"
#include "harness/worker.h"

namespace gpustage {
namespace {

Result<int> Exec(const Case& c, std::vector<std::string> argv, const ExecOptions& options,
                 Worker& worker) {
  if (const std::string why = worker.CannotStage(c); !why.empty()) return Error{why};
  TRY(std::vector<HostFile> base, worker.BaseFor(c));
  TRY(BringProgram(c, argv, base));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), worker.CanSetOwners()));
  TRY(const std::unique_ptr<Stand> stand, worker.Build(plan));
  RunSpec spec = c.runs.front();
  spec.scanner.argv = std::move(argv);
  spec.args.clear();
  if (options.user) spec.user = options.user;
  spec.scanner.host_directories.insert(spec.scanner.host_directories.end(),
                                       options.host_directories.begin(),
                                       options.host_directories.end());
  TRY(ScannerStart start, StartOf(c, spec));
  start.record_loader = start.record_files = false;  // nothing is said of it afterwards
  TRY(const BoxSpec box, PrepareBox(start, stand->tree.root, worker.recorders()));
  // Ctrl-C is for the program inside.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  return ExitStatusOf(RunInBoxInteractive(box, worker.isolation()).outcome);
}

}  // namespace

int CmdExec(const ExecOptions& options) {
  const Result<Case> c = OnlyCase(options.scenario);
  if (!c) return PrintError(c.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Worker worker(*workspace, FindRecorders(), false);
  const Result<int> status = Exec(*c, options.argv, options, worker);
  return status ? *status : PrintError(status.error(), kBadInput);
}

}  // namespace gpustage
