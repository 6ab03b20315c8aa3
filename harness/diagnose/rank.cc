#include "harness/diagnose/rank.h"

#include <algorithm>

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// Whether each change is of what the chain of losses names.
bool AllNamed(const Mending& answer, const SeenByRun& looked, const FlatTree& tree) {
  return std::all_of(answer.changes.begin(), answer.changes.end(), [&](const auto& change) {
    if (IsNamed(looked.loss, tree, change.subject)) return true;
    // A place to look in for what was looked for.
    const bool place = change.tier == kElsewhere || change.tier == kSearchPath;
    return place && std::any_of(looked.lacks.begin(), looked.lacks.end(), [&](const Lack& lack) {
             return IsNamed(looked.loss, {}, lack.name);
           });
  });
}

// With something that nobody knows.
bool StandsIn(const Mending& answer) {
  return std::any_of(answer.changes.begin(), answer.changes.end(), [](const auto& change) {
    return change.kind == Kind::kInstall && change.number == kHollow;
  });
}

bool SharesAChange(const Mending& a, const Mending& b) {
  return std::any_of(a.changes.begin(), a.changes.end(), [&](const auto& change) {
    return std::find(b.changes.begin(), b.changes.end(), change) != b.changes.end();
  });
}

}  // namespace

std::vector<Mending> Ranked(std::vector<Mending> found, const WhyReport& report,
                            const FlatTree& tree) {
  const auto distance = [&](const Mending& answer) {
    return DistanceTo(report.wanted, answer.after.value_or(0));
  };
  std::stable_sort(found.begin(), found.end(), [&](const Mending& a, const Mending& b) {
    if (a.size != b.size) return a.size < b.size;
    if (StandsIn(a) != StandsIn(b)) return StandsIn(b);
    const bool named_a = AllNamed(a, report.looked, tree);
    const bool named_b = AllNamed(b, report.looked, tree);
    if (named_a != named_b) return named_a;
    const int tier_a = a.changes.front().tier, tier_b = b.changes.front().tier;
    if (tier_a != tier_b) return tier_a < tier_b;
    return distance(a) < distance(b);
  });
  std::vector<Mending> apart;
  for (Mending& answer : found)
    if (std::none_of(apart.begin(), apart.end(),
                     [&](const Mending& other) { return SharesAChange(answer, other); }))
      apart.push_back(std::move(answer));
  return apart;
}

}  // namespace gpustage
