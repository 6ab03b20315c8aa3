#include "harness/suite/coverage.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpustage {
namespace {

constexpr size_t kExamples = 3;

std::string Text(const Matrix& matrix, const ValuePair& pair) {
  const auto value = [&](size_t axis, int number) {
    return fmt::format("{}={}", matrix.axes[axis].name,
                       matrix.axes[axis].values[static_cast<size_t>(number)].label);
  };
  return fmt::format("{} with {}", value(pair.axis_a, pair.a), value(pair.axis_b, pair.b));
}

std::string Why(const Matrix& matrix, const ValuePair& pair) {
  Row row(matrix.axes.size(), kNoneChosen);
  row[pair.axis_a] = pair.a;
  row[pair.axis_b] = pair.b;
  const Rule* rule = matrix.rules.BrokenBy(row);
  if (rule == nullptr) return "several rules together leave no cell";
  switch (rule->kind) {
    case Rule::Kind::kTwoBroken: return "both are broken, and one would mask the other";
    case Rule::Kind::kConstraint: return fmt::format("ruled out at {}", ToString(rule->pos));
    case Rule::Kind::kExclude: return fmt::format("excluded at {}", ToString(rule->pos));
  }
  return "";
}

std::string CountOf(size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

}  // namespace

std::vector<RuledOut> PairsRuledOut(const CaseRange& range) {
  std::vector<RuledOut> all;
  if (!range.cells().covering()) return all;
  const Matrix& matrix = range.scenario().matrix;
  for (const ValuePair& pair : range.cells().covering()->impossible) {
    const std::string why = Why(matrix, pair);
    auto same =
        std::find_if(all.begin(), all.end(), [&](const RuledOut& one) { return one.why == why; });
    if (same == all.end()) same = all.insert(all.end(), {why, {}});
    same->pairs.push_back(Text(matrix, pair));
  }
  return all;
}

std::string CoverageText(const CaseRange& range) {
  if (!range.cells().covering()) return "";
  const Covering& covering = *range.cells().covering();
  std::string text =
      fmt::format("coverage of {}: {} have {} of {} that can be (pairwise, seed {})\n",
                  range.scenario().id, CountOf(covering.rows.size(), "cell"), covering.covered,
                  CountOf(covering.allowed, "pair"), range.scenario().matrix.seed);
  for (const RuledOut& out : PairsRuledOut(range)) {
    std::string pairs;
    for (size_t i = 0; i < std::min(out.pairs.size(), kExamples); ++i)
      pairs += (i == 0 ? "" : ", ") + out.pairs[i];
    if (out.pairs.size() > kExamples)
      pairs += fmt::format(" and {} more", out.pairs.size() - kExamples);
    text +=
        fmt::format("  {} cannot be, {}: {}\n", CountOf(out.pairs.size(), "pair"), out.why, pairs);
  }
  return text;
}

}  // namespace gpustage
