#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/report/suspects.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/coverage.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"
#include "harness/suite/run_all.h"
#include "harness/suite/shard_options.h"

namespace gpustage {
namespace {

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

}  // namespace

int CmdRun(const RunOptions& options) {
  const Result<Inputs> inputs = ReadInputs(options);
  if (!inputs) return PrintError(inputs.error(), kBadInput);
  std::FILE* const out = TakeStdout(inputs->files) ? stderr : stdout;
  if (!inputs->taken.line.empty()) fmt::print(out, "{}\n", inputs->taken.line);
  for (const CaseRange* range : inputs->cases.Ranges()) fmt::print(out, "{}", CoverageText(*range));
  const auto start = std::chrono::steady_clock::now();
  const Result<Workspace> workspace = Workspace::Enter(ProbeIsolation(), options.keep);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Recorders recorders = FindRecorders();
  recorders.level = options.evidence;
  CaseRunner runner(*workspace, std::move(recorders), options.keep);
  if (options.deadline > 0) runner.EndBy(start, std::chrono::seconds(options.deadline));

  Screen screen(out, StyleFor(out, IdsOf(inputs->cases), options.color), inputs->cases.size());
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
  if (const Status written = WriteReports(report, inputs->files); !written)
    return PrintError(written.error(), kBadInput);
  if (!all.kept) return PrintError(all.kept.error(), kBadInput);
  fmt::print(stderr, "{}", ProblemsText(report));
  return ExitStatus(report);
}

}  // namespace gpustage
