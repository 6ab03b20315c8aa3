// What is said of a run as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/report/text.h"

namespace gpustage {
namespace {

// "ollama@0.17.4": two versions of a scanner are timed apart.
std::string NameOf(const ReportedRun& run) {
  return run.version.empty() ? run.scanner : run.scanner + "@" + run.version;
}

// The lower one of two in the middle.
double MedianOf(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string CountsText(const Totals& totals) {
  std::string text = fmt::format("{} passed, {} failed", totals.pass, totals.fail);
  if (totals.xfail > 0) text += fmt::format(", {} failed as expected", totals.xfail);
  if (totals.xpass > 0) text += fmt::format(", {} passed unexpectedly", totals.xpass);
  if (totals.flaky > 0) text += fmt::format(", {} flaky", totals.flaky);
  if (totals.error > 0) text += fmt::format(", {} errors", totals.error);
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
  std::string text = CountsText(Count(report.runs)) + fmt::format(" in {:.1f} s", report.seconds);
  text += report.reports > 1 ? fmt::format(" of {} reports\n", report.reports) : "\n";
  std::map<std::string, int> reasons, passed;
  std::map<std::string, std::vector<double>> durations;
  int64_t assuming = 0;
  for (const ReportedRun& run : report.runs) {
    if (run.verdict == VerdictKind::kSkip) ++reasons[run.because];
    if (run.verdict == VerdictKind::kPass) ++passed[NameOf(run)];
    if (run.duration_ms > 0) durations[NameOf(run)].push_back(run.duration_ms);
    assuming += run.assumed.empty() ? 0 : 1;
  }
  for (const auto& [reason, count] : reasons)
    text += fmt::format("  skipped {}: {}\n", count, reason);
  if (assuming > 0)
    text += fmt::format("  read assumed values of a device: {} (in the JSON report: assumed)\n",
                        assuming);
  std::string by_scanner, medians;
  for (const auto& [scanner, count] : passed)
    by_scanner += fmt::format("{}{} {}", by_scanner.empty() ? "" : ", ", scanner, count);
  if (!by_scanner.empty()) text += fmt::format("  passed by scanner: {}\n", by_scanner);
  for (auto& [scanner, all] : durations)
    medians += fmt::format("{}{} {} ms", medians.empty() ? "" : ", ", scanner,
                           static_cast<int64_t>(MedianOf(all)));
  if (!medians.empty()) text += fmt::format("  median time a run: {}\n", medians);
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
  if (const int bad = totals.fail + totals.xpass + totals.error + totals.flaky; bad > 0)
    parts.push_back(fmt::format("{} bad", bad));
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

std::string TextReport(const Report& report, const TextStyle& style) {
  std::string text, blocks;
  for (const ReportedRun& run : report.runs) {
    text += ProgressLine(run, style) + "\n";
    if (const std::string block = FailureBlock(run, style); !block.empty()) blocks += "\n" + block;
  }
  return text + blocks + "\n" + TotalsText(report) + BaselineText(report) + ProblemsText(report);
}

}  // namespace gpustage
