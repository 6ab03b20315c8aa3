// For CI servers: JUnit XML as Jenkins' xunit plugin has it in its schemas, which the other servers
// read too.
#pragma once

#include <iosfwd>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

// A suite a scenario, a test case a run. Its isolation is a property of the suite: the schemas have
// none of a test case; so are problems, and the signal that ended the run. What failed as expected
// is skipped, with its reason; what passed unexpectedly or was flaky is a failure of that type. A
// scenario whose runs do not stand together has a suite for each of their groups.
Status WriteJunitReport(const Report& report, const RunList& runs, std::ostream& out);

}  // namespace gpustage
