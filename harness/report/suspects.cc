#include "harness/report/suspects.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpustage {
namespace {

std::string WhatRulesOut(const Suspect& suspect) {
  if (!suspect.missing.empty()) return fmt::format("the report has a line `{}`", suspect.missing);
  return fmt::format("the report has no line `{}`", suspect.extra);
}

size_t LongestName(const std::vector<const Suspect*>& suspects) {
  size_t longest = 0;
  for (const Suspect* suspect : suspects) longest = std::max(longest, suspect->name.size());
  return longest;
}

}  // namespace

std::string SuspectsTable(const std::vector<CaseReport>& reports) {
  std::vector<const Suspect*> fit, out;
  for (const CaseReport& report : reports) {
    const bool bad = std::any_of(report.runs.begin(), report.runs.end(), [](const RunReport& run) { return IsBad(run.verdict.kind); });
    if (!report.c.suspect) return "";  // a run of more than these: its totals say enough
    if (!bad) (report.c.suspect->fits() ? fit : out).push_back(&*report.c.suspect);
  }
  if (fit.empty() && out.empty()) return "";
  const size_t width = std::max(LongestName(fit), LongestName(out));
  std::string text = fmt::format("\n{} causes give this report; {} are ruled out\n", fit.size(), out.size());
  for (const Suspect* suspect : fit)
    text += fmt::format("  fits  {:<{}}  {}\n        {:<{}}  tell it by: {}\n", suspect->name, width, suspect->is, "", width, suspect->tell);
  for (const Suspect* suspect : out)
    text += fmt::format("  out   {:<{}}  {}\n", suspect->name, width, WhatRulesOut(*suspect));
  return text;
}

std::string ExplainLogText(const std::vector<WeighedSuspect>& weighed, const Evidence& log) {
  const int64_t devices = log.device_count.value_or(0);
  std::string text = fmt::format("{} lines, {}, {} device{}\n", log.log.size(),
                                 IsTraced(log) ? "OLLAMA_DEBUG=2" : "OLLAMA_DEBUG below 2: what children print is not in it",
                                 devices, devices == 1 ? "" : "s");
  if (devices > 0) return text + "A device was found, so this is not the log of a scanner that finds none.\n";
  const auto left = std::count_if(weighed.begin(), weighed.end(), [](const WeighedSuspect& w) { return w.against.empty(); });
  text += left == 0 ? "No cause that is known here gives this log.\n" : "\nThese causes fit:\n";
  for (const WeighedSuspect& w : weighed) {
    if (!w.against.empty()) continue;
    text += fmt::format("  {}\n      {}\n      tell it by: {}\n      see it:     gpustage run {}\n", w.suspect.name, w.suspect.is,
                        w.suspect.tell, w.case_id);
  }
  text += "\nRuled out:\n";
  for (const WeighedSuspect& w : weighed)
    if (!w.against.empty())
      text += fmt::format("  {}: {}{}\n", w.suspect.name, w.against, w.line.empty() ? "" : "\n      " + w.line);
  return text;
}

std::string SuspectsPage(const std::vector<Case>& cases) {
  std::string text =
      "# A scanner finds no GPU, and its log says nothing\n\n"
      "Written by `gpustage explain-log --page` from the-report.yaml; a test compares. For a log of your own:\n"
      "`gpustage explain-log LOGFILE`.\n\n"
      "| cause | what it is | what tells it from the others |\n|---|---|---|\n";
  for (const Case& c : cases) {
    if (!c.suspect) continue;
    std::string tell = c.suspect->tell;  // a bar would end the cell
    for (size_t bar = tell.find('|'); bar != std::string::npos; bar = tell.find('|', bar + 2)) tell.insert(bar, 1, '\\');
    text += fmt::format("| {} | {} | {} |\n", c.suspect->name, c.suspect->is, tell);
  }
  text += "\nOf these the report that the folder is named after rules out:\n\n";
  for (const Case& c : cases)
    if (c.suspect && !c.suspect->fits()) text += fmt::format("- {}: {}\n", c.suspect->name, WhatRulesOut(*c.suspect));
  return text;
}

}  // namespace gpustage
