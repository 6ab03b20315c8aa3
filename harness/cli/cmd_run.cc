#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/options.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/cli/verbs.h"
#include "harness/report/suspects.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/coverage.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"
#include "harness/suite/project.h"
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
};

const std::map<std::string, EvidenceLevel> kLevels = {{"none", EvidenceLevel::kNone},
                                                      {"libs", EvidenceLevel::kLibs},
                                                      {"files", EvidenceLevel::kFiles},
                                                      {"all", EvidenceLevel::kAll}};

std::vector<std::string> IdsOf(const CaseSelection& cases) {
  std::vector<std::string> ids;
  for (size_t i = 0; i < cases.size(); ++i) ids.push_back(cases.Id(i));
  return ids;
}

// The first scanner or part of --require that was missing, with the sentence of its skip; "" when
// none was. That no run is of it says something of all cases only, not of a shard.
std::string MissingRequired(const std::vector<std::string>& require,
                            const std::vector<ReportedRun>& runs, bool is_shard) {
  for (const std::string& name : require) {
    bool ran = false;
    for (const ReportedRun& run : runs) {
      const bool about = run.scanner == name;
      if (run.verdict != VerdictKind::kSkip && about) ran = true;
      if (run.verdict == VerdictKind::kSkip &&
          (about || run.because.find(name) != std::string::npos))
        return fmt::format("{} is required: {}", name, run.because);
    }
    if (!ran && !is_shard)
      return fmt::format("{} is required: no case of this selection uses {}", name, name);
  }
  return "";
}

std::vector<Problem> ProblemsOf(const RunOptions& options, const std::vector<ReportedRun>& runs,
                                const CaseRunner& runner) {
  std::vector<Problem> problems;
  const auto cut = std::count_if(runs.begin(), runs.end(), [&](const ReportedRun& run) {
    return runner.IsOfDeadline(run.because);
  });
  const auto few = std::count_if(runs.begin(), runs.end(), [&](const ReportedRun& run) {
    int starts = 0;
    for (const RepeatedAnswer& answer : run.answers) starts += answer.times;
    return options.repeat > 1 && run.verdict != VerdictKind::kSkip && starts < options.repeat;
  });
  if (cut > 0)
    problems.push_back(
        {"deadline",
         fmt::format("the deadline of {} s passed: {} of {} runs did not start or did not end",
                     options.deadline, cut, runs.size())});
  if (few > 0)
    problems.push_back(
        {"deadline",
         fmt::format("the deadline of {} s passed: {} of {} runs were started fewer than {} times",
                     options.deadline, few, runs.size(), options.repeat)});
  if (std::string missing = MissingRequired(options.require, runs, !options.shard.shard.empty());
      !missing.empty())
    problems.push_back({"require", std::move(missing)});
  return problems;
}

// What is read before anything runs.
struct Inputs {
  std::vector<ReportFile> files;
  CaseSelection cases;
  TakenShard taken;  // which part of the selection they are
  std::optional<Report> baseline;
  RunPlan plan;
};

Result<Inputs> ReadInputs(const RunOptions& options) {
  TRY(std::vector<ReportFile> files, ParseReportFiles(options.reports));
  TRY(CaseSelection cases, Select(options.selection));
  Inputs inputs{std::move(files), std::move(cases), {}, {}, {}};
  if (!options.evidence_dir.empty()) TRY(MakeEvidenceFolder(options.evidence_dir));
  if (!options.baseline.empty()) {
    TRY(inputs.baseline, ReadReport(options.baseline));
  }
  HouseRules& rules = inputs.plan.rules;
  rules.today = Today();
  rules.fail_on_silence = !options.fail_on.empty();
  for (const std::string& file : options.xfail_from) {
    TRY(const std::vector<KnownFailure> known, ReadKnownFailures(file));
    rules.known.insert(rules.known.end(), known.begin(), known.end());
  }
  TRY(CheckUsed(rules.known, inputs.cases));
  TRY(inputs.taken, TakeShard(options.shard, inputs.cases));
  TRY(inputs.cases.CheckAll());
  inputs.plan.repeat = options.repeat;
  inputs.plan.evidence_dir = options.evidence_dir;
  inputs.plan.jobs = std::clamp(
      options.jobs > 0 ? options.jobs : static_cast<int>(std::thread::hardware_concurrency()), 1,
      std::max(static_cast<int>(inputs.cases.size()), 1));  // a shard may be empty
  return inputs;
}

