#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/run/workspace.h"
#include "harness/scenario/yaml/yaml.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"
#include "harness/suite/processors.h"
#include "harness/suite/recordings.h"

namespace gpustage {
namespace {

struct CompareOptions {
  CaseFilter selection;
  std::string a, b;   // "ollama@0.17.4": run now if it is here, otherwise from its recordings;
                      // "live:…", "recorded:…"
  std::string known;  // file of differences that are known, with their reasons
  int jobs = 0;
};

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
    for (auto [key, text] : {std::pair{"case", &one.case_id}, std::pair{"field", &one.field},
                             std::pair{"reason", &one.reason}}) {
      const YamlNode* value = item.Find(key);
      if (value == nullptr || value->text.empty())
        return Error{fmt::format("a known difference needs {}", Quote(key)), item.pos};
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
  std::set<std::string> skipped;
};

// The newest version of a scanner that runs in these cases: "ollama", "ollama@0.17".
std::string ScannerHere(const std::string& name, const std::vector<Case>& cases) {
  std::string found;
  for (const Case& c : cases)
    for (const RunSpec& run : c.runs) {
      const std::string known = RunName(run.scanner.name, run.scanner);
      const bool meant = known == name || known.starts_with(name + ".") || run.scanner.name == name;
      if (run.scanner.missing.empty() && meant) found = std::max(found, known);
    }
  return found;
}

// "live:ollama@0.17"
struct Wanted {
  explicit Wanted(const std::string& text)
      : only_live(text.starts_with("live:")),
        only_recorded(text.starts_with("recorded:")),
        name(only_live || only_recorded ? text.substr(text.find(':') + 1) : text) {}
  bool only_live;
  bool only_recorded;
  std::string name;
};

// "ollama" of "ollama@0.17.4".
std::string ProgramOf(const std::string& name) { return name.substr(0, name.find('@')); }

// By a run of now, at the levels of what it is compared with, or from the recordings of it.
Result<Side> Take(const Wanted& wanted, const std::vector<Case>& cases, int jobs,
                  CaseRunner& runner, const std::map<std::string, Levels>& levels) {
  const std::string& name = wanted.name;
  const std::string scanner = wanted.only_recorded ? "" : ScannerHere(name, cases);
  if (!scanner.empty()) {
    LiveRecordings live = RecordLive(cases, scanner, jobs, runner, kUsualLevels, levels);
    return Side{scanner, true, std::move(live.scenarios), std::move(live.skipped)};
  }
  if (wanted.only_live) return Error{fmt::format("{} is not here", name)};
  Side side{name, false, {}, {}};
  TRY(side.scenarios, ReadRecordings(RecordingsFolder(), name));
  if (side.scenarios.empty()) {
    const std::vector<std::string> known = NamesIn(FindCatalog({}).scanners, ".yaml");
    if (std::find(known.begin(), known.end(), ProgramOf(name)) == known.end())
      return Error{fmt::format("no scanner {}{}", Quote(name), DidYouMean(name, known))};
    return Error{fmt::format("{} is not here, and there are no recordings of it", name)};
  }
  const Recordings& any = side.scenarios.begin()->second;
  side.name = fmt::format("{}@{}", any.scanner, any.version);
  return side;
}

// All recordings of a side by their keys.
std::map<std::string, const Recording*> ByKey(const Side& side) {
  std::map<std::string, const Recording*> all;
  for (const auto& [scenario, recordings] : side.scenarios)
    for (const auto& [key, recording] : recordings.of) all[key] = &recording;
  return all;
}

// The same scanner in two versions: then a line that all cases differ in is told once.
bool AreVersions(const Side& a, const Side& b) {
  return a.name != b.name && ProgramOf(a.name) == ProgramOf(b.name);
}

void PrintDifference(const std::string& key, const RecordingDifference& difference) {
  fmt::print("\n{}: {}{}\n", key, difference.field,
             difference.only_a.empty() && difference.only_b.empty() ? " in another order" : "");
  for (const std::string& line : difference.only_a) fmt::print("  - {}\n", line);
  for (const std::string& line : difference.only_b) fmt::print("  + {}\n", line);
}

// The id of a case in the key of a recording.
std::string CaseOf(const std::string& key) { return key.substr(0, key.find(' ')); }

// Gathers what differs, and prints it.
class Comparison {
 public:
  Comparison(std::vector<KnownDifference> known, const std::vector<Case>& cases, bool all_selected)
      : known_(std::move(known)), all_selected_(all_selected) {
    for (const Case& c : cases) selected_.insert(c.id);
  }

  void Add(const Side& a, const Side& b) {
    const auto of_a = ByKey(a), of_b = ByKey(b);
    versions_ = AreVersions(a, b);
    a_is_older_ = !a.live && b.live;
    b_is_older_ = a.live && !b.live;
    for (const auto& [key, recording] : of_a) {
      const std::string id = CaseOf(key);
      const bool wanted = selected_.contains(id) || (all_selected_ && !a.live);
      if (!wanted || b.skipped.contains(id)) continue;
      compared_.insert(id);
      if (const auto match = of_b.find(key); match != of_b.end())
        Add(key, id, *recording, *match->second);
      else
        Report(id, fmt::format("{}: nothing of {}", key, b.name));
    }
    for (const auto& [key, recording] : of_b)
      if (selected_.contains(CaseOf(key)) && !of_a.contains(key)) alone_.insert(CaseOf(key));
  }

