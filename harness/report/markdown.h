// A summary for people in a browser: $GITHUB_STEP_SUMMARY, a merge request, a wiki.
#pragma once

#include <iosfwd>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

// The answer, what is bad with a block to open, what changed since the baseline, and skips by
// reason. GitHub takes a megabyte: how much more there is, is said.
Status WriteMarkdownSummary(const Report& report, const RunList& runs, std::ostream& out);

}  // namespace gpustage
