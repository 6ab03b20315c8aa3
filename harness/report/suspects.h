// What is left of the suspects of a report at the end of a run, and all of them as a page.
#pragma once

#include <string>
#include <vector>

#include "harness/report/case_report.h"

namespace gpustage {

// Which suspects gave the report's log, and the one observation that tells each apart. "" when the
// run had none, or had more than the folder of their scenario.
std::string SuspectsTable(const std::vector<CaseReport>& reports);

// Markdown, for the folder of the scenario.
std::string SuspectsPage(const std::vector<Case>& cases);

}  // namespace gpustage
