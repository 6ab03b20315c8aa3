#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "harness/base/files.h"
#include "harness/base/limits.h"
#include "harness/base/output_file.h"
#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/host_process_text.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/diagnose/proofs.h"
#include "harness/host_trace.h"
#include "harness/pipeline.h"
#include "harness/report/for_terminal.h"
#include "harness/report/html.h"
#include "harness/report/trace.h"
#include "harness/run/interrupt.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct TraceCommand {
  bool host = false;  // the live machine instead
  int pid = 0;        // of it a process that runs already
  std::string path;   // a scenario, a case, or a folder of kept evidence
  CaseFilter selection;
  TraceOptions options;
  bool json = false;
  std::string html;  // a file; "": no page
};

using Proofs = std::map<std::pair<std::string, std::string>, std::vector<ProvenTry>>;

// Those of a page: a trace is of few.
class FewRuns : public RunList {
 public:
  void Add(const CaseReport& report, const RunReport& run, const std::string& isolation) {
    runs_.push_back(ReportedRunOf(report, run, isolation));
    runs_.back().detail = DetailOf(report, run, limits::kPageEvents);
  }
  Status Each(const RunVisitor& visit) const override {
    for (const ReportedRun& run : runs_) TRY(visit(run));
    return Ok();
  }

 private:
  std::vector<ReportedRun> runs_;
};

// What is kept of a run has no machine.
void AddKept(const KeptRun& kept, FewRuns& page) {
  CaseReport report;
  report.c.id = kept.id;
  report.c.scenario = kept.scenario;
  report.c.file = kept.scenario + ".yaml";
  report.c.claim = kept.claim;
  RunReport run;
  run.spec.name = kept.run;
  run.spec.scanner.name = kept.scanner;
  run.verdict.kind = ParseVerdictKind(kept.verdict).value_or(VerdictKind::kError);
  run.verdict.because = kept.because;
  run.evidence = kept.evidence;
  page.Add(report, run, "");
}

Status WritePage(const std::string& file, const FewRuns& page, const std::string& scanners) {
  Report report;
  TRY(page.Each([&](const ReportedRun& run) -> Status {
    report.tally.Add(run);
    report.seconds += run.duration_ms / 1000;
    return Ok();
  }));
  TextStyle style;
  style.program = CalledAs();
  style.scanners = scanners;
  TRY(OutputFile out, OutputFile::Open(file, false));
  TRY(WriteHtmlReport(report, page, style, out.stream()));
  return out.Close();
}

Result<std::vector<KeptRun>> RunNow(const std::vector<Case>& cases, const Isolation& isolation,
                                    FewRuns& page, Proofs& proofs) {
  TRY(const Workspace workspace, Workspace::Enter(isolation, false));
  CaseRunner runner(workspace, FindRecorders(), false);
  std::vector<KeptRun> runs;
  CatchInterrupts();
  for (const Case& c : cases) {
    if (Interrupted() != 0) break;
    const CaseReport report = RunCase(c, runner);
    for (const RunReport& run : report.runs) {
      runs.push_back(Keep(report, run));
      page.Add(report, run, ToString(isolation.level));
    }
    for (size_t i = 0; i < c.runs.size(); ++i) proofs[{c.id, c.runs[i].name}] = ProofsOf(c, i);
  }
  return runs;
}

// Whether it is a file, or cells of one: "a.yaml@mask=none".
bool IsOfFile(const std::string& path) {
  return IsEvidence(path) || FileExists(path) || FileExists(path.substr(0, path.rfind('@')));
}

// The command that shows this one of the runs again, as a shell takes it. `alone`: it is the only
// run that the words before the filter mean.
std::string Again(const TraceCommand& command, bool of_catalog, bool alone, const KeptRun& run) {
  const std::string filter = alone ? "" : " --filter " + ShellWord(run.id + " " + run.run);
  return fmt::format("{} trace {}{}{}", CalledAs(), ShellWord(of_catalog ? run.id : command.path),
                     ScannerWords(command.selection), filter);
}

// How its log and its devices are read: as those of the scanner that it is by its name.
ScannerSpec ScannerOf(const std::string& program) {
  Fixtures fixtures(FindCatalog({}));
  if (const auto known = fixtures.AllScanners())
    for (const auto& [name, spec] : **known)
      if (const std::string& at = spec.at.empty() ? spec.program : spec.at;
          BaseNameOf(at) == BaseNameOf(program) && BaseNameOf(at).find("python") != 0)
        return spec;
  ScannerSpec any;
  any.name = BaseNameOf(program);
  any.log_stream = "any";
  return any;
}

int TraceHost(const TraceCommand& command, Program program) {
  if (program.empty()) Lacks("-- PROGRAM");
  const std::string path = FindProgramOnHost(program.front());
  if (path.empty())
    return PrintError({fmt::format("no program {} is here", Quote(program.front()))}, kBadInput);
  const Program command_line = program;
  program.front() = path;
  const Result<HostTrace> trace = TraceOnHost(program, ScannerOf(path), FindRecorders());
  if (!trace) return PrintError(trace.error(), kCannotHere);
  TraceOptions options = command.options;
  options.width = WidthOfOutput();
  options.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  options.again = CalledAs() + " trace --host";
  options.program = " --";
  for (const std::string& word : command_line) options.program += " " + ShellWord(word);
  const KeptRun run = Keep(trace->report, trace->report.runs.front());
  if (command.json) {
    fmt::print("{}", TraceJson({run}, options));
    return kAsExpected;
  }
  fmt::print("{}", ForTerminal(TraceText(run, options)));
  for (const std::string& unseen : trace->unseen)
    fmt::print("{}\n", Wrapped("  not seen here: " + unseen, 4, options.width));
  return kAsExpected;
}

