#include "harness/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "harness/base/limits.h"
#include "harness/report/for_terminal.h"
#include "harness/report/text.h"
#include "harness/report/utf8.h"

namespace gpustage {
namespace {

// In a cell or a line: as it is, whatever Markdown and HTML make of it.
std::string Plain(const std::string& text) {
  std::string out;
  for (const char c : OneLine(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += std::string_view("\\`*_[]|~$#").find(c) != std::string::npos ? std::string{'\\', c}
                                                                          : std::string(1, c);
  }
  return out;
}

// Inside HTML, where GitHub reads no Markdown.
std::string Html(const std::string& text) {
  std::string out;
  for (const char c : OneLine(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
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
  const Totals& t = report.tally.totals;
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
  if (report.interrupted) return "❌ gpustage: interrupted";
  const Totals& totals = report.tally.totals;
  if (report.baseline && report.baseline->Worse()) return "❌ gpustage: worse than the baseline";
  if (report.baseline && status == 0) return "✅ gpustage: nothing got worse";
  if (totals.Bad() > 0)
    return fmt::format("❌ gpustage: {} of {} runs are not as expected", totals.Bad(), totals.All());
  return status == 0 ? "✅ gpustage: all as expected" : "❌ gpustage: not as expected";
}

std::string BlockOf(const ReportedRun& run) {
  const std::string why =
      run.unmet.empty() || run.verdict == VerdictKind::kFlaky
          ? run.because
          : fmt::format("expected {}, seen {}", run.unmet.front().expected, run.unmet.front().seen);
  std::string block = ForTerminal(FailureBlock(run, {}));
  if (block.size() > limits::kSummaryBlockBytes)
    block = Utf8(block.substr(0, limits::kSummaryBlockBytes)) +
            fmt::format("…\n(cut at {} bytes)\n", limits::kSummaryBlockBytes);
  return fmt::format("\n<details><summary><b>{}</b> {}: {}</summary>\n\n{}\n</details>\n",
                     ToString(run.verdict), Html(run.Name()), Html(why), Block(block));
}

// As many of them as have room.
Result<std::string> BadRuns(const RunList& runs, size_t room) {
  std::string text;
  size_t blocks = 0, more = 0;
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    if (more > 0 || blocks == limits::kSummaryBlocks) {
      ++more;
      return Ok();
    }
    const std::string block = BlockOf(run);
    if (text.size() + block.size() > room) {
      ++more;
      return Ok();
    }
    text += block;
    ++blocks;
    return Ok();
  }));
  if (more > 0)
    text += fmt::format("\n{} more run{} bad; the JSON report has {}.\n", more,
                        more == 1 ? " is" : "s are", more == 1 ? "it" : "them");
  return text;
}

std::string More(size_t all) {
  return all <= limits::kSummaryList ? "" : fmt::format("and {} more", all - limits::kSummaryList);
}

std::string List(const char* title, const std::vector<std::string>& runs) {
  if (runs.empty()) return "";
  std::string text = fmt::format("\n{}: {}\n\n", title, runs.size());
  for (size_t i = 0; i < std::min(runs.size(), limits::kSummaryList); ++i)
    text += fmt::format("- {}\n", Plain(runs[i]));
  return text + (More(runs.size()).empty() ? "" : fmt::format("- {}\n", More(runs.size())));
}

std::string ChangesText(const BaselineChanges& changes) {
  std::string text = fmt::format("\n### Since {}\n", Plain(changes.file));
  text += List("Newly failing", changes.newly_failing);
  if (!changes.moved.empty())
    text +=
        "\nMoved to another backend or library:\n\n| run | device | from | to "
        "|\n|---|---|---|---|\n";
  for (size_t i = 0; i < std::min(changes.moved.size(), limits::kSummaryList); ++i) {
    const MovedDevice& m = changes.moved[i];
    text += fmt::format("| {} | {} | {} | {} |\n", Plain(m.run), Plain(m.device), Plain(m.from),
                        Plain(m.to));
  }
  if (!More(changes.moved.size()).empty())
    text += fmt::format("| {} | | | |\n", More(changes.moved.size()));
  text += List("New silent failures", changes.newly_silent) +
          List("Newly passing", changes.newly_passing) +
          List("Still failing", changes.still_failing);
  if (!changes.not_run.empty()) text += fmt::format("\nNot run now: {}\n", changes.not_run.size());
  return text;
}

std::string Skips(const Report& report) {
  std::string text;
  for (const auto& [reason, count] : report.tally.skipped)
    text += fmt::format("| {} | {} |\n", count, Plain(reason));
  return text.empty() ? "" : "\n| skipped | why |\n|---:|---|\n" + text;
}

}  // namespace

Status WriteMarkdownSummary(const Report& report, const RunList& runs, std::ostream& out) {
  std::string text = fmt::format("## {}\n\n{}", Headline(report), TotalsTable(report));
  for (const Problem& problem : report.problems) text += fmt::format("\n{}\n", Plain(problem.text));
  if (report.baseline) text += ChangesText(*report.baseline);
  const std::string skips = Skips(report);
  const size_t taken = text.size() + skips.size();
  TRY(const std::string bad,
      BadRuns(runs, limits::kSummaryBytes - std::min(taken, limits::kSummaryBytes)));
  out << text << bad << skips;
  return Ok();
}

}  // namespace gpustage
