#include "harness/suite/run_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <system_error>

#include "harness/base/bugs.h"
#include "harness/base/limits.h"
#include "harness/base/threads.h"
#include "harness/pipeline.h"
#include "harness/report/repeats.h"
#include "harness/run/interrupt.h"
#include "harness/suite/evidence_dir.h"
#include "harness/verdict/distribution.h"

namespace gpustage {
namespace {

bool AllSkipped(const CaseReport& report) {
  return std::all_of(report.runs.begin(), report.runs.end(),
                     [](const RunReport& run) { return run.verdict.kind == VerdictKind::kSkip; });
}

// The case and its runs, without a verdict.
CaseReport Outline(const CaseSelection& cases, size_t place) {
  CaseReport report;
  report.c.id = cases.Id(place);
  report.c.scenario = cases.RangeOf(place).scenario().id;
  report.c.file = cases.RangeOf(place).scenario().file;
  report.c.claim = cases.RangeOf(place).scenario().claim;
  for (const std::string& name : cases.Runs(place)) report.runs.emplace_back().spec.name = name;
  return report;
}

CaseReport WithError(CaseReport report, const Error& error) {
  for (RunReport& run : report.runs) run.verdict = Failed(error);
  return report;
}

// What SuspectsTable asks of a case.
CaseReport WithoutEvidence(const CaseReport& report) {
  CaseReport thin;
  thin.c.id = report.c.id;
  thin.c.scenario = report.c.scenario;
  thin.c.suspect = report.c.suspect;
  for (const RunReport& run : report.runs) thin.runs.push_back({{}, run.verdict, {}});
  return thin;
}

// One case: as many starts as are wanted, fewer when it cannot run, the deadline comes or a signal.
// Of each run the start that tells most is kept, and no other.
class CaseStarts {
 public:
  CaseStarts(const std::string& isolation, const RunPlan& plan)
      : isolation_(isolation), plan_(plan) {}

  void Add(CaseReport start) {
    if (repeats_.empty()) {
      report_.c = start.c;
      report_.runs.resize(start.runs.size());
      repeats_.resize(start.runs.size());
      told_.resize(start.runs.size());
    }
    for (size_t i = 0; i < start.runs.size(); ++i) {
      if (start.runs[i].verdict.skip == SkipKind::kInterrupt) continue;
      told_[i] = true;
      if (repeats_[i].Add(ReportedRunOf(start, start.runs[i], isolation_)))
        report_.runs[i] = std::move(start.runs[i]);
    }
  }

  FinishedCase Finish(size_t place) && {
    FinishedCase finished{place, {std::move(report_.c), {}}, {}};
    for (size_t i = 0; i < repeats_.size(); ++i) {
      finished.whole = finished.whole && told_[i];
      if (!told_[i]) continue;
      ReportedRun run =
          std::move(repeats_[i]).Told(DistributionsOf(finished.report.c, report_.runs[i].spec));
      Apply(plan_.rules, run);
      if (plan_.detail)
        run.detail = DetailOf(finished.report, report_.runs[i],
                              IsBad(run.verdict) ? limits::kPageEvents : limits::kPageFewEvents);
      finished.runs.push_back(std::move(run));
      finished.report.runs.push_back(std::move(report_.runs[i]));
    }
    return finished;
  }

 private:
  const std::string& isolation_;
  const RunPlan& plan_;
  CaseReport report_;
  std::vector<Repeats> repeats_;
  std::vector<bool> told_;  // whether anything is known of the run
};

FinishedCase RunOneCase(const CaseSelection& cases, size_t place, const RunPlan& plan,
                        const std::string& isolation, CaseRunner& runner) {
  CaseStarts starts(isolation, plan);
  const CaseReport outline = Outline(cases, place);
  for (int start = 0; start < plan.repeat; ++start) {
    CaseReport report = Guarded(
        [&] {
          // All were read before; one that cannot be any more has lost a file of its own meanwhile.
          const Result<Case> c = cases.Read(place);
          return c ? RunCase(*c, runner) : WithError(outline, c.error());
        },
        outline);
    const bool skipped = AllSkipped(report);
    starts.Add(std::move(report));
    if (skipped || runner.deadline().HasPassed() || Interrupted() != 0) break;
  }
  return std::move(starts).Finish(place);
}

}  // namespace

void Apply(const HouseRules& rules, ReportedRun& run) {
  if (rules.fail_on_silence && run.silent_failure.value_or(false) &&
      run.verdict == VerdictKind::kPass) {
    run.verdict = VerdictKind::kFail;
    run.because = run.silent_because;
    run.unmet.push_back({"no silent failure (--fail-on silent-failure)", run.silent_because, false,
                         "", run.file, 1, 1});
  }
  ExpectKnown(rules.known, rules.today, run);
}

CaseReport Guarded(const std::function<CaseReport()>& run, const CaseReport& cannot) {
  const BugsAreThrown here;
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return WithError(cannot, {"gpustage has no memory left for it"});
  } catch (const std::system_error& error) {  // of a thread that cannot be started
    return WithError(cannot, {fmt::format("this machine does not give gpustage what it needs: {}",
                                          error.code().message())});
  } catch (const std::exception& error) {
    return WithError(cannot, {fmt::format("gpustage has a bug: {}", error.what())});
  }
}

AllRuns RunAll(const CaseSelection& cases, const RunPlan& plan, CaseRunner& runner, Spool& spool,
               const CaseEnded& ended) {
  std::mutex telling;
  std::atomic<bool> stopped = false;
  AllRuns all;
  std::set<std::string> scenarios;
  std::map<size_t, CaseReport> reports;
  const std::string isolation = ToString(runner.isolation().level);
  const auto keep = [&](const FinishedCase& finished) -> Status {
    if (!plan.evidence_dir.empty()) TRY(WriteEvidence(plan.evidence_dir, finished.report));
    for (const ReportedRun& run : finished.runs) TRY(spool.Add(run, finished.place));
    return Ok();
  };
  const auto work = [&](size_t place) {
    if (stopped || Interrupted() != 0) return;
    const FinishedCase finished = RunOneCase(cases, place, plan, isolation, runner);
    Status kept = keep(finished);
    const std::lock_guard lock(telling);
    if (all.kept && !kept) all.kept = std::move(kept);
    for (const ReportedRun& run : finished.runs) all.tally.Add(run);
    if (finished.whole) ++all.cases;
    // Of what has no suspect one of each scenario is enough.
    if (finished.report.c.suspect || scenarios.insert(finished.report.c.scenario).second)
      reports.emplace(place, WithoutEvidence(finished.report));
    if (plan.max_failures > 0 && all.tally.totals.Bad() >= plan.max_failures) stopped = true;
    ended(finished);
  };
  try {
    InThreads(plan.jobs, cases.size(), work);
  } catch (const std::bad_alloc&) {  // beside a case, whose own is its error
    all.kept = Error{"gpustage has no memory left to go on"};
  }
  for (auto& [place, report] : reports) all.reports.push_back(std::move(report));
  all.stopped = stopped && all.cases < cases.size();
  return all;
}

}  // namespace gpustage
