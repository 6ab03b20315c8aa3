// One page that needs nothing else: what failed and why is readable without a script; with one
// there are the matrix, a search, and what was seen of each run. harness/report/html has its style
// and its scripts.
#pragma once

#include <iosfwd>

#include "harness/report/report.h"
#include "harness/report/run_list.h"
#include "harness/report/text.h"

namespace gpustage {

// Of `style` only the program and the scanners, for the commands that repeat a run.
Status WriteHtmlReport(const Report& report, const RunList& runs, const TextStyle& style,
                       std::ostream& out);

}  // namespace gpustage
