// From the report of one run to what its user gets of it.
#pragma once

#include "gpustage/seen.h"
#include "harness/report/case_report.h"

namespace gpustage {

RunResult SeenOf(RunReport report);
RunResult NotRun(std::string error);
RunResult CannotRun(std::string why);

}  // namespace gpustage
