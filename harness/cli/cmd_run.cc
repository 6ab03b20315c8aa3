#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/cli/verbs.h"
#include "harness/cli/why_lines.h"
#include "harness/report/suspects.h"
#include "harness/run/interrupt.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/coverage.h"
#include "harness/suite/earlier_report.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/find.h"
#include "harness/suite/installation.h"
#include "harness/suite/processors.h"
#include "harness/suite/project.h"
#include "harness/suite/required.h"
#include "harness/suite/run_all.h"
#include "harness/suite/shard_options.h"

namespace gpustage {
namespace {

struct RunOptions {
  CaseFilter selection;
  ShardOptions shard;
  std::vector<std::string> require;  // scanners or parts that must not be missing
  int jobs = 0;                      // 0: as many as are of use
  std::vector<std::string> reports;  // "json=FILE"
  bool keep = false;
  std::string evidence = "all";
  std::string evidence_dir;  // "": the evidence is not kept
  std::string color = "auto";
  std::string baseline;                 // an earlier JSON report; "": none
  std::vector<std::string> xfail_from;  // files of known failures
  std::vector<std::string> fail_on;     // "silent-failure"
  int deadline = 0;                     // seconds; 0: none
  int repeat = 1;                       // starts of each run
  int max_failures = 0;                 // nothing starts after so many; 0: all do
  std::string failed;                   // an earlier JSON report, of which only what is bad runs
  bool why = false;                     // what mends each failure is sought
  int why_budget = 300;                 // starts for all of them
  bool quiet = false, verbose = false;
};

const std::map<std::string, EvidenceLevel> kLevels = {{"none", EvidenceLevel::kNone},
                                                      {"libs", EvidenceLevel::kLibs},
                                                      {"files", EvidenceLevel::kFiles},
                                                      {"all", EvidenceLevel::kAll}};

size_t LongestId(const CaseSelection& cases) {
  size_t longest = 0;
  for (size_t i = 0; i < cases.size(); ++i) longest = std::max(longest, cases.Id(i).size());
  return longest;
}

// What the end says of runs, counted as they end.
class Watched {
 public:
  Watched(const RunOptions& options, Requirements required)
      : options_(options), required_(std::move(required)) {}

