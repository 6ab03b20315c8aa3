#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "harness/case_runner.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/host_tools.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/evidence/path/known.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/records/decode.h"
#include "harness/report/text.h"
#include "harness/run/interrupt.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

void SetUnlessGiven(const std::string& name, const std::string& value,
                    std::vector<std::string>& environment) {
  const auto has_name = [&](const std::string& entry) { return entry.starts_with(name + "="); };
  if (std::none_of(environment.begin(), environment.end(), has_name))
    environment.push_back(name + "=" + value);
}

std::vector<std::string> ShellWords(const std::string& shell, bool on_terminal) {
  std::vector<std::string> words = {shell};
  if (shell.ends_with("/bash")) words.insert(words.end(), {"--norc", "--noprofile"});
  if (on_terminal) words.push_back("-i");
  return words;
}

std::string CountText(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// What was seen, in a few lines: how it ended, how much there is, and what came of each library.
void PrintSummary(const Evidence& evidence) {
  size_t loads = 0, calls = 0;
  for (const Event& event : evidence.events) {
    loads += event.kind == EventKind::kLoad ? 1 : 0;
    calls += event.kind == EventKind::kCall ? 1 : 0;
  }
  std::string text = fmt::format(
      "gpustage: {} after {:.1f} s; {} of a program, {}, {} into fakes{}\n",
      ToString(evidence.outcome), static_cast<double>(evidence.duration_ns) / 1e9,
      CountText(evidence.processes.size(), "start"), CountText(loads, "load"),
      CountText(calls, "call"), evidence.journal_complete ? "" : "; the journal is not complete");
  Evidence touched = evidence;
  std::erase_if(touched.funnel, [](const FunnelRow& row) { return row.pid == 0; });
  text += FunnelText(RowsOf(touched), 100);
  std::fputs(text.c_str(),
             stderr);  // a terminal that is gone takes nothing, and that is no error of ours
}

struct Prepared {
  RunSpec spec;
  std::unique_ptr<StagedCase> stand;
  ScannerStart start;
};

Result<Prepared> Prepare(const Case& c, const InsideOptions& options, const Program& program,
                         bool on_terminal, CaseRunner& runner) {
  if (const std::string why = runner.CannotStage(c); !why.empty()) return Error{why};
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const Tools tools, ToolsOfHost());
  base.insert(base.end(), tools.files.begin(), tools.files.end());
  std::vector<std::string> argv = program;
  if (!argv.empty()) {
    TRY(BringProgram(c, argv, base));
  } else if (tools.shell.empty()) {
    return Error{"this machine has no shell to bring"};
  } else {
    argv = ShellWords(tools.shell, on_terminal);
  }
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  Prepared prepared;
  TRY(prepared.stand, runner.Build(plan));
  prepared.spec = c.runs.front();
  RunSpec& spec = prepared.spec;
  spec.scanner.argv = std::move(argv);
  spec.args.clear();
  if (options.user) spec.user = options.user;
  for (const auto* directories : {&tools.directories, &options.host_directories})
    spec.scanner.host_directories.insert(spec.scanner.host_directories.end(), directories->begin(),
                                         directories->end());
  TRY(prepared.start, StartOf(c, spec));
  prepared.start.mark = prepared.stand->tree.mark;
  const char* type = std::getenv("TERM");
  SetUnlessGiven("TERM", type == nullptr ? "dumb" : type, prepared.start.environment);
  SetUnlessGiven("PS1", fmt::format("[{}] \\w\\$ ", c.scenario), prepared.start.environment);
  if (!tools.shell.empty()) SetUnlessGiven("SHELL", tools.shell, prepared.start.environment);
  return prepared;
}

// What any run of the case may take for a GPU library: a person inside may try each.
std::vector<std::string> AllCandidates(const Case& c) {
  RunSpec any = c.runs.front();
  any.args.clear();
  std::vector<std::string> all = CandidateLibraries(c, any);
  for (const RunSpec& run : c.runs)
    for (const std::string& path : CandidateLibraries(c, run))
      if (std::find(all.begin(), all.end(), path) == all.end()) all.push_back(path);
  return all;
}

Result<int> Shell(const Case& c, const InsideOptions& options, const Program& program,
                  Terminal* terminal, CaseRunner& runner) {
  TRY(const Prepared inside, Prepare(c, options, program, terminal != nullptr, runner));
  TRY(const RawRun raw, RunInteractively(inside.start, inside.stand->tree.root, runner.recorders(),
                                         runner.isolation(), terminal));
  const int status = ExitStatusOf(raw.outcome);
  if (raw.outcome.kind == Outcome::Kind::kNotStarted) return status;
  Evidence evidence = Decode(raw, inside.spec.scanner, AllCandidates(c));
  TRY(const AfterRun after, runner.Ask(c, inside.spec, *inside.stand, QuestionsOf(evidence)));
  Conclude(after, evidence);
  PrintSummary(evidence);
  return status;
}

int Shell(const InsideOptions& options, const Program& program) {
  const Result<Case> c = SingleCase(options.scenario);
  if (!c) return PrintError(c.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  // Commands may come from a file or a pipe: then there is nothing to lend.
  if (isatty(STDIN_FILENO) == 0) {
    CatchInterrupts();
    const Result<int> status = Shell(*c, options, program, nullptr, runner);
    return status ? *status : PrintError(status.error(), kBadInput);
  }
  Result<Terminal> terminal = Terminal::Borrow();
  if (!terminal) return PrintError(terminal.error(), kCannotHere);
  const Result<int> status = Shell(*c, options, program, &*terminal, runner);
  return status ? *status : PrintError(status.error(), kBadInput);
}

}  // namespace

Action DeclareShell(CLI::App& app) {
  const auto options = std::make_shared<InsideOptions>();
  AddFooter(
      app,
      "Its exit status is passed through; what was seen is said in short at the end. Tools, gdb "
      "and Python are this machine's.");
  AddInside(app, *options);
  return [options](const Program& program) { return Shell(*options, program); };
}

}  // namespace gpustage
