// A case that was run: the finished value that the reports are made from.
#pragma once

#include <vector>

#include "harness/evidence/records/recorded_run.h"
#include "harness/scenario/model/case.h"
#include "harness/verdict/verdict.h"

namespace gpustage {

struct RunReport {
  RunSpec spec;
  Verdict verdict;
  Evidence evidence;          // empty for a run that was skipped
  RecordedRun recorded = {};  // what that was decoded from, to be kept
  friend bool operator==(const RunReport&, const RunReport&) = default;
};

struct CaseReport {
  Case c;
  std::vector<RunReport> runs;
  friend bool operator==(const CaseReport&, const CaseReport&) = default;
};

}  // namespace gpustage
