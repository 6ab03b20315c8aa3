// A case that was run: the finished value that the reports are made from.
#pragma once

#include <vector>

#include "harness/scenario/model/case.h"
#include "harness/verdict/verdict.h"

namespace gpustage {

struct RunReport {
  RunSpec spec;
  Verdict verdict;
  Evidence evidence;  // empty for a run that was skipped
  bool cut = false;   // a signal to us ended it, or kept it from starting: nothing is known of it
  friend bool operator==(const RunReport&, const RunReport&) = default;
};

struct CaseReport {
  Case c;
  std::vector<RunReport> runs;
  friend bool operator==(const CaseReport&, const CaseReport&) = default;
};

}  // namespace gpustage
