// What a terminal shows: one line a run as it ends, a block a failure, and the totals. Nothing is
// cut: what has no room goes on in the next line.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

struct TextStyle {
  bool colour = false;  // never the only carrier of a meaning
  int width = 100;      // of the terminal
  int name_width = 40;  // the longest case id
  bool stacked =
      false;  // a line for the case and a line for its answer, where both have no room in one
  std::string program = "gpustage";  // as it was called, for the next command
  // The command that shows the scenario whose problem is most like that of a bad run, or "".
  std::function<std::string(const ReportedRun&)> like = {};
  std::string scanners;  // " --scanner mine.yaml", so that it is of the same scanner
};

// For a terminal of this width.
TextStyle FittedStyle(size_t name_width, int width, bool colour);
// For a file or a pipe: a line a run, however long. `name_width` is that of the longest id.
TextStyle PlainStyle(size_t name_width);

// "ok    first-steps/healthy@cuda=12   ggml   2 devices   31 ms", no newline at its end.
std::string ProgressLine(const ReportedRun& run, const TextStyle& style);

// Expected, seen, because, funnel, look. "" for a run that is not bad.
std::string FailureBlock(const ReportedRun& run, const TextStyle& style);

// Each candidate library with its steps and the reason where it was lost.
std::string FunnelText(const std::vector<ReportedRow>& rows, size_t width);

// "27 passed, 1 failed, 1 skipped in 1.9 s", then skips grouped by reason and counts by scanner.
std::string TotalsText(const Report& report);

// What changed since the baseline. "" without one.
std::string BaselineText(const Report& report);

// "gpustage: the deadline of 10m passed: …", a line a problem.
std::string ProblemsText(const Report& report);

// "37 of 120 cases, 2 bad, about 12 s left": the last line of a terminal while a run goes on.
struct Progress {
  size_t done = 0;
  size_t all = 0;
  Totals totals;
  double seconds = 0;
};
std::string StatusLine(const Progress& progress, size_t width);

// The runs that took longest, each with its time. "" when none ran.
std::string SlowestText(const Report& report);

// All of it, in the order of the report; a skip has its line among the totals.
Status WriteTextReport(const Report& report, const RunList& runs, const TextStyle& style,
                       std::ostream& out);

}  // namespace gpustage
