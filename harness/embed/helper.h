// Runs cases in a process of their own: where this one has threads already, none of them can be
// given a namespace that the others see.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/report/case_report.h"

namespace gpustage {

// `path` is a scenario file, or a case of one. Judged anew, from what was kept of the runs.
Result<CaseReport> RunInHelper(const std::string& path, const std::vector<std::string>& scanners,
                               Case c);

}  // namespace gpustage
