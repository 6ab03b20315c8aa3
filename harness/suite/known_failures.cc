#include "harness/suite/known_failures.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

using std::chrono::year_month_day;

std::string ToText(year_month_day day) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

Result<year_month_day> ReadDay(const YamlNode& node) {
  TRY(const std::string text, ReadText(node, "a day such as 2026-12-31"));
  int year = 0, length = 0;
  unsigned month = 0, day = 0;
  const bool shape =
      text.size() == 10 &&
      std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &length) == 3 && length == 10;
  const year_month_day read{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!shape || !read.ok())
    return ErrorAt(node, fmt::format("expected a day such as 2026-12-31, got {}", Quote(text)));
  return read;
}

Result<KnownFailure> ReadOne(const YamlNode& node) {
  constexpr const char* kWhat = "a known failure";
  TRY(CheckKeys(node, kWhat, {"case", "run", "reason", "thread", "until"}));
  KnownFailure known;
  known.pos = node.pos;
  known.run = "*";
  for (const auto& [key, text] :
       {std::pair{"case", &known.cases}, std::pair{"reason", &known.reason}}) {
    TRY(const YamlNode* value, Require(node, kWhat, key));
    TRY(*text, ReadNonEmpty(*value, key));
    if (std::string(key) == "case") known.pos = value->pos;
  }
  for (const auto& [key, text] : {std::pair{"run", &known.run}, std::pair{"thread", &known.thread}})
    if (const YamlNode* value = node.Find(key)) {
      TRY(*text, ReadNonEmpty(*value, key));
    }
  TRY(const YamlNode* until, Require(node, kWhat, "until"));
  TRY(known.until, ReadDay(*until));
  return known;
}

std::string Why(const KnownFailure& known) {
  return known.thread.empty() ? known.reason : fmt::format("{}, {}", known.reason, known.thread);
}

}  // namespace

Result<std::vector<KnownFailure>> ReadKnownFailures(const std::string& file) {
  TRY(const YamlNode list, ReadYamlFile(file));
  TRY(CheckList(list, "a list of known failures"));
  std::vector<KnownFailure> all;
  for (const YamlNode& node : list.items) {
    TRY(KnownFailure known, ReadOne(node));
    all.push_back(std::move(known));
  }
  return all;
}

bool Matches(const KnownFailure& known, const std::string& id, const std::string& run) {
  return fnmatch(known.cases.c_str(), id.c_str(), 0) == 0 &&
         fnmatch(known.run.c_str(), run.c_str(), 0) == 0;
}

Status CheckUsed(const std::vector<KnownFailure>& known, const CaseSelection& cases) {
  std::vector<const KnownFailure*> unused;
  for (const KnownFailure& one : known) unused.push_back(&one);
  for (size_t i = 0; i < cases.size() && !unused.empty(); ++i) {
    const std::string id = cases.Id(i);
    std::erase_if(unused, [&](const KnownFailure* one) {
      if (fnmatch(one->cases.c_str(), id.c_str(), 0) != 0) return false;
      const std::vector<std::string> runs = cases.Runs(i);
      return std::any_of(runs.begin(), runs.end(),
                         [&](const std::string& run) { return Matches(*one, id, run); });
    });
  }
  if (unused.empty()) return Ok();
  const KnownFailure& one = *unused.front();
  return Error{
      fmt::format("no run of this selection is {}{}; gpustage list shows all", Quote(one.cases),
                  one.run == "*" ? "" : fmt::format(" with run {}", Quote(one.run))),
      one.pos};
}

void ExpectKnown(const std::vector<KnownFailure>& known, year_month_day today, ReportedRun& run) {
  const bool failed = run.verdict == VerdictKind::kFail;
  if (!failed && run.verdict != VerdictKind::kPass) return;
  const auto found = std::find_if(known.begin(), known.end(), [&](const KnownFailure& one) {
    return Matches(one, run.id, run.run);
  });
  if (found == known.end()) return;
  if (!failed) {
    run.verdict = VerdictKind::kXpass;
    run.because = fmt::format("expected to fail ({}), and it passes: {} can go", Why(*found),
                              ToString(found->pos));
  } else if (today <= found->until) {
    run.verdict = VerdictKind::kXfail;
    run.because = fmt::format("{}: {}", Why(*found), run.because);
  } else {
    run.because = fmt::format("it was expected to fail until {} ({}), and that day is over",
                              ToText(found->until), Why(*found));
    run.unmet.insert(run.unmet.begin(),
                     {fmt::format("mended by {}", ToText(found->until)), run.because, false, "",
                      found->pos.file, found->pos.line, found->pos.column});
  }
}

year_month_day Today() {
  const std::time_t now = std::time(nullptr);
  std::tm here = {};
  localtime_r(&now, &here);
  return {std::chrono::year(here.tm_year + 1900),
          std::chrono::month(static_cast<unsigned>(here.tm_mon + 1)),
          std::chrono::day(static_cast<unsigned>(here.tm_mday))};
}

}  // namespace gpustage
