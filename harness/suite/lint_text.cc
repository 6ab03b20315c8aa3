// What the text of a scenario tells, whatever it stands for.
#include <algorithm>
#include <set>

#include "harness/suite/lint.h"

namespace gpustage {
namespace {

// Of a list what stands in it twice.
void LintTwice(const Linted& linted, const YamlNode* list, const char* rule) {
  if (list == nullptr) return;
  for (size_t i = 0; i < list->items.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (SameText(list->items[i], list->items[j])) {
        linted.Find(rule, list->items[i].pos);
        break;
      }
}

YamlNode Without(YamlNode map, std::string_view key) {
  std::erase_if(map.entries, [&](const YamlEntry& entry) { return entry.key == key; });
  return map;
}

size_t WordsOf(const std::string& text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    if (c != ' ' && !inside) ++words;
    inside = c != ' ';
  }
  return words;
}

void LintClaimText(const Linted& linted) {
  const YamlNode* const claim = linted.scenario.root.Find("claim");
  if (claim == nullptr) return;
  if (WordsOf(claim->text) < 3) linted.Find("short-claim", claim->pos);
  for (const char* word : {"TODO", "FIXME", "XXX", "TBD"})
    if (claim->text.find(word) != std::string::npos) linted.Find("unfinished", claim->pos, word);
}

void LintEmpty(const Linted& linted, const YamlNode& node) {
  static const std::set<std::string> lists = {
      "tree",    "env",    "runs",   "tags",      "source", "constraints", "exclude",
      "include", "faults", "change", "meanwhile", "when",   "args"};
  for (const YamlEntry& entry : node.entries) {
    const YamlNode& value = entry.value;
    if (!value.IsText() && value.items.empty() && value.entries.empty() &&
        lists.count(entry.key) != 0)
      linted.Find("empty", entry.pos, entry.key);
  }
}

// {axis: [labels]}
void LintFilter(const Linted& linted, const YamlNode* filter) {
  if (filter == nullptr) return;
  for (const YamlEntry& entry : filter->entries) LintTwice(linted, &entry.value, "same-item");
}

void LintMatrix(const Linted& linted) {
  const YamlNode& root = linted.scenario.root;
  const std::vector<Axis>& axes = linted.scenario.matrix.axes;
  const YamlNode* const matrix = root.Find("matrix");
  for (const Axis& axis : axes) {
    if (axis.values.size() == 1) linted.Find("one-value", axis.set.pos, axis.name);
    for (size_t i = 0; i < axis.values.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (SameText(axis.values[i].value, axis.values[j].value)) {
          linted.Find("same-value", axis.values[i].value.pos, axis.values[i].label);
          break;
        }
    for (const Axis& other : axes)
      if (&other < &axis && axis.set.IsText() && axis.set.text != "case" &&
          SameText(axis.set, other.set))
        linted.Find("same-axis", axis.set.pos, axis.name);
  }
  const YamlNode* cover = nullptr;
  for (const YamlNode* place : {&root, matrix}) {
    if (place == nullptr) continue;
    if (const YamlNode* found = place->Find("cover")) cover = found;
    if (const YamlNode* seed = place->Find("seed"); seed != nullptr && seed->IsText())
      if (!linted.scenario.matrix.pairwise) linted.Find("seed-of-all", seed->pos);
    for (const char* key : {"constraints", "exclude", "include"})
      LintTwice(linted, place->Find(key), "same-item");
  }
  if (cover != nullptr && linted.scenario.matrix.pairwise && axes.size() <= 2)
    linted.Find("pairs-of-two", cover->pos);
}

void LintExpect(const Linted& linted) {
  const YamlNode* const expect = linted.scenario.root.Find("expect");
  if (expect == nullptr) return;
  LintTwice(linted, expect, "same-item");
  for (const YamlNode& item : expect->items) {
    LintEmpty(linted, item);
    LintFilter(linted, item.Find("when"));
    if (const YamlNode* log = item.Find("log"))
      for (const char* key : {"has", "lacks"}) LintTwice(linted, log->Find(key), "same-item");
    LintTwice(linted, item.Find("run"), "same-item");
  }
}

void LintRest(const Linted& linted) {
  const YamlNode& root = linted.scenario.root;
  LintEmpty(linted, root);
  for (const char* key : {"source", "tags", "layout", "groups", "tree"})
    LintTwice(linted, root.Find(key), "same-item");
  if (const YamlNode* const runs = root.Find("runs")) {
    // What runs between two of them may make the second another one.
    for (size_t i = 1; i < runs->items.size(); ++i)
      if (SameText(Without(runs->items[i - 1], "name"), Without(runs->items[i], "name")))
        linted.Find("same-run", runs->items[i].pos);
    for (const YamlNode& run : runs->items) {
      LintEmpty(linted, run);
      LintFilter(linted, run.Find("when"));
    }
  }
  if (const YamlNode* const machine = root.Find("machine")) {
    LintEmpty(linted, *machine);
    LintTwice(linted, machine->Find("faults"), "fault-twice");
  }
  if (const YamlNode* const xfail = root.Find("xfail")) {
    const YamlNode* const reason = xfail->IsMap() ? xfail->Find("reason") : xfail;
    if (reason != nullptr && reason->text.find('#') == std::string::npos &&
        reason->text.find("://") == std::string::npos)
      linted.Find("no-thread", reason->pos);
  }
}

}  // namespace

void LintText(const Linted& linted) {
  LintClaimText(linted);
  LintMatrix(linted);
  LintExpect(linted);
  LintRest(linted);
}

}  // namespace gpustage
