#include "harness/report/suspects.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/report/log_facts.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kShortList = 6;  // so few are told with all that is known of them

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

namespace {

// What rules them out, those of one reason together.
std::string RuledOutText(const std::vector<WeighedSuspect>& weighed) {
  std::vector<std::pair<std::string, std::string>> reasons;  // and the names
  for (const WeighedSuspect& w : weighed) {
    if (w.against.empty()) continue;
    const std::string reason = w.against + (w.line.empty() ? "" : ":\n" + w.line);
    const auto same = std::find_if(reasons.begin(), reasons.end(),
                                   [&](const auto& known) { return known.first == reason; });
    if (same == reasons.end())
      reasons.emplace_back(reason, w.suspect.name);
    else
      same->second += ", " + w.suspect.name;
  }
  std::string text = reasons.empty() ? "" : "\nRuled out:\n";
  for (const auto& [reason, names] : reasons) {
    text += Indented(names, 2);
    const size_t end = std::min(reason.find('\n'), reason.size());
    text += Indented(reason.substr(0, end), 6);
    if (end < reason.size()) text += Indented(reason.substr(end + 1), 10);
  }
  return text;
}

std::string InFull(const WeighedSuspect& w) {
  std::string text = fmt::format("  {}\n{}", w.suspect.name, Indented(w.suspect.is, 6));
  for (const std::string& line : w.shown) text += Indented("the log:  " + line, 6);
  text += Indented("look:     " + w.suspect.look, 6) + Indented("you see:  " + w.suspect.see, 6);
  if (!w.suspect.mend.empty()) text += Indented("mend it:  " + w.suspect.mend, 6);
  return text + fmt::format("      try it:   gpustage run {}\n", w.case_id);
}

bool IsNamed(const std::vector<WeighedSuspect>& weighed, const Suspect& suspect) {
  return std::any_of(weighed.begin(), weighed.end(), [&](const WeighedSuspect& w) {
    return w.suspect.name == suspect.name && !w.shown.empty();
  });
}

// The observation that tells most of them apart, before all else.
std::string FirstLook(const std::vector<WeighedSuspect>& weighed,
                      const std::vector<const Suspect*>& left) {
  if (left.empty()) return "No cause that is known here gives this log.\n";
  const auto groups = ByLook(left);
  if (left.size() == 1) return fmt::format("One cause fits: {}.\n", left.front()->is);
  if (const auto named =
          std::count_if(left.begin(), left.end(),
                        [&](const Suspect* suspect) { return IsNamed(weighed, *suspect); });
      named == 1)
    return fmt::format("{} fit. The log names one: {}.\n", CountText(left.size(), "cause"),
                       left.front()->is);
  return fmt::format("{} fit. Look first at this, which tells {} of them from all others:\n  {}\n",
                     CountText(left.size(), "cause"), groups.front().size(),
                     Wrapped(groups.front().front()->look, 2, kWidth));
}

}  // namespace

std::string ExplainLogText(const std::vector<WeighedSuspect>& weighed, const Evidence& log) {
  const int64_t devices = log.device_count.value_or(0);
  std::string text = fmt::format(
      "{} lines, {}, {} device{}\n", log.log.size(),
      IsTraced(log) ? "OLLAMA_DEBUG=2" : "OLLAMA_DEBUG below 2: what children print is not in it",
      devices, devices == 1 ? "" : "s");
  std::vector<const Suspect*> left;
  for (const WeighedSuspect& w : weighed)
    if (w.against.empty()) left.push_back(&w.suspect);
  text += devices > 0 ? "A device was found, so this is not the log of a scanner that finds none.\n"
                      : FirstLook(weighed, left);
  const std::vector<LogFact> facts = FactsOfLog(log);
  if (!facts.empty()) text += "\nWhat it says:\n";
  for (const LogFact& fact : facts)
    text += fmt::format("{}{}", Indented(fact.says, 2), Indented(fact.line, 6));
  if (devices > 0) return text;
  if (!IsWhole(log))
    text += "\n" + Indented(
                       "The log does not begin at the server's start, so a line that is said to be "
                       "missing may have been there.",
                       0);
  const auto named = std::count_if(weighed.begin(), weighed.end(),
                                   [](const WeighedSuspect& w) { return !w.shown.empty(); });
  const bool few = left.size() <= kShortList;
  if (named > 0 || (few && !left.empty()))
    text += named > 0 ? "\nThe log names:\n" : "\nThe causes that fit:\n";
  for (const WeighedSuspect& w : weighed)
    if (w.against.empty() && (few || !w.shown.empty())) text += InFull(w);
  if (!few) {
    std::erase_if(left, [&](const Suspect* suspect) { return IsNamed(weighed, *suspect); });
    text += fmt::format("\nThe {}causes that fit, by where to look:\n{}", named > 0 ? "other " : "",
                        LooksText(left));
  }
  return text + RuledOutText(weighed);
}

}  // namespace gpustage
