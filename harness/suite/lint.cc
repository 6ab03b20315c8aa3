#include "harness/suite/lint.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/bugs.h"
#include "harness/base/files.h"

namespace gpustage {
namespace {

constexpr size_t kMostCells = 400;  // of one scenario

void EachText(const YamlNode& node, std::set<std::string>& texts) {
  if (node.IsText()) texts.insert(node.text);
  for (const YamlNode& item : node.items) EachText(item, texts);
  for (const YamlEntry& entry : node.entries) {
    texts.insert(entry.key);
    EachText(entry.value, texts);
  }
}

// Two files that stage and expect the same, and two that claim the same.
void LintTwins(const std::vector<const CaseRange*>& ranges, std::vector<OddThing>& findings) {
  const auto body = [](const YamlNode& root) {
    YamlNode copy = root;
    std::erase_if(copy.entries, [](const YamlEntry& entry) {
      return entry.key == "claim" || entry.key == "source" || entry.key == "tags";
    });
    return copy;
  };
  std::map<std::string, const Scenario*> claims;
  std::vector<std::pair<const Scenario*, YamlNode>> bodies;
  for (const CaseRange* range : ranges) {
    const Scenario& scenario = range->scenario();
    const Linted linted = {scenario, {}, findings};
    const YamlNode* const claim = scenario.root.Find("claim");
    const auto [first, is_new] = claims.try_emplace(scenario.claim, &scenario);
    if (!is_new) linted.Find("same-claim", claim->pos, first->second->file);
    YamlNode mine = body(scenario.root);
    for (const auto& [other, its] : bodies)
      if (SameText(mine, its)) linted.Find("same-scenario", scenario.root.pos, other->file);
    bodies.emplace_back(&scenario, std::move(mine));
  }
}

std::vector<std::string> FoldersOf(const std::string& path) {
  std::vector<std::string> folders;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find(':', start), path.size());
    if (end > start) folders.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return folders;
}

// Layouts and devices that no scenario names, nor a fixture that one names.
void LintFixtures(const CaseSelection& cases, std::vector<OddThing>& findings) {
  const Catalog& catalog = cases.catalog();
  std::set<std::string> used;
  for (const CaseRange* range : cases.Ranges()) {
    EachText(range->scenario().root, used);
    for (const auto& [kind, runs] : range->AllRuns())
      for (const ListedRun& run : runs) used.insert(run.scanner);
  }
  const Scenario none = {};
  const auto look = [&](const std::string& folder) {
    for (const std::string& name : NamesIn(folder, ".yaml"))
      if (used.count(name) == 0)
        Linted{none, {}, findings}.Find("unused-fixture", {folder + "/" + name + ".yaml", 1, 1},
                                        name);
  };
  for (const std::string& folder : FoldersOf(catalog.layouts)) look(folder);
  const std::vector<std::string> devices = FoldersOf(catalog.devices);
  for (size_t i = 0; i + 1 < devices.size(); ++i) look(devices[i]);  // the last are ours, a stock
}

}  // namespace

void Linted::Find(const char* rule, const SourcePos& pos, std::string what) const {
  const auto& rules = LintRules();
  const auto known = std::find_if(rules.begin(), rules.end(), [&](const LintRule& r) {
    return std::string_view(r.name) == rule;
  });
  GPUSTAGE_CHECK(known != rules.end());
  const bool said = std::any_of(findings.begin(), findings.end(), [&](const OddThing& f) {
    return f.rule == &*known && f.pos == pos;
  });
  if (!said) findings.push_back({&*known, std::move(what), pos});
}

Result<std::vector<OddThing>> Lint(const CaseSelection& cases, bool whole) {
  std::vector<OddThing> findings;
  std::map<const CaseRange*, std::vector<Case>> read;
  for (size_t place = 0; place < cases.size(); ++place) {
    std::vector<Case>& of_range = read[&cases.RangeOf(place)];
    if (of_range.size() == kMostCells) continue;
    TRY(Case c, cases.Read(place));
    of_range.push_back(std::move(c));
  }
  for (auto& [range, its] : read) {
    const Linted linted = {range->scenario(), std::move(its), findings};
    LintText(linted);
    LintClaims(linted);
    LintMachine(linted);
    LintWords(linted);
  }
  LintTwins(cases.Ranges(), findings);
  if (whole) LintFixtures(cases, findings);
  std::stable_sort(findings.begin(), findings.end(), [](const OddThing& a, const OddThing& b) {
    return std::tie(a.pos.file, a.pos.line) < std::tie(b.pos.file, b.pos.line);
  });
  return findings;
}

}  // namespace gpustage
