#include "harness/suite/collection_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "harness/scenario/read/scenario.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

enum Symptom { kKilled, kHangs, kSilent, kSaid, kNoDevice, kFewer, kMore, kDevices, kSymptoms };
constexpr std::array<const char*, kSymptoms> kHeadings = {
    "The program is killed, or ends before it is done",
    "The program hangs",
    "No device, and no line says why",
    "No device, and a line says something",
    "No device",
    "Fewer devices than there are",
    "More devices than there are",
    "The devices are listed, and something else is wrong",
};

// What the runs before the fix are expected to show.
struct Seen {
  Symptom symptom = kDevices;
  std::vector<std::string> lines;  // of the log
};

Symptom OfCount(const CountRange& count, const Machine& machine) {
  const auto all = static_cast<int64_t>(machine.devices.size());
  if (count.at_most == 0) return kNoDevice;
  if (count.at_most && *count.at_most < all) return kFewer;
  const auto others = static_cast<int64_t>(machine.others.size());
  return all > 0 && count.at_least > all + others ? kMore : kDevices;
}

// The gravest of what its claims say.
Seen SeenIn(const Case& c) {
  Seen seen;
  bool silent = false;
  const auto worse = [&](Symptom one) { seen.symptom = std::min(seen.symptom, one); };
  for (const Expectation& expectation : c.expect) {
    if (expectation.of_fix) continue;
    for (const Claim& claim : expectation.claims) {
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what)) {
        worse(OfCount(devices->count, c.machine));
      } else if (const auto* outcome = std::get_if<OutcomeClaim>(&claim.what)) {
        if (outcome->kind == "timed_out") worse(kHangs);
        if (outcome->kind == "killed" || outcome->code.value_or(0) != 0) worse(kKilled);
      } else if (const auto* log = std::get_if<LogClaim>(&claim.what)) {
        if (log->present) seen.lines.push_back(log->pattern.text);
      } else if (const auto* said = std::get_if<SilentClaim>(&claim.what)) {
        silent = silent || said->silent;
      }
    }
  }
  const bool tells = std::any_of(seen.lines.begin(), seen.lines.end(), SpeaksOfFailure);
  if (seen.symptom == kNoDevice && silent)
    seen.symptom = kSilent;
  else if (seen.symptom == kNoDevice && tells)
    seen.symptom = kSaid;
  return seen;
}

// A cell of a table: one line, and no bar that would end it.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

// A span of code, which a backtick of its own would end.
std::string Code(std::string text) {
  std::replace(text.begin(), text.end(), '`', '\'');
  return "`" + Cell(text) + "`";
}

std::string Fix(const std::vector<std::string>& changes) {
  constexpr std::string_view kNone = "none ";
  std::vector<std::string> parts;
  for (const std::string& change : changes)
    parts.push_back(change.starts_with(kNone) ? "none: " + Cell(change.substr(kNone.size()))
                                              : Code(change));
  return fmt::format("{}", fmt::join(parts, "<br>"));
}

// "[ollama#15964](https://…)".
std::string Threads(const std::vector<std::string>& threads) {
  std::vector<std::string> parts;
  for (const std::string& thread : threads) {
    const std::string address = ThreadAddress(thread);
    if (!IsThread(thread)) continue;
    const size_t number = address.rfind('/'), kind = address.rfind('/', number - 1);
    const size_t name = address.rfind('/', kind - 1) + 1;
    parts.push_back(fmt::format("[{}#{}]({})", address.substr(name, kind - name),
                                address.substr(number + 1), address));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string TableRow(const Scenario& scenario, const ScenarioWords& words, const Seen& seen) {
  std::vector<std::string> lines;
  for (const std::string& line : seen.lines) lines.push_back(Code(line));
  return fmt::format("| {} | [{}]({}.yaml) | {} | {} |\n", fmt::join(lines, "<br>"),
                     Cell(scenario.claim), scenario.id, Fix(words.fix), Threads(words.thread));
}

}  // namespace

Result<std::string> CollectionPage(const Catalog& catalog) {
  std::array<std::string, kSymptoms> sections;
  int count = 0;
  Fixtures fixtures(catalog);
  TRY(const std::vector<std::string> files, DiscoverScenarios({catalog.scenarios}));
  for (const std::string& file : files) {
    TRY(const Scenario scenario, ReadScenarioFile(file, catalog));
    TRY(const ScenarioWords words, WordsOf(scenario));
    if (std::none_of(words.thread.begin(), words.thread.end(), IsThread)) continue;
    TRY(const std::vector<Case> cases, ExpandCases(scenario, fixtures));
    const Seen seen = SeenIn(cases.front());
    sections[seen.symptom] += TableRow(scenario, words, seen);
    ++count;
  }
  std::string page = fmt::format(
      "# What people have reported\n\n"
      "{} scenarios that say which thread they come from, by what is seen. Each stages what was\n"
      "laid out and shows where the device is lost. `gpustage find WORDS`, `find LOG` or `find "
      "CASE`\nnames those that are most like yours, `gpustage trace FOLDER/NAME` runs one. This "
      "page is made by\n`gpustage find --page`.\n",
      count);
  for (size_t symptom = 0; symptom < kSymptoms; ++symptom)
    if (!sections[symptom].empty())
      page += fmt::format(
          "\n## {}\n\n| seen | what it can be | what mends it | thread |\n|---|---|---|---|\n{}",
          kHeadings[symptom], sections[symptom]);
  return page;
}

}  // namespace gpustage
