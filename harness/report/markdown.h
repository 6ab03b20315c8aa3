// A summary for people in a browser: $GITHUB_STEP_SUMMARY, a merge request, a wiki.
#pragma once

#include <string>

#include "harness/report/report.h"

namespace gpustage {

// The answer, what is bad with a block to open, what changed since the baseline, and skips by
// reason. The first 100 bad runs have a block, since GitHub takes a megabyte; how many there are
// more is said.
std::string MarkdownSummary(const Report& report);

}  // namespace gpustage
