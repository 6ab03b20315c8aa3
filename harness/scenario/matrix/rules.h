// rules: which values of a matrix's axes may stand together in one cell, and whether a cell that is
// begun can be filled.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// The number of the value of each axis.
using Row = std::vector<int>;
inline constexpr int kNoneChosen = -1;  // none is chosen yet

// Some of an axis's values.
using Values = std::vector<bool>;

// No cell has one of these values of each of these axes.
struct Rule {
  enum class Kind { kTwoBroken, kConstraint, kExclude };
  Kind kind = Kind::kExclude;
  std::vector<std::pair<size_t, Values>> together;  // axis, values; each axis once
  SourcePos pos;                                    // of the constraint or the exclude
};

class Rules {
 public:
  // `sizes`: how many values each axis has.
  Rules(std::vector<size_t> sizes, std::vector<Rule> rules)
      : sizes_(std::move(sizes)), rules_(std::move(rules)) {}

  const std::vector<size_t>& sizes() const { return sizes_; }
  // The rule that this row breaks, whatever comes into its open places; nullptr when there is none.
  const Rule* BrokenBy(const Row& row) const;
  // Whether its open places can be filled so that no rule is broken.
  bool CanFill(const Row& row) const;
  // Whether a row that breaks no rule has one of each of these values.
  bool CanHave(const std::vector<std::pair<size_t, Values>>& values) const;
  void Add(Rule rule) { rules_.push_back(std::move(rule)); }

 private:
  using Choices = std::vector<Values>;  // of each axis, the values that are still possible

  Choices All() const;
  bool Narrow(Choices& choices) const;
  bool Search(Choices choices) const;

  std::vector<size_t> sizes_;
  std::vector<Rule> rules_;
};

}  // namespace gpustage