  void Saw(const FinishedCase& finished) {
    required_.Saw(finished);
    for (const RunReport& run : finished.report.runs)
      if (run.verdict.skip == SkipKind::kDeadline) ++cut_;
    for (const ReportedRun& run : finished.runs) {
      ++runs_;
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
    if (!all.kept && all.cases < cases)
      problems.push_back({"not-kept", fmt::format("{}: {}", all.kept.error().message, done)});
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
  inputs.plan.detail = WantsPage(inputs.files);
  inputs.plan.jobs =
      std::clamp(options.jobs > 0 ? options.jobs : Processors(), 1,
                 std::max(static_cast<int>(inputs.cases.size()), 1));  // a shard may be empty
  return inputs;
}

Talk TalkOf(const RunOptions& options) {
  return options.quiet ? Talk::kQuiet : options.verbose ? Talk::kVerbose : Talk::kUsual;
}

Status Tell(Report& report, Inputs& inputs, const Spool& spool, const Screen& screen,
            const MoreOfRun& more, std::FILE* out) {
  if (inputs.baseline) {
    TRY(spool.Each([&](const ReportedRun& run) -> Status {
      inputs.baseline->AddNow(run);
      return Ok();
    }));
    report.baseline = std::move(*inputs.baseline).Changes();
  }
  return PrintOutcome(report, spool, screen.style(), out, more);
}

// Scenarios are read for it when the first run is bad, and then once.
std::string NearestScenario(const ReportedRun& run) {
  static const Result<Finder> finder = Finder::Read(FindCatalog({}), WordsFile());
  if (!finder) return "";
  const std::vector<FoundScenario> found = finder->Find(QuestionOf(run), 1);
  return found.empty() || found[0].score < kAlike
             ? ""
             : fmt::format("{} trace {}", CalledAs(), ShellWord(found[0].id));
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
  recorders.level = kLevels.at(options.evidence);
  CaseRunner runner(*workspace, std::move(recorders), options.keep);
  if (options.deadline > 0) {
    const std::chrono::seconds after(options.deadline);
    runner.EndBy({start + after, after});
  }

  TextStyle style = StyleFor(out, LongestId(inputs.cases), options.color);
  style.scanners = ScannerWords(options.selection);
  style.like = NearestScenario;
  Screen screen(out, style, inputs.cases.size(), TalkOf(options));
  Watched watched(options, std::move(inputs.required));
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

  WhyLines whys(inputs.cases, runner, inputs.plan.jobs, options.why_budget);
  const auto why = [&](const ReportedRun& run) { return whys.For(run); };
  const Status told =
      Tell(report, inputs, *spool, screen, options.why ? MoreOfRun(why) : MoreOfRun(), out);
  report.proven = whys.proven();
  if (options.verbose) Print(out, SlowestText(report));
  Print(out, SuspectsTable(all.reports));
  if (options.keep) Print(out, fmt::format("trees kept in {}\n", workspace->directory()));
  const Status written = WriteReports(report, *spool, screen.style(), inputs.files);
  Print(stderr, ProblemsText(report));
  for (const Status& status : {all.kept, told, written})
    if (!status) return PrintError(status.error(), kBadInput);
  return ExitStatus(report);
}

int RunSelected(RunOptions options) {
  const Result<Project> project = ProjectOf(options.selection);
  if (!project) return PrintError(project.error(), kBadInput);
  options.require.insert(options.require.end(), project->require.begin(), project->require.end());
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

// "10m" -> "600". What is wrong with it, as CLI11 wants to hear it.
std::string InSeconds(std::string& time) {
  const std::map<char, int> units = {{'s', 1}, {'m', 60}, {'h', 3600}};
  const auto unit = time.empty() ? units.end() : units.find(time.back());
  int count = 0;
  const char* const end = time.data() + (time.empty() ? 0 : time.size() - 1);
  const auto [stop, failure] = std::from_chars(time.data(), end, count);
  if (unit == units.end() || failure != std::errc() || stop != end || count < 1 ||
      count > 1'000'000)
    return "expected a time such as 90s, 10m or 2h, got \"" + time + "\"";
  time = std::to_string(count * unit->second);
  return "";
}

void AddDailyUse(CLI::App& app, RunOptions& run) {
  AddOption(
      app, "--xfail-from", run.xfail_from,
      "a file of known failures: [{case: GLOB, run: GLOB, reason, thread, until: 2026-12-31}]")
      .Kind("FILE")
      .OneEach();
  AddOption(app, "--fail-on", run.fail_on,
            "a silent failure is a failure, also where its scenario expects it")
      .OneEach()
      .OneOf({"silent-failure"});
  AddOption(app, "--deadline", run.deadline,
            "start nothing after this time, and end what runs: 90s, 10m, 2h")
      .Kind("TIME")
      .Changed(InSeconds);
  AddOption(app, "--repeat", run.repeat,
            "start each run so often, at most 10000 times; one that does not always answer "
            "the same is flaky")
      .Kind("N")
      .Between(1, 10000);
  AddOption(app, "--failed", run.failed,
            "an earlier JSON report: only its runs that were bad, of the same files")
      .Kind("FILE");
  AddOption(app, "--max-failures", run.max_failures, "start nothing after so many bad runs")
      .Kind("N")
      .Between(1, 1'000'000);
  const DeclaredOption why =
      AddFlag(app, "--why", run.why, "seek what mends each failure: one line, proven by starts");
  AddOption(app, "--why-budget", run.why_budget, "most starts for --why, in all")
      .Kind("N")
      .Needs(why)
      .Between(1, 1'000'000);
  const DeclaredOption quiet = AddFlag(app, "-q,--quiet", run.quiet, "failures and totals only");
  AddFlag(app, "-v,--verbose", run.verbose, "a line a skip, too, and the slowest runs at the end")
      .Excludes(quiet);
}

}  // namespace

Action DeclareRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  AddSelection(app, options->selection);
  AddShards(app, options->shard);
  AddOption(app, "--require", options->require, "fail when this scanner or part is missing")
      .Kind("SCANNER")
      .OneEach();
  AddJobs(app, options->jobs);
  AddReports(app, options->reports, options->baseline, options->color);
  AddDailyUse(app, *options);
  AddFlag(app, "--keep", options->keep, "leave the trees where they are and say where");
  AddOption(app, "--evidence", options->evidence, "how much is watched; all is usual")
      .OneOf({"none", "libs", "files", "all"});
  AddOption(app, "--evidence-dir", options->evidence_dir,
            "keep what was seen of each run in this folder, for gpustage trace")
      .Kind("FOLDER");
  return [options](const Program&) { return RunSelected(*options); };
}

}  // namespace gpustage
