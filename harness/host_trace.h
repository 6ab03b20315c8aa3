// What a program finds on this machine as it is: watched by the recorders of a box, explained by
// the same chain, and nothing staged.
#pragma once

#include <string>
#include <vector>

#include "harness/report/case_report.h"
#include "harness/run/run.h"

namespace gpustage {

struct HostTrace {
  CaseReport report;                // one case, "this machine", of one run
  std::vector<std::string> unseen;  // what could not be watched, and what watching changed
};

// `argv[0]` is a path. `scanner` says how the program's log and devices are read.
Result<HostTrace> TraceOnHost(const std::vector<std::string>& argv, const ScannerSpec& scanner,
                              const Recorders& recorders);

}  // namespace gpustage
