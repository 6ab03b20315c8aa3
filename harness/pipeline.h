// The table of contents: one case from its scenario to its verdicts, in the order of the folders
// beside this file. Of each group of runs that share a tree: plan, build; of each run: start, run,
// ask, decode, judge.
#pragma once

#include "harness/case_runner.h"
#include "harness/report/case_report.h"

namespace gpustage {

// Never fails: what goes wrong is the verdict of the runs that it concerns.
CaseReport RunCase(const Case& c, CaseRunner& runner);

}  // namespace gpustage
