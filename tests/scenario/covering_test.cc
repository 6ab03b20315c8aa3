// Covering arrays, held to a list of all rows that is made here, without the code that is tested: a
// row is kept when no combination that was forbidden is in it.
#include "harness/scenario/matrix/covering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace gpustage {
namespace {

using Combination = std::map<size_t, std::set<int>>;  // axis -> values
using Pair = std::tuple<size_t, int, size_t, int>;

struct Model {
  std::vector<size_t> sizes;
  std::vector<Combination> forbidden;
  std::map<size_t, std::set<int>> broken;  // axis -> values
};

bool Allowed(const Model& model, const Row& row) {
  int broken = 0;
  for (const auto& [axis, values] : model.broken)
    broken += static_cast<int>(values.count(row[axis]));
  if (broken > 1) return false;
  for (const Combination& combination : model.forbidden) {
    bool all = true;
    for (const auto& [axis, values] : combination) all = all && values.contains(row[axis]);
    if (all) return false;
  }
  return true;
}

std::vector<Row> AllRows(const Model& model) {
  std::vector<Row> rows = {{}};
  for (const size_t size : model.sizes) {
    std::vector<Row> longer;
    for (const Row& row : rows)
      for (int value = 0; value < static_cast<int>(size); ++value) {
        longer.push_back(row);
        longer.back().push_back(value);
      }
    rows = std::move(longer);
  }
  std::erase_if(rows, [&](const Row& row) { return !Allowed(model, row); });
  return rows;
}

std::set<Pair> PairsIn(const std::vector<Row>& rows) {
  std::set<Pair> pairs;
  for (const Row& row : rows)
    for (size_t a = 0; a < row.size(); ++a)
      for (size_t b = a + 1; b < row.size(); ++b) pairs.insert({a, row[a], b, row[b]});
  return pairs;
}

Rules RulesOf(const Model& model) {
  std::vector<Rule> rules;
  const auto flags = [&](size_t axis, const std::set<int>& values) {
    Values made(model.sizes[axis], false);
    for (const int value : values) made[static_cast<size_t>(value)] = true;
    return made;
  };
  for (auto a = model.broken.begin(); a != model.broken.end(); ++a)
    for (auto b = std::next(a); b != model.broken.end(); ++b)
      rules.push_back(
          {Rule::Kind::kTwoBroken,
           {{a->first, flags(a->first, a->second)}, {b->first, flags(b->first, b->second)}},
           {}});
  for (const Combination& combination : model.forbidden) {
    Rule rule;
    for (const auto& [axis, values] : combination)
      rule.together.emplace_back(axis, flags(axis, values));
    rules.push_back(std::move(rule));
  }
  return {model.sizes, std::move(rules)};
}

Model RandomModel(unsigned seed) {
  std::mt19937 random(seed);
  const auto upto = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  Model model;
  for (int i = 2 + upto(5); i > 0; --i) model.sizes.push_back(static_cast<size_t>(1 + upto(5)));
  const auto some = [&](size_t axis) {
    std::set<int> values;
    for (int i = 1 + upto(2); i > 0; --i) values.insert(upto(static_cast<int>(model.sizes[axis])));
    return values;
  };
  for (int i = upto(7); i > 0; --i) {
    Combination combination;
    for (int axes = 1 + upto(3); axes > 0; --axes) {
      const auto axis = static_cast<size_t>(upto(static_cast<int>(model.sizes.size())));
      combination[axis] = some(axis);
    }
    model.forbidden.push_back(std::move(combination));
  }
  for (size_t axis = 0; axis < model.sizes.size(); ++axis)
    if (upto(2) == 0) model.broken[axis] = some(axis);
  return model;
}

void HoldToAllRows(const Model& model, uint64_t seed) {
  const std::vector<Row> all = AllRows(model);
  const Covering covering = CoverPairs(RulesOf(model), {}, seed);
  for (const Row& row : covering.rows)
    EXPECT_TRUE(Allowed(model, row)) << testing::PrintToString(row);
  const std::set<Pair> pairs = PairsIn(all);
  EXPECT_EQ(PairsIn(covering.rows), pairs);
  EXPECT_EQ(covering.allowed, pairs.size());
  EXPECT_EQ(covering.covered, pairs.size());
  EXPECT_LE(covering.rows.size(), std::min(all.size(), pairs.size()));

  std::set<Pair> impossible;
  for (const ValuePair& pair : covering.impossible)
    impossible.insert({pair.axis_a, pair.a, pair.axis_b, pair.b});
  size_t conceivable = 0;
  for (size_t a = 0; a < model.sizes.size(); ++a)
    for (size_t b = a + 1; b < model.sizes.size(); ++b)
      conceivable += model.sizes[a] * model.sizes[b];
  EXPECT_EQ(impossible.size() + pairs.size(), conceivable);
  for (const Pair& pair : impossible) EXPECT_FALSE(pairs.contains(pair));
}

TEST(CoverPairs, HasEveryPairThatSomeAllowedRowHasAndNoOther) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    HoldToAllRows(RandomModel(seed), seed);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

const Model kWide = {std::vector<size_t>(10, 4),
                     {{{0, {1}}, {1, {2, 3}}}, {{2, {0}}, {3, {0}}, {4, {0}}}},
                     {{5, {3}}, {6, {3}}, {7, {3}}}};

TEST(CoverPairs, TheSameSeedGivesTheSameRowsAndAnotherOthers) {
  const Rules rules = RulesOf(kWide);
  EXPECT_EQ(CoverPairs(rules, {}, 7).rows, CoverPairs(rules, {}, 7).rows);
  EXPECT_NE(CoverPairs(rules, {}, 7).rows, CoverPairs(rules, {}, 8).rows);
}

// The rows are the same on every machine and in every release: a case id in a report must name the
// same case next year.
TEST(CoverPairs, ARowOfASeedNeverChanges) {
  const Model model = {{3, 2, 2}, {{{0, {2}}, {1, {1}}}}, {}};
  EXPECT_THAT(CoverPairs(RulesOf(model), {}, 1).rows,
              testing::ElementsAre(Row{0, 0, 1}, Row{0, 1, 0}, Row{1, 0, 0}, Row{1, 1, 1},
                                   Row{2, 0, 0}, Row{2, 0, 1}));
}

TEST(CoverPairs, TenAxesOfFourValuesTakeFewRows) {
  // 16 at least, since two axes have 16 pairs, and a million cells are there; other tools take 24
  // to 31 without the rules.
  EXPECT_LE(CoverPairs(RulesOf({std::vector<size_t>(10, 4), {}, {}}), {}, 1).rows.size(), 34u);
}

// A pair a row: nothing is asked of each row for each pair, nor kept for each value with itself.
TEST(CoverPairs, AsManyPairsAsAreAllowedAreCovered) {
  EXPECT_EQ(CoverPairs(RulesOf({{316, 316}, {}, {}}), {}, 1).rows.size(), 316u * 316u);
  EXPECT_EQ(CoverPairs(RulesOf({{1, 100'000}, {}, {}}), {}, 1).covered, 100'000u);
}

TEST(CoverPairs, WantedRowsComeFirstAndCount) {
  const Model model = {{2, 2, 2}, {{{0, {0}}, {1, {0}}}}, {}};
  const Row wanted = {0, 0, 1};  // though a rule excludes it
  const Covering covering = CoverPairs(RulesOf(model), {wanted}, 1);
  EXPECT_EQ(covering.rows.front(), wanted);
  EXPECT_THAT(covering.impossible, testing::IsEmpty())
      << "the wanted row has the one pair that no other may have";
  EXPECT_EQ(covering.covered, 12u);
}

// What rules out a value altogether is only seen when all of an axis's values have been tried.
TEST(CoverPairs, AValueThatRulesRuleOutTogetherHasNoPair) {
  const Model model = {{2, 2, 3, 3, 3, 3}, {{{0, {0}}, {1, {0}}}, {{0, {0}}, {1, {1}}}}, {}};
  const Covering covering = CoverPairs(RulesOf(model), {}, 1);
  EXPECT_EQ(covering.impossible.size(), 2u + 4 * 3);
  for (const Row& row : covering.rows) EXPECT_EQ(row[0], 1);
}

}  // namespace
}  // namespace gpustage
