// All cases of a selection, run by several threads.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "harness/case_runner.h"
#include "harness/report/report.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/known_failures.h"

namespace gpustage {

// What a run is held to besides its scenario.
struct HouseRules {
  std::vector<KnownFailure> known;
  std::chrono::year_month_day today;
  bool fail_on_silence = false;
};
void Apply(const HouseRules& rules, ReportedRun& run);

struct RunPlan {
  int jobs = 1;
  int repeat = 1;            // starts of each run
  std::string evidence_dir;  // "": the evidence is not kept
  HouseRules rules;
};

struct AllRuns {
  std::vector<ReportedRun> runs;    // in the order of the cases
  std::vector<CaseReport> reports;  // their ids, scenarios, suspects and verdicts: with the
                                    // evidence ten thousand would fill the memory
  Status kept = Ok();               // the first error of keeping evidence
};

// A case is read when its turn comes; one that has ended is shown at once, and its evidence is kept
// at once.
using CaseEnded = std::function<void(const std::vector<ReportedRun>&)>;
AllRuns RunAll(const CaseSelection& cases, const RunPlan& plan, CaseRunner& runner,
               const CaseEnded& ended);

}  // namespace gpustage
