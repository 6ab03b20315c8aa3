#include "harness/pipeline.h"

#include <algorithm>
#include <map>

#include "harness/evidence/records/decode.h"
#include "harness/run/interrupt.h"

namespace gpustage {
namespace {

Result<std::unique_ptr<StagedCase>> StageCase(const Case& c, CaseRunner& runner) {
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  return runner.Build(plan);
}

RunReport CutShort(const RunSpec& spec) {
  return {spec, Skipped("gpustage was interrupted"), {}, true};
}

Result<RunReport> RunOne(const Case& c, const RunSpec& spec, StagedCase& staged,
                         CaseRunner& runner) {
  if (Interrupted() != 0) return CutShort(spec);
  if (runner.IsPastDeadline()) return RunReport{spec, Skipped(runner.DeadlineReason(false)), {}};
  TRY(const RawRun raw, runner.Run(c, spec, staged));
  if (Interrupted() != 0) return CutShort(spec);
  if (raw.outcome.kind == Outcome::Kind::kTimedOut && runner.IsPastDeadline())
    return RunReport{spec, Skipped(runner.DeadlineReason(true)), {}};
  RunReport report{spec, {}, Decode(raw, spec.scanner, CandidateLibraries(c, spec))};
  TRY(runner.Explain(c, spec, staged, report.evidence));
  if (Interrupted() != 0) return CutShort(spec);  // whatever it asked has no answer
  report.verdict = Judge(c, spec, report.evidence);
  return report;
}

// The same verdict for every run of the case.
CaseReport ForAllRuns(const Case& c, const Verdict& verdict) {
  CaseReport report{c, {}};
  for (const RunSpec& spec : c.runs) report.runs.push_back({spec, verdict, {}});
  return report;
}

CaseReport RunInOneTree(const Case& c, CaseRunner& runner) {
  if (runner.IsPastDeadline()) return ForAllRuns(c, Skipped(runner.DeadlineReason(false)));
  if (const std::string why = runner.CannotStage(c); !why.empty())
    return ForAllRuns(c, Skipped(why));
  if (std::all_of(c.runs.begin(), c.runs.end(),
                  [](const RunSpec& run) { return !run.scanner.missing.empty(); })) {
    CaseReport none{c, {}};
    for (const RunSpec& spec : c.runs)
      none.runs.push_back({spec, Skipped(spec.scanner.missing), {}});
    return none;
  }
  Result<std::unique_ptr<StagedCase>> staged = StageCase(c, runner);
  if (!staged) return ForAllRuns(c, Failed(staged.error()));
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
    Result<RunReport> done = RunOne(c, now, **staged, runner);
    report.runs.push_back(done ? *std::move(done) : RunReport{spec, Failed(done.error()), {}});
  }
  return report;
}

void PutStandIns(const std::map<std::string, LibrarySource>& stand_ins, std::vector<TreeOp>& tree) {
  for (TreeOp& op : tree)
    if (auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
        placed != nullptr && placed->source.kind == LibrarySource::Kind::kFake)
      if (const auto other = stand_ins.find(placed->source.name); other != stand_ins.end())
        placed->source = other->second;
}

// The case for the runs that want others of our fakes in their tree, or for all others; what the
// rest changes is done.
Case Only(bool stand_ins, Case c) {
  for (RunSpec& run : c.runs) {
    if (run.scanner.stand_ins.empty() == stand_ins) {
      run.scanner.program.clear();
      run.scanner.missing = "run in another tree";
    } else {
      PutStandIns(run.scanner.stand_ins, c.tree);
    }
  }
  return c;
}

}  // namespace

CaseReport RunCase(const Case& c, CaseRunner& runner) {
  const auto is_usual = [](const RunSpec& run) { return run.scanner.stand_ins.empty(); };
  if (std::all_of(c.runs.begin(), c.runs.end(), is_usual)) return RunInOneTree(c, runner);
  CaseReport report = RunInOneTree(Only(true, c), runner);
  if (std::none_of(c.runs.begin(), c.runs.end(), is_usual)) return report;
  CaseReport usual = RunInOneTree(Only(false, c), runner);
  for (size_t i = 0; i < c.runs.size(); ++i)
    if (is_usual(c.runs[i])) report.runs[i] = std::move(usual.runs[i]);
  report.c = c;
  return report;
}

}  // namespace gpustage