  int Finish(const Side& a) {
    size_t listed = 0;
    for (const KnownDifference& one : known_) {
      listed += one.seen ? 1 : 0;
      if (!one.seen && compared_.contains(one.case_id))
        Report(one.case_id, fmt::format("{}: the known difference in {} is none any more",
                                        ToString(one.pos), one.field));
    }
    for (const auto& [line, keys] : lines_)
      fmt::print("\n{}\n    in {} of {} starts, {}\n", line, keys.size(), starts_, keys.front());
    fmt::print("\n{} cases compared, {} agree, {} differ, {} differences are known\n",
               compared_.size(), compared_.size() - different_.size(), different_.size(), listed);
    if (!alone_.empty())
      fmt::print("{} cases have nothing of {} to compare with\n", alone_.size(), a.name);
    if (compared_.empty()) return kNothingRan;
    return different_.empty() ? kAsExpected : kSomeBad;
  }

 private:
  void Add(const std::string& key, const std::string& id, const Recording& a, const Recording& b) {
    ++starts_;
    const Recording& older = a_is_older_ ? a : b;
    const bool seen = a_is_older_ || b_is_older_;
    const Recording of_a = seen ? AsSeen(a, older) : a, of_b = seen ? AsSeen(b, older) : b;
    for (const RecordingDifference& difference :
         versions_ ? Compare(WithoutVersion(of_a), WithoutVersion(of_b)) : Compare(of_a, of_b)) {
      const auto listed =
          std::find_if(known_.begin(), known_.end(), [&](const KnownDifference& one) {
            return one.case_id == id && one.field == difference.field;
          });
      if (listed != known_.end()) {
        listed->seen = true;
        continue;
      }
      different_.insert(id);
      if (!versions_) {
        PrintDifference(key, difference);
        continue;
      }
      for (const std::string& line : difference.only_a) lines_["- " + line].push_back(key);
      for (const std::string& line : difference.only_b) lines_["+ " + line].push_back(key);
    }
  }

  void Report(const std::string& id, const std::string& sentence) {
    different_.insert(id);
    fmt::print("\n{}\n", sentence);
  }

  std::vector<KnownDifference> known_;
  const bool all_selected_;
  bool versions_ = false;
  bool a_is_older_ = false, b_is_older_ = false;  // a recording, of fewer libraries
  size_t starts_ = 0;
  std::map<std::string, std::vector<std::string>>
      lines_;  // of two versions: a line -> where only one has it
  std::set<std::string> selected_, compared_, different_, alone_;
};

// Whoever names a file means what diff does.
Status CheckScanner(const std::string& name) {
  if (!FileExists(name) && !IsScannerFile(name)) return Ok();
  return Error{
      fmt::format("compare takes two scanners by their names, and {} is a file; {} diff "
                  "holds two cases against one another",
                  Quote(name), CalledAs())};
}

int Compare(const CompareOptions& options) {
  for (const std::string& side : {options.a, options.b})
    if (const Status named = CheckScanner(Wanted(side).name); !named)
      return PrintError(named.error(), kBadInput);
  Result<std::vector<KnownDifference>> known = ReadKnown(options.known);
  if (!known) return PrintError(known.error(), kBadInput);
  CaseFilter selection = options.selection;
  selection.requested = {Wanted(options.a).name, Wanted(options.b).name};
  const Result<std::vector<Case>> cases = SelectCases(selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  const int jobs = options.jobs > 0 ? options.jobs : Processors();
  // What is recorded goes first: it says at which levels the other one is run.
  const Wanted wanted_a(options.a), wanted_b(options.b);
  const bool b_first = wanted_b.only_recorded;
  Result<Side> first = Take(b_first ? wanted_b : wanted_a, *cases, jobs, runner, {});
  if (!first) return PrintError(first.error(), kNothingRan);
  Result<Side> second =
      Take(b_first ? wanted_a : wanted_b, *cases, jobs, runner,
           first->live ? std::map<std::string, Levels>{} : LevelsOf(first->scenarios));
  if (!second) return PrintError(second.error(), kNothingRan);
  const Result<Side>& a = b_first ? second : first;
  const Result<Side>& b = b_first ? first : second;
  for (const auto& [sign, side] : {std::pair{'-', &*a}, std::pair{'+', &*b}})
    fmt::print("{} {} ({})\n", sign, side->name, side->live ? "run now" : "recorded");
  Comparison comparison(*std::move(known), *cases,
                        selection.paths.empty() && selection.filter.empty());
  comparison.Add(*a, *b);
  return comparison.Finish(*a);
}

}  // namespace

Action DeclareCompare(CLI::App& app) {
  const auto options = std::make_shared<CompareOptions>();
  AddFooter(
      app,
      "For example: compare ollama@0.13 ollama@0.17 PATHS. A scanner is run now when it is here, "
      "and taken from fixtures/recordings when it is not. live:NAME and recorded:NAME want it so "
      "and not otherwise.");
  AddOption(app, "a", options->a, "a scanner, by name or name@version").Kind("SCANNER").Required();
  AddOption(app, "b", options->b, "another").Kind("SCANNER").Required();
  AddSelection(app, options->selection);
  AddOption(app, "--known", options->known,
            "a file of differences that are known: [{case, field, reason}]")
      .Kind("FILE");
  AddJobs(app, options->jobs);
  return [options](const Program&) { return Compare(*options); };
}

}  // namespace gpustage
