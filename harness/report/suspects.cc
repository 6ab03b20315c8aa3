#include "harness/report/suspects.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kWidth = 100;

std::string WhatRulesOut(const Suspect& suspect) {
  if (!suspect.missing.empty()) return fmt::format("the report has a line `{}`", suspect.missing);
  return fmt::format("the report has no line `{}`", suspect.extra);
}

size_t LongestName(const std::vector<const Suspect*>& suspects) {
  size_t longest = 0;
  for (const Suspect* suspect : suspects) longest = std::max(longest, suspect->name.size());
  return longest;
}

// Those with one look stand together; the look that tells most of them apart comes first.
std::vector<std::vector<const Suspect*>> ByLook(const std::vector<const Suspect*>& suspects) {
  std::vector<std::vector<const Suspect*>> groups;
  for (const Suspect* suspect : suspects) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.front()->look == suspect->look;
    });
    if (same == groups.end())
      groups.push_back({suspect});
    else
      same->push_back(suspect);
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return groups;
}

std::string Indented(const std::string& text, size_t indent) {
  return std::string(indent, ' ') + Wrapped(text, indent, kWidth) + "\n";
}

std::string LooksText(const std::vector<const Suspect*>& suspects) {
  std::string text;
  const size_t width = LongestName(suspects);
  int number = 0;
  for (const auto& group : ByLook(suspects)) {
    text += fmt::format("\n{}. {}\n", ++number, Wrapped(group.front()->look, 3, kWidth));
    for (const Suspect* suspect : group)
      text += fmt::format("   {:<{}}  {}\n{}", suspect->name, width,
                          Wrapped(suspect->is, width + 5, kWidth),
                          Indented("you see: " + suspect->see, width + 5));
  }
  return text;
}

std::string FolderOf(const std::string& scenario) {
  return scenario.substr(0, scenario.rfind('/') + 1);
}

std::string CountText(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string SuspectsTable(const std::vector<CaseReport>& reports) {
  std::vector<const Suspect*> fit, out;
  std::string folder;
  for (const CaseReport& report : reports)
    if (report.c.suspect) folder = FolderOf(report.c.scenario);
  for (const CaseReport& report : reports) {
    const bool bad = std::any_of(report.runs.begin(), report.runs.end(),
                                 [](const RunReport& run) { return IsBad(run.verdict.kind); });
    if (FolderOf(report.c.scenario) != folder) return "";
    if (report.c.suspect && !bad)
      (report.c.suspect->fits() ? fit : out).push_back(&*report.c.suspect);
  }
  if (fit.empty() && out.empty()) return "";
  std::string text = "\nNone of these causes gives the report's log.\n";
  if (!fit.empty())
    text = fmt::format("\n{} {} the report's log; what tells them apart:\n{}",
                       CountText(fit.size(), "cause"), fit.size() == 1 ? "gives" : "give",
                       LooksText(fit));
  if (!out.empty())
    text += fmt::format("\n{} {} not:\n", CountText(out.size(), "cause"),
                        out.size() == 1 ? "does" : "do");
  const size_t width = LongestName(out);
  for (const Suspect* suspect : out)
    text += fmt::format("   {:<{}}  {}\n", suspect->name, width,
                        Wrapped(WhatRulesOut(*suspect), width + 5, kWidth));
  return text;
}

}  // namespace gpustage
