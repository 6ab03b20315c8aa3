#include "harness/scenario/matrix/rules.h"

#include <algorithm>

namespace gpustage {
namespace {

// How the values that are possible stand to the values of a rule.
enum class Met { kNever, kPerhaps, kSurely };

Met Meets(const Values& possible, const Values& of_rule) {
  bool in = false, out = false;
  for (size_t i = 0; i < possible.size(); ++i)
    if (possible[i]) (of_rule[i] ? in : out) = true;
  return !in ? Met::kNever : out ? Met::kPerhaps : Met::kSurely;
}

// The axes of a rule that are undecided; nothing when one of them can no longer meet it.
std::optional<std::vector<size_t>> Undecided(const Rule& rule, const std::vector<Values>& choices) {
  std::vector<size_t> undecided;
  for (size_t i = 0; i < rule.together.size(); ++i) {
    const Met met = Meets(choices[rule.together[i].first], rule.together[i].second);
    if (met == Met::kNever) return std::nullopt;
    if (met == Met::kPerhaps) undecided.push_back(i);
  }
  return undecided;
}

}  // namespace

const Rule* Rules::BrokenBy(const Row& row) const {
  for (const Rule& rule : rules_)
    if (std::all_of(rule.together.begin(), rule.together.end(), [&](const auto& part) {
          return row[part.first] != kNoneChosen &&
                 part.second[static_cast<size_t>(row[part.first])];
        }))
      return &rule;
  return nullptr;
}

Rules::Choices Rules::All() const {
  Choices choices;
  for (const size_t size : sizes_) choices.emplace_back(size, true);
  return choices;
}

bool Rules::CanFill(const Row& row) const {
  Choices choices = All();
  for (size_t axis = 0; axis < row.size(); ++axis) {
    if (row[axis] == kNoneChosen) continue;
    choices[axis].assign(sizes_[axis], false);
    choices[axis][static_cast<size_t>(row[axis])] = true;
  }
  return Search(std::move(choices));
}

bool Rules::CanHave(const std::vector<std::pair<size_t, Values>>& values) const {
  Choices choices = All();
  for (const auto& [axis, wanted] : values) {
    if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return false;
    choices[axis] = wanted;
  }
  return Search(std::move(choices));
}

// Takes away what a rule leaves no room for, until nothing changes. False: a rule is broken
// whatever is chosen.
bool Rules::Narrow(Choices& choices) const {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Rule& rule : rules_) {
      const auto undecided = Undecided(rule, choices);
      if (!undecided || undecided->size() > 1) continue;
      if (undecided->empty()) return false;
      const auto& [axis, values] = rule.together[undecided->front()];
      for (size_t i = 0; i < values.size(); ++i)
        if (values[i]) choices[axis][i] = false;
      changed = true;
    }
  }
  return true;
}

// Only axes of rules that are undecided need a choice; the smallest first.
bool Rules::Search(Choices choices) const {
  if (!Narrow(choices)) return false;
  const auto count = [&](size_t axis) {
    return std::count(choices[axis].begin(), choices[axis].end(), true);
  };
  std::optional<size_t> next;
  for (const Rule& rule : rules_)
    if (const auto undecided = Undecided(rule, choices))
      for (const size_t i : *undecided)
        if (const size_t axis = rule.together[i].first; !next || count(axis) < count(*next))
          next = axis;
  if (!next) return true;
  for (size_t value = 0; value < sizes_[*next]; ++value) {
    if (!choices[*next][value]) continue;
    Choices chosen = choices;
    chosen[*next].assign(sizes_[*next], false);
    chosen[*next][value] = true;
    if (Search(std::move(chosen))) return true;
  }
  return false;
}

}  // namespace gpustage
