#include "harness/pipeline.h"

#include <fmt/format.h>

#include <optional>

#include "harness/evidence/path/known.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/records/decode.h"
#include "harness/run/interrupt.h"
#include "harness/scenario/model/tree_group.h"

namespace gpustage {
namespace {

bool MustEnd(const CaseRunner& runner) {
  return Interrupted() != 0 || runner.deadline().HasPassed();
}

// Of a run that we kept from starting, or ended: nothing is known of it.
RunReport Ended(const RunSpec& spec, const CaseRunner& runner, const char* how) {
  if (Interrupted() != 0)
    return {spec, Skipped("gpustage was interrupted", SkipKind::kInterrupt), {}};
  const auto seconds = runner.deadline().after.count();
  return {
      spec, Skipped(fmt::format("the deadline of {} s {}", seconds, how), SkipKind::kDeadline), {}};
}

Result<std::unique_ptr<StagedCase>> PlanAndBuild(const Case& c, CaseRunner& runner) {
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  return runner.Build(plan);
}

// Start and run, ask, decode, judge.
Result<RunReport> RunInTree(const Case& c, const RunSpec& spec, StagedCase& staged,
                            CaseRunner& runner) {
  TRY(RawRun raw, runner.Run(c, spec, staged));
  const bool timed_out = raw.outcome.kind == Outcome::Kind::kTimedOut;
  if (Interrupted() != 0 || (timed_out && runner.deadline().HasPassed()))
    return Ended(spec, runner, "came while it ran");
  RunReport run{spec, {}, {}};
  run.recorded =
      Recorded(std::move(raw), spec.scanner, CandidateLibraries(c, spec), SettingOf(c, spec));
  run.evidence = Decode(run.recorded);
  TRY(run.recorded.after, runner.Ask(c, spec, staged, QuestionsOf(run.evidence)));
  if (Interrupted() != 0) return Ended(spec, runner, "");
  Conclude(run.recorded.after, run.evidence);
  run.verdict = Judge(c, spec, run.evidence);
  return run;
}

}  // namespace

CaseReport RunCase(const Case& c, CaseRunner& runner) {
  CaseReport report{c, {}};
  for (const RunSpec& spec : c.runs)
    report.runs.push_back({spec, Skipped(spec.scanner.missing), {}});
  for (const TreeGroup& group : GroupByTree(c)) {
    const std::string cannot = runner.CannotStage(group.c);
    Result<std::unique_ptr<StagedCase>> staged = Error{cannot};
    if (cannot.empty() && !MustEnd(runner)) staged = PlanAndBuild(group.c, runner);
    for (size_t i = 0; i < group.places.size(); ++i) {
      const RunSpec& spec = group.c.runs[i];
      RunReport& run = report.runs[group.places[i]];
      if (MustEnd(runner)) {
        run = Ended(spec, runner, "had passed");
      } else if (!staged) {
        run.verdict = cannot.empty() ? Failed(staged.error()) : Skipped(cannot);
      } else {
        Result<RunReport> done = RunInTree(group.c, spec, **staged, runner);
        run = done ? *std::move(done) : RunReport{spec, Failed(done.error()), {}};
      }
    }
  }
  return report;
}

}  // namespace gpustage
