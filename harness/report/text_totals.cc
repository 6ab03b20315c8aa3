// What is said of a run as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "harness/report/common.h"
#include "harness/report/for_terminal.h"
#include "harness/report/text.h"

namespace gpustage {
namespace {

// The lower one of two in the middle.
double MedianOf(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string CountsText(const Totals& totals) {
  std::string text = fmt::format("{} passed, {} failed", totals.pass, totals.fail);
  if (totals.xfail > 0) text += fmt::format(", {} failed as expected", totals.xfail);
  if (totals.xpass > 0) text += fmt::format(", {} passed unexpectedly", totals.xpass);
  if (totals.flaky > 0) text += fmt::format(", {} flaky", totals.flaky);
  if (totals.error > 0)
    text += fmt::format(", {} error{}", totals.error, totals.error == 1 ? "" : "s");
  if (totals.skip > 0) text += fmt::format(", {} skipped", totals.skip);
  return text;
}

std::string Section(const char* title, const std::vector<std::string>& runs) {
  if (runs.empty()) return "";
  std::string text = fmt::format("  {}: {}\n", title, runs.size());
  for (const std::string& run : runs) text += fmt::format("    {}\n", run);
  return text;
}

std::string DurationText(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", std::max(1.0, std::ceil(seconds)));
  return fmt::format("{:.0f} min", std::ceil(seconds / 60));
}

}  // namespace

std::string TotalsText(const Report& report) {
  const Tally& tally = report.tally;
  std::string text = CountsText(tally.totals) + fmt::format(" in {:.1f} s", report.seconds);
  text += report.reports > 1 ? fmt::format(" of {} reports\n", report.reports) : "\n";
  for (const auto& [reason, count] : tally.skipped)
    text += fmt::format("  skipped {}: {}\n", count, OneLine(reason));
  if (tally.assuming > 0)
    text += fmt::format("  read assumed values of a device: {} (in the JSON report: assumed)\n",
                        tally.assuming);
  if (tally.unjudged > 0)
    text += fmt::format("  not judged, since it was not watched: {} expectation{}\n",
                        tally.unjudged, tally.unjudged == 1 ? "" : "s");
  std::string by_scanner, medians;
  for (const auto& [scanner, count] : tally.passed)
    by_scanner += fmt::format("{}{} {}", by_scanner.empty() ? "" : ", ", scanner, count);
  if (!by_scanner.empty()) text += fmt::format("  passed by scanner: {}\n", by_scanner);
  for (const auto& [scanner, all] : tally.milliseconds)
    medians += fmt::format("{}{} {} ms", medians.empty() ? "" : ", ", scanner,
                           static_cast<int64_t>(MedianOf(all)));
  if (!medians.empty()) text += fmt::format("  median time a run: {}\n", medians);
  return text;
}

std::string SlowestText(const Report& report) {
  std::string text;
  for (const SlowRun& run : report.tally.slowest)
    text += fmt::format("  {:<7} {:>6} ms  {}\n", text.empty() ? "slowest" : "",
                        static_cast<int64_t>(run.milliseconds), OneLine(run.name));
  return text;
}

std::string BaselineText(const Report& report) {
  if (!report.baseline) return "";
  const BaselineChanges& changes = *report.baseline;
  std::string text =
      fmt::format("\n{} since {}\n", changes.Worse() ? "worse" : "nothing got worse", changes.file);
  text += Section("newly failing", changes.newly_failing);
  if (!changes.moved.empty())
    text += fmt::format("  moved to another backend or library: {}\n", changes.moved.size());
  for (const MovedDevice& moved : changes.moved)
    text += fmt::format("    {}\n      {}\n      from {}\n      to   {}\n", moved.run, moved.device,
                        moved.from, moved.to);
  text += Section("newly silent failures", changes.newly_silent);
  text += Section("newly passing", changes.newly_passing);
  text += Section("still failing", changes.still_failing);
  if (!changes.not_run.empty())
    text += fmt::format("  not run now: {} (in the JSON report: baseline.not_run)\n",
                        changes.not_run.size());
  return text;
}

std::string ProblemsText(const Report& report) {
  std::string text;
  for (const Problem& problem : report.problems)
    text += fmt::format("gpustage: {}\n", problem.text);
  return text;
}

std::string StatusLine(const Progress& progress, size_t width) {
  const Totals& totals = progress.totals;
  std::vector<std::string> parts = {fmt::format("{} of {} cases", progress.done, progress.all)};
  if (const int bad = totals.Bad(); bad > 0) parts.push_back(fmt::format("{} bad", bad));
  if (totals.skip > 0) parts.push_back(fmt::format("{} skipped", totals.skip));
  if (progress.done > 0 && progress.done < progress.all) {
    const double left = progress.seconds / static_cast<double>(progress.done) *
                        static_cast<double>(progress.all - progress.done);
    parts.push_back(fmt::format("about {} left", DurationText(left)));
  }
  std::string line;  // what has no room stays away: it comes again
  for (const std::string& part : parts) {
    const std::string longer = line.empty() ? part : line + ", " + part;
    if (longer.size() >= width) break;
    line = longer;
  }
  return line;
}

Status WriteTextReport(const Report& report, const RunList& runs, const TextStyle& style,
                       std::ostream& out) {
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    if (run.verdict != VerdictKind::kSkip) out << ForTerminal(ProgressLine(run, style) + "\n");
    return Ok();
  }));
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    out << ForTerminal("\n" + FailureBlock(run, style));
    return Ok();
  }));
  TRY(const std::vector<Common> common, CommonOf(runs));
  out << ForTerminal(CommonText(common) + "\n" + TotalsText(report) + BaselineText(report) +
                     ProblemsText(report));
  return Ok();
}

}  // namespace gpustage
