#include "harness/pipeline.h"

#include "harness/evidence/decode.h"

namespace gpustage {
namespace {

Result<std::unique_ptr<Stand>> StageCase(const Case& c, Worker& worker) {
  TRY(std::vector<HostFile> base, worker.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), worker.CanSetOwners()));
  return worker.Build(plan);
}

Result<RunReport> RunOne(const Case& c, const RunSpec& spec, Stand& stand, Worker& worker) {
  if (worker.IsPastDeadline()) return RunReport{spec, Skipped(worker.DeadlineReason(false)), {}};
  TRY(const RawRun raw, worker.Run(c, spec, stand));
  if (raw.outcome.kind == Outcome::Kind::kTimedOut && worker.IsPastDeadline())
    return RunReport{spec, Skipped(worker.DeadlineReason(true)), {}};
  RunReport report{spec, {}, Decode(raw, spec.scanner, CandidateLibraries(c, spec))};
  TRY(worker.Explain(c, spec, stand, report.evidence));
  report.verdict = Judge(c, spec, report.evidence);
  return report;
}

// The same verdict for every run of the case.
CaseReport ForAllRuns(const Case& c, const Verdict& verdict) {
  CaseReport report{c, {}};
  for (const RunSpec& spec : c.runs) report.runs.push_back({spec, verdict, {}});
  return report;
}

}  // namespace

CaseReport RunCase(const Case& c, Worker& worker) {
  if (worker.IsPastDeadline()) return ForAllRuns(c, Skipped(worker.DeadlineReason(false)));
  if (const std::string why = worker.CannotStage(c); !why.empty()) return ForAllRuns(c, Skipped(why));
  Result<std::unique_ptr<Stand>> stand = StageCase(c, worker);
  if (!stand) return ForAllRuns(c, Failed(stand.error()));
  CaseReport report{c, {}};
  std::vector<TreeOp> owed;  // by runs that were skipped
  for (const RunSpec& spec : c.runs) {
    if (!spec.scanner.missing.empty()) {
      report.runs.push_back({spec, Skipped(spec.scanner.missing), {}});
      owed.insert(owed.end(), spec.change.begin(), spec.change.end());
      continue;
    }
    RunSpec now = spec;
    now.change.insert(now.change.begin(), owed.begin(), owed.end());
    owed.clear();
    Result<RunReport> done = RunOne(c, now, **stand, worker);
    report.runs.push_back(done ? *std::move(done) : RunReport{spec, Failed(done.error()), {}});
  }
  return report;
}

}  // namespace gpustage
