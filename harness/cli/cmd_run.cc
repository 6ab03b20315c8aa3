#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/report/suspects.h"
#include "harness/run/interrupt.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/coverage.h"
#include "harness/suite/earlier_report.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"
#include "harness/suite/required.h"
#include "harness/suite/run_all.h"
#include "harness/suite/shard_options.h"

namespace gpustage {
namespace {

size_t LongestId(const CaseSelection& cases) {
  size_t longest = 0;
  for (size_t i = 0; i < cases.size(); ++i) longest = std::max(longest, cases.Id(i).size());
  return longest;
}

// What the end says of runs, counted as they end.
class Watched {
 public:
  Watched(const RunOptions& options, const CaseRunner& runner, Requirements required)
      : options_(options), runner_(runner), required_(std::move(required)) {}

  void Saw(const FinishedCase& finished) {
    required_.Saw(finished);
    for (const ReportedRun& run : finished.runs) {
      ++runs_;
      if (runner_.IsOfDeadline(run.because)) ++cut_;
      int starts = 0;
      for (const RepeatedAnswer& answer : run.answers) starts += answer.times;
      if (options_.repeat > 1 && run.verdict != VerdictKind::kSkip && starts < options_.repeat)
        ++few_;
    }
  }

  std::vector<Problem> Problems(const AllRuns& all, size_t cases) const {
    std::vector<Problem> problems;
    const bool interrupted = Interrupted() != 0 && all.cases < cases;
    const std::string done = fmt::format("{} of {} cases were done", all.cases, cases);
    if (interrupted)
      problems.push_back(
          {"interrupted", fmt::format("interrupted by {}: {}", SignalName(Interrupted()), done)});
    if (all.stopped)
      problems.push_back({"max-failures", fmt::format("stopped after {} failures: {}",
                                                      options_.max_failures, done)});
    if (cut_ > 0)
      problems.push_back(
          {"deadline",
           fmt::format("the deadline of {} s passed: {} of {} runs did not start or did not end",
                       options_.deadline, cut_, runs_)});
    if (few_ > 0 && !interrupted)
      problems.push_back(
          {"deadline",
           fmt::format(
               "the deadline of {} s passed: {} of {} runs were started fewer than {} times",
               options_.deadline, few_, runs_, options_.repeat)});
    if (std::string missing = required_.Missing(); !missing.empty())
      problems.push_back({"require", std::move(missing)});
    return problems;
  }

