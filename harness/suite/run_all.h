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
#include "harness/suite/spool.h"

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
  int max_failures = 0;      // no case starts after so many bad runs; 0: all do
  std::string evidence_dir;  // "": the evidence is not kept
  bool detail = false;       // of each run what a page shows
  HouseRules rules;
};

struct FinishedCase {
  size_t place = 0;               // in the selection
  CaseReport report;              // of the starts that are told of
  std::vector<ReportedRun> runs;  // without those that an interrupt cut short
  bool whole = true;              // it cut none short
};

struct AllRuns {
  Tally tally;
  size_t cases = 0;                 // that were run to their end
  bool stopped = false;             // by max_failures
  std::vector<CaseReport> reports;  // their ids, scenarios, suspects and verdicts, where any has a
                                    // suspect: with the evidence ten thousand would fill the memory
  Status kept = Ok();               // the first error of keeping evidence or results
};

// A case is read when its turn comes. Of one that has ended the evidence is kept and the results
// are spooled at once, then `ended` is told, one case after the other.
using CaseEnded = std::function<void(const FinishedCase&)>;
AllRuns RunAll(const CaseSelection& cases, const RunPlan& plan, CaseRunner& runner, Spool& spool,
               const CaseEnded& ended);

// `run`, or of what it throws an error in place of each run: one case must not take the others with
// it. `cannot` has the ids and names of that case.
CaseReport Guarded(const std::function<CaseReport()>& run, const CaseReport& cannot);

}  // namespace gpustage
