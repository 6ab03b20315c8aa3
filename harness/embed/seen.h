// From the report of one run to what its user gets of it.
#pragma once

#include "gpustage/seen.h"
#include "harness/report/case_report.h"

namespace gpustage {

Seen SeenOf(RunReport report);
Seen NotRun(std::string error);
Seen CannotRun(std::string why);

}  // namespace gpustage
