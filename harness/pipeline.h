// The table of contents: one case from its scenario to its verdicts, in the order of the folders
// beside this file.
#pragma once

#include "harness/report/case_report.h"
#include "harness/worker.h"

namespace gpustage {

// Never fails: what goes wrong is the verdict of the runs that it concerns.
CaseReport RunCase(const Case& c, Worker& worker);

}  // namespace gpustage