 private:
  const RunOptions& options_;
  const CaseRunner& runner_;
  Requirements required_;
  int runs_ = 0, cut_ = 0, few_ = 0;
};

// What is read before anything runs.
struct Inputs {
  std::vector<ReportFile> files;
  CaseSelection cases;
  ReportedSelection selection;
  TakenShard taken;  // which part of the selection they are
  std::optional<Baseline> baseline;
  Requirements required;
  RunPlan plan;
};

Status ReadRules(const RunOptions& options, const CaseSelection& cases, HouseRules& rules) {
  rules.today = Today();
  rules.fail_on_silence = !options.fail_on.empty();
  for (const std::string& file : options.xfail_from) {
    TRY(const std::vector<KnownFailure> known, ReadKnownFailures(file));
    rules.known.insert(rules.known.end(), known.begin(), known.end());
  }
  return CheckUsed(rules.known, cases);
}

Result<Inputs> ReadInputs(const RunOptions& options, const CaseFilter& filter) {
  TRY(std::vector<ReportFile> files, ParseReportFiles(options.reports));
  TRY(CaseSelection cases, Select(filter));
  Inputs inputs{std::move(files), std::move(cases), {}, {}, {}, {}, {}};
  inputs.selection = {static_cast<int64_t>(inputs.cases.size()), inputs.cases.Digest()};
  if (!options.evidence_dir.empty()) TRY(MakeEvidenceFolder(options.evidence_dir));
  if (!options.baseline.empty()) {
    TRY(inputs.baseline, ReadBaseline(options.baseline));
  }
  TRY(ReadRules(options, inputs.cases, inputs.plan.rules));
  TRY(inputs.taken, TakeShard(options.shard, inputs.cases));
  TRY(inputs.required, Requirements::Of(options.require, inputs.cases));
  TRY(inputs.cases.CheckAll([&](const Case& c) { inputs.required.Add(c); }));
  // That no run is of it says something of all cases only, not of a shard.
  if (!inputs.taken.shard) TRY(inputs.required.CheckUsed());
  inputs.plan.repeat = options.repeat;
  inputs.plan.max_failures = options.max_failures;
  inputs.plan.evidence_dir = options.evidence_dir;
  inputs.plan.jobs = std::clamp(
      options.jobs > 0 ? options.jobs : static_cast<int>(std::thread::hardware_concurrency()), 1,
      std::max(static_cast<int>(inputs.cases.size()), 1));  // a shard may be empty
  return inputs;
}

Talk TalkOf(const RunOptions& options) {
  return options.quiet ? Talk::kQuiet : options.verbose ? Talk::kVerbose : Talk::kUsual;
}

Status Tell(Report& report, Inputs& inputs, const Spool& spool, const Screen& screen,
            std::FILE* out) {
  if (inputs.baseline) {
    TRY(spool.Each([&](const ReportedRun& run) -> Status {
      inputs.baseline->AddNow(run);
      return Ok();
    }));
    report.baseline = std::move(*inputs.baseline).Changes();
  }
  return PrintOutcome(report, spool, screen.style(), out);
}

int Run(const RunOptions& options, Inputs& inputs) {
  std::FILE* const out = TakeStdout(inputs.files) ? stderr : stdout;
  if (!inputs.taken.line.empty()) Print(out, inputs.taken.line + "\n");
  for (const CaseRange* range : inputs.cases.Ranges()) Print(out, CoverageText(*range));
  const auto start = std::chrono::steady_clock::now();
  CatchInterrupts();
  signal(SIGPIPE, [](int) {});  // whoever reads no more must not cost the reports
  Result<Spool> spool = Spool::Make();
  if (!spool) return PrintError(spool.error(), kCannotHere);
  const Result<Workspace> workspace = Workspace::Enter(ProbeIsolation(), options.keep);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Recorders recorders = FindRecorders();
  recorders.level = options.evidence;
  CaseRunner runner(*workspace, std::move(recorders), options.keep);
  if (options.deadline > 0) runner.EndBy(start, std::chrono::seconds(options.deadline));

  Screen screen(out, StyleFor(out, LongestId(inputs.cases), options.color), inputs.cases.size(),
                TalkOf(options));
  Watched watched(options, runner, std::move(inputs.required));
  AllRuns all =
      RunAll(inputs.cases, inputs.plan, runner, *spool, [&](const FinishedCase& finished) {
        watched.Saw(finished);
        screen.Ended(finished.place, finished.runs);
      });
  screen.Finish();
  Report report;
  report.tally = std::move(all.tally);
  report.selection = inputs.selection;
  if (const auto& shard = inputs.taken.shard) report.shards = {{shard->index, shard->total}};
  report.problems = watched.Problems(all, inputs.cases.size());
  if (Interrupted() != 0 && all.cases < inputs.cases.size())
    report.interrupted = SignalName(Interrupted());
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const Status told = Tell(report, inputs, *spool, screen, out);
  if (options.verbose) Print(out, SlowestText(report));
  Print(out, SuspectsTable(all.reports));
  if (options.keep) Print(out, fmt::format("trees kept in {}\n", workspace->directory()));
  const Status written = WriteReports(report, *spool, inputs.files);
  Print(stderr, ProblemsText(report));
  for (const Status& status : {all.kept, told, written})
    if (!status) return PrintError(status.error(), kBadInput);
  return ExitStatus(report);
}

}  // namespace

int CmdRun(const RunOptions& options) {
  CaseFilter filter = options.selection;
  if (!options.failed.empty()) {
    Result<FailedRuns> failed = ReadFailed(options.failed);
    if (!failed) return PrintError(failed.error(), kBadInput);
    if (failed->names.empty()) {
      Print(stdout, fmt::format("no run of {} is bad\n", options.failed));
      return kAsExpected;
    }
    filter.only = std::move(failed->names);
    if (filter.paths.empty()) filter.paths = std::move(failed->files);
  }
  Result<Inputs> inputs = ReadInputs(options, filter);
  return inputs ? Run(options, *inputs) : PrintError(inputs.error(), kBadInput);
}

}  // namespace gpustage
