#include "harness/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/report/text.h"

namespace gpustage {
namespace {

constexpr size_t kMostBlocks = 100;

// In a cell or a line: as it is, whatever Markdown and HTML make of it.
std::string Plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += ' ';
    else if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += std::string("\\`*_[]|").find(c) != std::string::npos ? std::string{'\\', c}
                                                                  : std::string(1, c);
  }
  return out;
}

// A code block whose fence is longer than any in it.
std::string Block(const std::string& text) {
  size_t longest = 2, here = 0;
  for (const char c : text) longest = std::max(longest, here = c == '`' ? here + 1 : 0);
  const std::string fence(longest + 1, '`');
  return fence + "\n" + text + fence + "\n";
}

std::string TotalsTable(const Report& report) {
  const Totals t = Count(report.runs);
  std::string head = "| passed | failed |", line = "|---:|---:|",
              row = fmt::format("| {} | {} |", t.pass, t.fail);
  const auto add = [&](int count, const char* word) {
    if (count == 0) return;
    head += fmt::format(" {} |", word);
    line += "---:|";
    row += fmt::format(" {} |", count);
  };
  add(t.xfail, "failed as expected");
  add(t.xpass, "passed unexpectedly");
  add(t.flaky, "flaky");
  add(t.error, "errors");
  add(t.skip, "skipped");
  return fmt::format("{}\n{}\n{}\n", head, line, row);
}

std::string Headline(const Report& report) {
  const int status = ExitStatus(report);
  const size_t bad =
      static_cast<size_t>(std::count_if(report.runs.begin(), report.runs.end(),
                                        [](const ReportedRun& r) { return IsBad(r.verdict); }));
  if (report.baseline && report.baseline->Worse()) return "❌ gpustage: worse than the baseline";
  if (report.baseline && status == 0) return "✅ gpustage: nothing got worse";
  if (bad > 0)
    return fmt::format("❌ gpustage: {} of {} runs are not as expected", bad, report.runs.size());
  return status == 0 ? "✅ gpustage: all as expected" : "❌ gpustage: not as expected";
}

std::string BadRuns(const Report& report) {
  std::vector<const ReportedRun*> bad;
  for (const ReportedRun& run : report.runs)
    if (IsBad(run.verdict)) bad.push_back(&run);
  std::string text;
  for (size_t i = 0; i < std::min(bad.size(), kMostBlocks); ++i) {
    const ReportedRun& run = *bad[i];
    const std::string why = run.unmet.empty() || run.verdict == VerdictKind::kFlaky
                                ? run.because
                                : fmt::format("expected {}, seen {}", run.unmet.front().expected,
                                              run.unmet.front().seen);
    text += fmt::format("\n<details><summary><b>{}</b> {}: {}</summary>\n\n{}\n</details>\n",
                        ToString(run.verdict), Plain(run.Name()), Plain(why),
                        Block(FailureBlock(run, {})));
  }
  if (bad.size() > kMostBlocks)
    text += fmt::format("\n{} more runs are bad; the JSON report has them.\n",
                        bad.size() - kMostBlocks);
  return text;
}

std::string List(const char* title, const std::vector<std::string>& runs) {
  if (runs.empty()) return "";
  std::string text = fmt::format("\n{}: {}\n\n", title, runs.size());
  for (const std::string& run : runs) text += fmt::format("- {}\n", Plain(run));
  return text;
}

std::string Baseline(const BaselineChanges& changes) {
  std::string text = fmt::format("\n### Since {}\n", Plain(changes.file));
  text += List("Newly failing", changes.newly_failing);
  if (!changes.moved.empty())
    text +=
        "\nMoved to another backend or library:\n\n| run | device | from | to "
        "|\n|---|---|---|---|\n";
  for (const MovedDevice& m : changes.moved)
    text += fmt::format("| {} | {} | {} | {} |\n", Plain(m.run), Plain(m.device), Plain(m.from),
                        Plain(m.to));
  text += List("New silent failures", changes.newly_silent) +
          List("Newly passing", changes.newly_passing) +
          List("Still failing", changes.still_failing);
  if (!changes.not_run.empty()) text += fmt::format("\nNot run now: {}\n", changes.not_run.size());
  return text;
}

std::string Skips(const Report& report) {
  std::map<std::string, int> reasons;
  for (const ReportedRun& run : report.runs)
    if (run.verdict == VerdictKind::kSkip) ++reasons[run.because];
  std::string text;
  for (const auto& [reason, count] : reasons)
    text += fmt::format("| {} | {} |\n", count, Plain(reason));
  return text.empty() ? "" : "\n| skipped | why |\n|---:|---|\n" + text;
}

}  // namespace

std::string MarkdownSummary(const Report& report) {
  std::string text = fmt::format("## {}\n\n{}", Headline(report), TotalsTable(report));
  for (const Problem& problem : report.problems) text += fmt::format("\n{}\n", Plain(problem.text));
  if (report.baseline) text += Baseline(*report.baseline);
  return text + BadRuns(report) + Skips(report);
}

}  // namespace gpustage