int Run(RunOptions options) {
  const Result<Project> project = ProjectOf(options.selection);
  if (!project) return PrintError(project.error(), kBadInput);
  options.require.insert(options.require.end(), project->require.begin(), project->require.end());
  const Result<Inputs> inputs = ReadInputs(options);
  if (!inputs) return PrintError(inputs.error(), kBadInput);
  std::FILE* const out = TakeStdout(inputs->files) ? stderr : stdout;
  if (!inputs->taken.line.empty()) fmt::print(out, "{}\n", inputs->taken.line);
  for (const CaseRange* range : inputs->cases.Ranges()) fmt::print(out, "{}", CoverageText(*range));
  const auto start = std::chrono::steady_clock::now();
  const Result<Workspace> workspace = Workspace::Enter(ProbeIsolation(), options.keep);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Recorders recorders = FindRecorders();
  recorders.level = kLevels.at(options.evidence);
  CaseRunner runner(*workspace, std::move(recorders), options.keep);
  if (options.deadline > 0) runner.EndBy(start, std::chrono::seconds(options.deadline));

  TextStyle style = StyleFor(out, IdsOf(inputs->cases), options.color);
  style.scanners = ScannerWords(options.selection);
  Screen screen(out, style, inputs->cases.size());
  AllRuns all =
      RunAll(inputs->cases, inputs->plan, runner, [&](const auto& runs) { screen.Ended(runs); });
  screen.Clear();
  Report report;
  report.runs = std::move(all.runs);
  if (const auto& shard = inputs->taken.shard) report.shards = {{shard->index, shard->total}};
  report.problems = ProblemsOf(options, report.runs, runner);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (inputs->baseline)
    report.baseline = ChangesSince(inputs->baseline->runs, options.baseline, report.runs);

  PrintOutcome(report, screen.style(), out);
  fmt::print(out, "{}", SuspectsTable(all.reports));
  if (options.keep) fmt::print(out, "trees kept in {}\n", workspace->directory());
  if (const Status written = WriteReports(report, screen.style(), inputs->files); !written)
    return PrintError(written.error(), kBadInput);
  if (!all.kept) return PrintError(all.kept.error(), kBadInput);
  fmt::print(stderr, "{}", ProblemsText(report));
  return ExitStatus(report);
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
  app.add_option(
         "--xfail-from", run.xfail_from,
         "a file of known failures: [{case: GLOB, run: GLOB, reason, thread, until: 2026-12-31}]")
      ->type_name("FILE")
      ->allow_extra_args(false);
  OneOf(app.add_option("--fail-on", run.fail_on,
                       "a silent failure is a failure, also where its scenario expects it")
            ->allow_extra_args(false),
        {"silent-failure"});
  app.add_option("--deadline", run.deadline,
                 "start nothing after this time, and end what runs: 90s, 10m, 2h")
      ->type_name("TIME")
      ->transform(CLI::Validator(InSeconds, ""));
  app.add_option("--repeat", run.repeat,
                 "start each run so often, at most 10000 times; one that does not always answer "
                 "the same is flaky")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
}

}  // namespace

Action DeclareRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  AddSelection(app, options->selection);
  AddShards(app, options->shard);
  app.add_option("--require", options->require, "fail when this scanner or part is missing")
      ->type_name("SCANNER")
      ->allow_extra_args(false);
  AddJobs(app, options->jobs);
  AddReports(app, options->reports, options->baseline, options->color);
  AddDailyUse(app, *options);
  app.add_flag("--keep", options->keep, "leave the trees where they are and say where");
  OneOf(app.add_option("--evidence", options->evidence, "how much is watched; all is usual"),
        {"none", "libs", "files", "all"});
  app.add_option("--evidence-dir", options->evidence_dir,
                 "keep what was seen of each run in this folder, for gpustage trace")
      ->type_name("FOLDER");
  return [options](const Program&) { return Run(*options); };
}

}  // namespace gpustage
