// The finished value that every report is made from.
#pragma once

#include <vector>

#include "harness/scenario/case.h"
#include "harness/verdict/verdict.h"

namespace gpustage {

struct RunReport {
  RunSpec spec;
  Verdict verdict;
  Evidence evidence;  // empty for a run that was skipped
  friend bool operator==(const RunReport&, const RunReport&) = default;
};

struct CaseReport {
  Case c;
  std::vector<RunReport> runs;
  friend bool operator==(const CaseReport&, const CaseReport&) = default;
};

struct Totals {
  int pass = 0, fail = 0, skip = 0, xfail = 0, xpass = 0, error = 0;
  void Add(VerdictKind kind);
  int All() const { return pass + fail + skip + xfail + xpass + error; }
  bool Bad() const { return fail + xpass + error > 0; }
  friend bool operator==(const Totals&, const Totals&) = default;
};
Totals Count(const std::vector<CaseReport>& reports);

}  // namespace gpustage
