// covering: few rows in which every pair of values of two axes that may stand together does so at
// least once.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/scenario/matrix/rules.h"

namespace gpustage {

struct ValuePair {
  size_t axis_a = 0, axis_b = 0;  // a < b
  int a = 0, b = 0;

  friend bool operator==(const ValuePair&, const ValuePair&) = default;
};

struct Covering {
  std::vector<Row> rows;  // those that were asked for first
  size_t allowed = 0;     // pairs that some row may have
  size_t covered = 0;     // of these, counted in `rows`
  std::vector<ValuePair> impossible;
};

// Deterministic: the same rules, wanted rows and seed give the same rows. `wanted` are rows that
// must be among them, and may break rules.
Covering CoverPairs(const Rules& rules, const std::vector<Row>& wanted, uint64_t seed);

}  // namespace gpustage
