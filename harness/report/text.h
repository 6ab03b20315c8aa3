// What a terminal shows: one line a run as it ends, a block a failure, and the totals.
#pragma once

#include <string>
#include <vector>

#include "harness/report/case_report.h"

namespace gpustage {

struct TextStyle {
  bool colour = false;  // never the only carrier of a meaning
  int width = 100;      // of the terminal
  int name_width = 40;  // the longest case id, or what the terminal has room for; 0: never cut
};

// "ok    first-steps/healthy@cuda=12   ggml   2 devices   31 ms", no newline.
std::string ProgressLine(const CaseReport& report, const RunReport& run, const TextStyle& style);

// Expected, seen, because, funnel, look. "" for a run that is not bad.
std::string FailureBlock(const CaseReport& report, const RunReport& run, const TextStyle& style);

// Each candidate library with its steps and the reason where it was lost.
std::string FunnelText(const Evidence& evidence, size_t width);

// "27 passed, 1 failed, 1 skipped in 1.9 s", then skips grouped by reason and counts by scanner.
std::string TotalsText(const std::vector<CaseReport>& reports, double seconds);

}  // namespace gpustage
