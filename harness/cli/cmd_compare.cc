#include <algorithm>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/places.h"
#include "harness/cli/recorded.h"
#include "harness/run/workspace.h"
#include "harness/scenario/yaml.h"

namespace gpustage {
namespace {

// A difference that is known, from a file: [{case: …, field: …, reason: …}].
struct KnownDifference {
  std::string case_id;
  std::string field;
  std::string reason;
  SourcePos pos;
  bool seen = false;
};

Result<std::vector<KnownDifference>> ReadKnown(const std::string& file) {
  std::vector<KnownDifference> known;
  if (file.empty()) return known;
  TRY(const YamlNode list, ReadYamlFile(file));
  for (const YamlNode& item : list.items) {
    KnownDifference one;
    one.pos = item.pos;
    for (auto [key, text] : {std::pair{"case", &one.case_id}, std::pair{"field", &one.field}, std::pair{"reason", &one.reason}}) {
      const YamlNode* value = item.Find(key);
      if (value == nullptr || value->text.empty()) return Error{fmt::format("a known difference needs {}", Quote(key)), item.pos};
      *text = value->text;
    }
    known.push_back(std::move(one));
  }
  return known;
}

struct Side {
  std::string name;
  bool live = false;
  RecordedScenarios scenarios;
};

// By a run of now, or from the recordings of it.
Result<Side> Take(const std::string& name, const CompareOptions& options, const std::vector<Case>& cases, int jobs,
                  Worker& worker) {
  Side side{name, false, {}};
  if (!options.recorded.contains(name)) {
    std::string scanner;
    for (const Case& c : cases)
      for (const RunSpec& run : c.runs) {
        const std::string known = RunName(run.scanner.name, run.scanner);
        if (run.scanner.missing.empty() && (known == name || known.starts_with(name + ".") || run.scanner.name == name))
          scanner = std::max(scanner, known);
      }
    if (!scanner.empty()) {
      std::vector<double> milliseconds;
      side.name = scanner;
      side.live = true;
      side.scenarios = RecordLive(cases, scanner, jobs, worker, milliseconds);
      return side;
    }
  }
  TRY(side.scenarios, ReadRecordings(RecordingsFolder(), name));
  if (side.scenarios.empty()) return Error{fmt::format("{} is not here and there are no recordings of it", name)};
  const Recordings& any = side.scenarios.begin()->second;
  side.name = fmt::format("{}@{}", any.scanner, any.version);
  return side;
}

void PrintDifference(const std::string& key, const RecordingDifference& difference) {
  fmt::print("\n{}: {}{}\n", key, difference.field,
             difference.only_a.empty() && difference.only_b.empty() ? " in another order" : "");
  for (const std::string& line : difference.only_a) fmt::print("  - {}\n", line);
  for (const std::string& line : difference.only_b) fmt::print("  + {}\n", line);
}

// The id of a case in the key of a recording.
std::string CaseOf(const std::string& key) { return key.substr(0, key.find(' ')); }

}  // namespace

int CmdCompare(const CompareOptions& options) {
  Result<std::vector<KnownDifference>> known = ReadKnown(options.known);
  if (!known) return PrintError(known.error(), kBadInput);
  Selection selection = options.selection;
  selection.requested = {options.a, options.b};
  const Result<std::vector<Case>> cases = SelectCases(selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Worker worker(*workspace, FindRecorders(), false);
  const int jobs = options.jobs > 0 ? options.jobs : static_cast<int>(std::thread::hardware_concurrency());
  const Result<Side> a = Take(options.a, options, *cases, jobs, worker);
  if (!a) return PrintError(a.error(), kNothingRan);
  const Result<Side> b = Take(options.b, options, *cases, jobs, worker);
  if (!b) return PrintError(b.error(), kNothingRan);
  fmt::print("- {} ({})\n+ {} ({})\n", a->name, a->live ? "run now" : "recorded", b->name, b->live ? "run now" : "recorded");

  std::set<std::string> selected, same, different;
  for (const Case& c : *cases) selected.insert(c.id);
  size_t bad = 0;
  for (const auto& [scenario, recordings] : a->scenarios) {
    const auto other = b->scenarios.find(scenario);
    if (other == b->scenarios.end()) continue;
    for (const auto& [key, recording] : recordings.of) {
      const auto match = other->second.of.find(key);
      const std::string id = CaseOf(key);
      if (match == other->second.of.end() || !selected.contains(id)) continue;
      same.insert(id);
      for (const RecordingDifference& difference : Compare(recording, match->second)) {
        const auto listed = std::find_if(known->begin(), known->end(), [&](const KnownDifference& one) {
          return one.case_id == id && one.field == difference.field;
        });
        if (listed != known->end()) {
          listed->seen = true;
          continue;
        }
        ++bad;
        different.insert(id);
        PrintDifference(key, difference);
      }
    }
  }
  size_t listed = 0;
  for (const KnownDifference& one : *known) {
    if (one.seen) {
      ++listed;
    } else if (selected.contains(one.case_id)) {
      ++bad;
      fmt::print("\n{}: the known difference in {} is none any more\n", ToString(one.pos), one.field);
    }
  }
  fmt::print("\n{} cases compared, {} agree, {} differ, {} known differences\n", same.size(), same.size() - different.size(),
             different.size(), listed);
  if (same.empty()) return kNothingRan;
  return bad == 0 ? kAsExpected : kSomeBad;
}

}  // namespace gpustage
