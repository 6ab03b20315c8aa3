#include "harness/suite/run_all.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <thread>

#include "harness/pipeline.h"
#include "harness/report/repeats.h"
#include "harness/suite/evidence_dir.h"
#include "harness/verdict/distribution.h"

namespace gpustage {
namespace {

bool AllSkipped(const CaseReport& report) {
  return std::all_of(report.runs.begin(), report.runs.end(),
                     [](const RunReport& run) { return run.verdict.kind == VerdictKind::kSkip; });
}

// All were read before; one that cannot be any more has lost a file of its own meanwhile.
CaseReport Unreadable(const CaseSelection& cases, size_t place, const Error& error) {
  CaseReport report;
  report.c.id = cases.Id(place);
  report.c.scenario = cases.RangeOf(place).scenario().id;
  report.c.file = cases.RangeOf(place).scenario().file;
  for (const std::string& name : cases.Runs(place)) {
    report.runs.emplace_back().spec.name = name;
    report.runs.back().verdict = Failed(error);
  }
  return report;
}

// Every start of a case: as many as are wanted, fewer when it cannot run or the deadline comes.
std::vector<CaseReport> StartAll(const CaseSelection& cases, size_t place, int repeat,
                                 CaseRunner& runner) {
  const Result<Case> c = cases.Read(place);
  if (!c) return {Unreadable(cases, place, c.error())};
  std::vector<CaseReport> starts;
  do {
    starts.push_back(RunCase(*c, runner));
  } while (static_cast<int>(starts.size()) < repeat && !AllSkipped(starts.back()) &&
           !runner.IsPastDeadline());
  return starts;
}

struct Finished {
  CaseReport report;  // of the starts that are told of
  std::vector<ReportedRun> runs;
};

// What SuspectsTable asks of a case.
CaseReport WithoutEvidence(const CaseReport& report) {
  CaseReport thin;
  thin.c.id = report.c.id;
  thin.c.scenario = report.c.scenario;
  thin.c.suspect = report.c.suspect;
  for (const RunReport& run : report.runs) thin.runs.push_back({{}, run.verdict, {}});
  return thin;
}

Finished Finish(std::vector<CaseReport> starts, const std::string& isolation,
                const HouseRules& rules) {
  Finished finished{{starts.front().c, {}}, {}};
  for (size_t i = 0; i < starts.front().runs.size(); ++i) {
    std::vector<ReportedRun> same;
    for (const CaseReport& start : starts)
      same.push_back(ReportedRunOf(start, start.runs[i], isolation));
    Repeated told =
        Combine(std::move(same), DistributionsOf(starts.front().c, starts.front().runs[i].spec));
    Apply(rules, told.run);
    finished.runs.push_back(std::move(told.run));
    finished.report.runs.push_back(std::move(starts[told.start].runs[i]));
  }
  return finished;
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

AllRuns RunAll(const CaseSelection& cases, const RunPlan& plan, CaseRunner& runner,
               const CaseEnded& ended) {
  std::vector<Finished> finished(cases.size());
  std::atomic<size_t> next = 0;
  std::mutex printing;
  AllRuns all;
  const std::string isolation = ToString(runner.isolation().level);
  const auto work = [&] {
    for (size_t i = next++; i < cases.size(); i = next++) {
      finished[i] = Finish(StartAll(cases, i, plan.repeat, runner), isolation, plan.rules);
      Status kept = Ok();
      if (!plan.evidence_dir.empty()) kept = WriteEvidence(plan.evidence_dir, {finished[i].report});
      finished[i].report = WithoutEvidence(finished[i].report);
      const std::lock_guard lock(printing);
      if (all.kept && !kept) all.kept = std::move(kept);
      ended(finished[i].runs);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < plan.jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  for (Finished& one : finished) {
    std::move(one.runs.begin(), one.runs.end(), std::back_inserter(all.runs));
    all.reports.push_back(std::move(one.report));
  }
  return all;
}

}  // namespace gpustage