int TracePid(const TraceCommand& command) {
  const Result<HostProcesses> processes = ReadHostProcesses(command.pid, FindRecorders());
  if (!processes) return PrintError(processes.error(), kBadInput);
  fmt::print("{}", command.json ? HostProcessesJson(*processes)
                                : ForTerminal(HostProcessesText(*processes, WidthOfOutput())));
  return kAsExpected;
}

int Trace(const TraceCommand& command) {
  if (command.path.empty())
    return PrintError({"trace needs a scenario, a case or a folder, or --host -- PROGRAM"},
                      kBadInput);
  const std::string& path = command.path;
  TraceOptions options = command.options;
  options.width = WidthOfOutput();
  options.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  std::vector<KeptRun> runs;
  FewRuns page;
  if (!command.html.empty())
    if (const Status writable = OutputFile::Check(command.html); !writable)
      return PrintError(writable.error(), kBadInput);
  Proofs proofs;
  if (IsEvidence(path)) {
    Result<std::vector<KeptRun>> kept = ReadEvidence(path);
    if (!kept) return PrintError(kept.error(), kBadInput);
    runs = *std::move(kept);
    std::erase_if(runs, [&](const KeptRun& run) {
      return (run.id + " " + run.run).find(command.selection.filter) == std::string::npos;
    });
    for (const KeptRun& run : runs) AddKept(run, page);
  } else {
    CaseFilter selection = command.selection;
    selection.paths = {path};
    const Result<std::vector<Case>> cases = SelectCases(selection);
    if (!cases) return PrintError(cases.error(), kBadInput);
    const Isolation isolation = ProbeIsolation();
    Result<std::vector<KeptRun>> now = RunNow(*cases, isolation, page, proofs);
    if (!now) return PrintError(now.error(), kCannotHere);
    runs = *std::move(now);
    if (Interrupted() != 0) return 128 + Interrupted();
  }
  if (runs.empty()) return PrintError({fmt::format("no run in {} matches", path)}, kBadInput);
  if (!command.html.empty())
    if (const Status written = WritePage(command.html, page, ScannerWords(command.selection));
        !written)
      return PrintError(written.error(), kBadInput);
  if (command.json) {
    fmt::print("{}", TraceJson(runs, options));
    return kAsExpected;
  }
  const bool of_catalog = !IsOfFile(path);
  std::map<std::string, size_t> of_case;
  for (const KeptRun& run : runs) ++of_case[of_catalog ? run.id : ""];
  for (size_t i = 0; i < runs.size(); ++i) {
    options.again = Again(command, of_catalog, of_case[of_catalog ? runs[i].id : ""] == 1, runs[i]);
    options.proven = proofs[{runs[i].id, runs[i].run}];
    fmt::print("{}{}", i == 0 ? "" : "\n", ForTerminal(TraceText(runs[i], options)));
  }
  return kAsExpected;
}

}  // namespace

Action DeclareTrace(CLI::App& app) {
  const auto options = std::make_shared<TraceCommand>();
  AddFooter(
      app,
      "A folder is one that run --evidence-dir filled; its files are JSON Lines, one a run. "
      "The timeline is printed with --timeline, or with any of --kind, --library and --process.");
  AddOption(app, "what", options->path, "a scenario, a case, or a folder of run --evidence-dir")
      .Kind("SCENARIO");
  const DeclaredOption host =
      AddFlag(app, "--host", options->host,
              "of -- PROGRAM on this machine as it is: nothing is staged, nothing is changed");
  AddOption(app, "--pid", options->pid,
            "with --host: of this process, which runs already, and those below it: what it has "
            "mapped and open, its variables, the nodes as it sees them")
      .Kind("PID")
      .Between(1, 1 << 22)
      .Needs(host);
  AddFilters(app, options->selection);
  AddFlag(app, "--timeline", options->options.timeline, "every event in order of time");
  AddOption(app, "--kind", options->options.kinds, "only events of this kind")
      .OneEach()
      .OneOf(TraceKinds());
  AddOption(app, "--library", options->options.library, "only this library: a part of its path");
  AddOption(app, "--process", options->options.process,
            "only this process: a pid or a part of its role");
  AddOption(app, "--html", options->html,
            "also a page to look at, as run --report html=FILE has it")
      .Kind("FILE")
      .Excludes(host);
  AddFlag(app, "--json", options->json,
          "for programs: {version, runs: [{id, answer, funnel, timeline}]}");
  return [options](const Program& program) {
    if (options->host && !options->path.empty())
      HasTooMuch(options->path + " is staged, and --host stages nothing");
    if (options->pid > 0 && !program.empty())
      HasTooMuch("--pid is of a process that runs, -- of one that is to be started");
    if (options->pid > 0) return TracePid(*options);
    if (options->host) return TraceHost(*options, program);
    if (!program.empty()) HasTooMuch("-- is for --host");
    return Trace(*options);
  };
}

}  // namespace gpustage
