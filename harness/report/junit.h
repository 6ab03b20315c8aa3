// For CI servers: JUnit XML as Jenkins' xunit plugin has it in its schemas, which the other servers
// read too.
#pragma once

#include <string>

#include "harness/report/report.h"

namespace gpustage {

// A suite a scenario, a test case a run. Its isolation is a property of the suite: the schemas have
// none of a test case. What failed as expected is skipped, with its reason; what passed
// unexpectedly or was flaky is a failure of that type.
std::string JunitReport(const Report& report);

}  // namespace gpustage
