// The report for programs. Version 1; README has its shape.
#pragma once

#include <string>
#include <vector>

#include "harness/report/case_report.h"

namespace gpustage {

// One entry a run. Bytes that are not UTF-8 are replaced.
std::string JsonReport(const std::vector<CaseReport>& reports);

}  // namespace gpustage
