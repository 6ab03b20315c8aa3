// run --why: one line to each failure, within a budget.
#pragma once

#include <string>
#include <vector>

#include "harness/case_runner.h"
#include "harness/report/report.h"
#include "harness/report/reported_run.h"
#include "harness/suite/case_selection.h"

namespace gpustage {

class WhyLines {
 public:
  // `budget`: starts of scanners in all, those of proofs not counted.
  WhyLines(const CaseSelection& cases, CaseRunner& runner, int jobs, int budget)
      : cases_(cases), runner_(runner), jobs_(jobs), left_(budget) {}

  // What was proven so far.
  const std::vector<ProvenAnswer>& proven() const { return proven_; }
  // "  why       unset LD_PRELOAD (proven: 3 of 3 starts with it, 3 of 3 without it)\n"
  std::string For(const ReportedRun& run);

 private:
  std::string Sentence(const ReportedRun& run);

  const CaseSelection& cases_;
  CaseRunner& runner_;
  const int jobs_;
  int left_;
  std::vector<ProvenAnswer> proven_;
};

}  // namespace gpustage
