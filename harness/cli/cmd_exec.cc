#include <fmt/format.h>
#include <signal.h>

#include "harness/base/text.h"
#include "harness/case_runner.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/host_tools.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/run/interrupt.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

constexpr int kNotFoundInside = 127;  // what a shell ends with for a command that it does not find

Result<int> Exec(const Case& c, std::vector<std::string> argv, const InsideOptions& options,
                 CaseRunner& runner) {
  if (const std::string why = runner.CannotStage(c); !why.empty()) return Error{why};
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(BringProgram(c, argv, base));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  TRY(const std::unique_ptr<StagedCase> stand, runner.Build(plan));
  RunSpec spec = c.runs.front();
  spec.scanner.argv = std::move(argv);
  spec.args.clear();
  if (options.user) spec.user = options.user;
  spec.scanner.host_directories.insert(spec.scanner.host_directories.end(),
                                       options.host_directories.begin(),
                                       options.host_directories.end());
  TRY(ScannerStart start, StartOf(c, spec));
  start.record_loader = start.record_files = false;  // nothing is said of it afterwards
  TRY(const BoxSpec box, PrepareBox(start, stand->tree.root, runner.recorders()));
  // Ctrl-C is for the program inside.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  CatchInterrupts();  // SIGTERM and SIGHUP go on to it
  return ExitStatusOf(RunInBoxInteractive(box, runner.isolation()).outcome);
}

int Exec(const InsideOptions& options, const Program& program) {
  const Result<Case> c = SingleCase(options.scenario);
  if (!c) return PrintError(c.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  const Result<int> status = Exec(*c, program, options, runner);
  if (!status) return PrintError(status.error(), kBadInput);
  if (*status == kNotFoundInside)
    fmt::print(stderr,
               "gpustage: exec brings {} alone; {} shell {} has this machine's tools as well\n",
               program.front(), CalledAs(), ShellWord(options.scenario));
  return *status;
}

}  // namespace

Action DeclareExec(CLI::App& app) {
  const auto options = std::make_shared<InsideOptions>();
  AddFooter(app,
            "PROGRAM is one of the tree or of this machine; its exit status is passed through.");
  AddInside(app, *options);
  return [options](const Program& program) {
    if (program.empty()) Lacks("-- PROGRAM");
    return Exec(*options, program);
  };
}

}  // namespace gpustage
