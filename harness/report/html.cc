#include "harness/report/html.h"

#include <fmt/format.h>

#include <ostream>
#include <set>

#include "harness/base/limits.h"
#include "harness/report/common.h"
#include "harness/report/for_terminal.h"
#include "harness/report/html/files.h"
#include "harness/report/html_proven.h"
#include "harness/report/page_data.h"

namespace gpustage {
namespace {

std::string ListOf(const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string html = fmt::format("<h3>{}: {}</h3>\n<ul>", title, items.size());
  size_t shown = 0;
  for (const std::string& item : items) {
    if (shown++ == limits::kPageFailures) {
      html += fmt::format("<li>and {} more</li>", items.size() - limits::kPageFailures);
      break;
    }
    html += fmt::format("<li class=\"run\">{}</li>", Html(item));
  }
  return html + "</ul>\n";
}

std::string ChangesHtml(const Report& report) {
  if (!report.baseline) return "";
  const BaselineChanges& changes = *report.baseline;
  std::vector<std::string> moved;
  for (const MovedDevice& device : changes.moved)
    moved.push_back(
        fmt::format("{}: {} from {} to {}", device.run, device.device, device.from, device.to));
  return fmt::format("<section id=\"changes\"><h2>{} since {}</h2>\n{}{}{}{}{}",
                     changes.Worse() ? "Worse" : "Nothing got worse", Html(changes.file),
                     ListOf("Newly failing", changes.newly_failing),
                     ListOf("Moved to another backend or library", moved),
                     ListOf("Newly silent failures", changes.newly_silent),
                     ListOf("Newly passing", changes.newly_passing),
                     ListOf("Still failing", changes.still_failing)) +
         "</section>\n";
}

std::string CommonHtml(const std::vector<Common>& all) {
  if (all.empty()) return "";
  std::string html = "<section id=\"common\"><h2>What fails has in common</h2>\n<ul>";
  for (const Common& common : all) {
    html += fmt::format("<li><b>{}</b>: {}", Html(common.scenario), Html(CommonSentence(common)));
    if (common.lost > 0)
      html += fmt::format("<br>{} of {}: {}", common.lost, common.failing, Html(common.loss));
    html += "</li>\n";
  }
  return html + "</ul></section>\n";
}

std::string Term(const char* name, const std::string& text) {
  return text.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, Html(text));
}

// One that is bad, readable without a script.
std::string FailureHtml(const ReportedRun& run, const TextStyle& style) {
  std::string html = fmt::format(
      "<article class=\"failure\"><h3><span class=\"verdict {0}\">{0}</span> {1}</h3>\n<dl>\n",
      ToString(run.verdict), Html(run.Name()));
  html += Term("claim", run.claim);
  if (run.unmet.empty()) html += Term("because", run.because);
  for (const UnmetClaim& unmet : run.unmet)
    html += Term("expected", unmet.expected) +
            Term(unmet.unknown ? "unknown" : "seen", unmet.seen) + Term("because", unmet.because) +
            Term("written", unmet.file.empty() ? "" : fmt::format("{}:{}", unmet.file, unmet.line));
  if (run.detail && !run.detail->chain.empty()) {
    html += "<dt>lost</dt><dd><ol>";
    for (const std::string& link : run.detail->chain)
      html += fmt::format("<li>{}</li>", Html(link));
    html += "</ol></dd>\n";
  } else {
    for (const ReportedRow& row : run.funnel)
      if (row.lost_at) html += Term("lost", row.library + ": " + row.steps + "; " + row.reason);
  }
  if (run.silent_failure.value_or(false)) html += Term("silent", run.silent_because);
  if (run.detail)
    for (const std::string& what : run.detail->suggestions) html += Term("try", what);
  html += fmt::format("<dt>again</dt><dd><code>{}</code></dd>\n",
                      Html(run.TraceCommand(style.program) + style.scanners));
  return html + "</dl></article>\n";
}

Status WriteFailures(const Report& report, const RunList& runs, const TextStyle& style,
                     std::ostream& out) {
  const int bad = report.tally.totals.Bad();
  out << fmt::format("<section id=\"failures\"><h2>{}</h2>\n",
                     bad == 0 ? "Nothing failed" : fmt::format("Failures: {}", bad));
  size_t shown = 0, bytes = 0;
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    if (shown == limits::kPageFailures || bytes > limits::kPageFailureBytes) return Ok();
    const std::string html = FailureHtml(run, style);
    bytes += html.size();
    ++shown;
    out << html;
    return Ok();
  }));
  if (const size_t all = static_cast<size_t>(bad); shown < all)
    out << fmt::format("<p>and {} more: in the list, and in the JSON report</p>\n", all - shown);
  out << "</section>\n";
  return Ok();
}

// What the last run that still has room, the failures and the page itself may take.
constexpr size_t kLastBody = 1'400'000;

// Those that are bad come first, then those that they are compared with, while there is room.
Result<std::string> DataOf(const Report& report, const RunList& runs, const TextStyle& style) {
  PageData data(style);
  std::set<std::string> failing;
  std::vector<int> rank;
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    data.Add(run);
    rank.push_back(IsBad(run.verdict) ? 0 : 2);
    if (IsBad(run.verdict)) failing.insert(run.scenario);
    return Ok();
  }));
  std::vector<size_t> left_out;
  for (int turn = 0; turn < 3; ++turn) {
    size_t number = 0;
    TRY(runs.Each([&](const ReportedRun& run) -> Status {
      int& mine = rank[number];
      if (mine == 2 && failing.count(run.scenario) != 0) mine = 1;
      if (mine == turn && run.Ran() && !data.AddBody(number, run, limits::kPageBytes - kLastBody))
        left_out.push_back(number);
      ++number;
      return Ok();
    }));
  }
  return data.Json(report, left_out);
}

std::string TitleOf(const Report& report) {
  const Totals& totals = report.tally.totals;
  std::string text = fmt::format("{} passed, {} failed", totals.pass, totals.fail);
  const auto add = [&](int count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(totals.error, "errors");
  add(totals.flaky, "flaky");
  add(totals.xfail, "failed as expected");
  add(totals.xpass, "passed unexpectedly");
  add(totals.skip, "skipped");
  return text;
}

}  // namespace

Status WriteHtmlReport(const Report& report, const RunList& runs, const TextStyle& style,
                       std::ostream& out) {
  TRY(const std::vector<Common> common, CommonOf(runs));
  TRY(const std::string data, DataOf(report, runs, style));
  // No network, and nothing that a scanner printed is ever a script: the page allows its own alone.
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      << fmt::format("<title>gpustage: {}</title>\n<style>\n", TitleOf(report)) << kPageStyle
      << "</style></head>\n<body>\n"
      << fmt::format("<header><h1>gpustage</h1><p>{} in {:.1f} s</p></header>\n<main>\n",
                     TitleOf(report), report.seconds);
  for (const Problem& problem : report.problems)
    out << fmt::format("<p class=\"problem\">{}</p>\n", Html(problem.text));
  out << ChangesHtml(report) << CommonHtml(common) << "<div id=\"app\" hidden></div>\n";
  TRY(WriteFailures(report, runs, style, out));
  out << ProvenHtml(report.proven);
  out << "<noscript><p>Scripts are off: the matrix, the search and what was seen of each run need "
         "them.</p></noscript>\n</main>\n<script type=\"application/json\" id=\"data\">"
      << data << "</script>\n";
  for (const char* script : kPageScripts) out << "<script>\n" << script << "</script>\n";
  out << "</body></html>\n";
  return Ok();
}

}  // namespace gpustage
