#include "harness/scenario/matrix/covering.h"

#include <algorithm>
#include <numeric>

namespace gpustage {
namespace {

constexpr int kCandidates = 12;  // rows that are tried for each that is taken

// splitmix64: the same numbers everywhere, which std::shuffle does not promise.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  size_t Below(size_t limit) { return static_cast<size_t>(Next() % limit); }

  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

// A number for each pair of an axis's value with another's; kPairs of them at most.
class PairNumbers {
 public:
  explicit PairNumbers(const std::vector<size_t>& sizes) : sizes_(sizes) {
    size_t pairs = 0;
    first_.assign(sizes.size(), std::vector<size_t>(sizes.size()));
    for (size_t a = 0; a < sizes.size(); ++a)
      for (size_t b = a + 1; b < sizes.size(); ++b) {
        first_[a][b] = pairs;
        pairs += sizes[a] * sizes[b];
      }
    numbers_.assign(pairs, 0);
  }
  int& Of(size_t axis_a, int a, size_t axis_b, int b) {
    return axis_a < axis_b ? numbers_[At(axis_a, a, axis_b, b)]
                           : numbers_[At(axis_b, b, axis_a, a)];
  }
  int& Of(const ValuePair& p) { return Of(p.axis_a, p.a, p.axis_b, p.b); }

 private:
  size_t At(size_t axis_a, int a, size_t axis_b, int b) const {
    return first_[axis_a][axis_b] + static_cast<size_t>(a) * sizes_[axis_b] +
           static_cast<size_t>(b);
  }
  std::vector<size_t> sizes_;
  std::vector<std::vector<size_t>> first_;
  std::vector<int> numbers_;
};

std::vector<ValuePair> AllPairs(const std::vector<size_t>& sizes) {
  std::vector<ValuePair> pairs;
  for (size_t a = 0; a < sizes.size(); ++a)
    for (size_t b = a + 1; b < sizes.size(); ++b)
      for (int i = 0; i < static_cast<int>(sizes[a]); ++i)
        for (int j = 0; j < static_cast<int>(sizes[b]); ++j) pairs.push_back({a, b, i, j});
  return pairs;
}

std::vector<ValuePair> PairsOf(const Row& row) {
  std::vector<ValuePair> pairs;
  for (size_t a = 0; a < row.size(); ++a)
    for (size_t b = a + 1; b < row.size(); ++b) pairs.push_back({a, b, row[a], row[b]});
  return pairs;
}

class Generator {
 public:
  Generator(const Rules& rules, uint64_t seed)
      : rules_(rules), random_(seed), open_(rules.sizes()) {}

  Covering Cover(const std::vector<Row>& wanted) {
    Covering covering;
    std::vector<ValuePair> allowed;
    PairNumbers rows_with(rules_.sizes());
    const auto count = [&](const Row& row) {
      for (const ValuePair& pair : PairsOf(row)) ++rows_with.Of(pair);
    };
    for (const Row& row : wanted) count(row);
    for (const ValuePair& pair : AllPairs(rules_.sizes())) {
      (rows_with.Of(pair) != 0 || Allows(pair) ? allowed : covering.impossible).push_back(pair);
    }
    for (const ValuePair& pair : allowed) open_.Of(pair) = 1;
    covering.rows = wanted;
    for (const Row& row : wanted) Close(row);
    for (const ValuePair& pair : allowed)
      while (open_.Of(pair) != 0) {
        covering.rows.push_back(BestRowWith(pair));
        Close(covering.rows.back());
        count(covering.rows.back());
      }
    DropNeedless(wanted.size(), rows_with, covering.rows);
    std::sort(covering.rows.begin() + static_cast<ptrdiff_t>(wanted.size()), covering.rows.end());
    covering.allowed = allowed.size();
    covering.covered = static_cast<size_t>(
        std::count_if(allowed.begin(), allowed.end(),
                      [&](const ValuePair& pair) { return rows_with.Of(pair) != 0; }));
    return covering;
  }

 private:
  Row Only(const ValuePair& pair) const {
    Row row(rules_.sizes().size(), kNoneChosen);
    row[pair.axis_a] = pair.a;
    row[pair.axis_b] = pair.b;
    return row;
  }
  bool Allows(const ValuePair& pair) const { return rules_.CanFill(Only(pair)); }

  void Close(const Row& row) {
    for (const ValuePair& pair : PairsOf(row)) open_.Of(pair) = 0;
  }

  // How many open pairs this value would close with what the row has already.
  int Gain(const Row& row, size_t axis, int value) {
    int gain = 0;
    for (size_t other = 0; other < row.size(); ++other)
      gain += other != axis && row[other] != kNoneChosen &&
              open_.Of(axis, value, other, row[other]) != 0;
    return gain;
  }

  Row BestRowWith(const ValuePair& pair) {
    Row best;
    int best_gain = -1;
    for (int i = 0; i < kCandidates; ++i) {
      Row row = Filled(Only(pair));
      const auto pairs = PairsOf(row);
      const int gain = static_cast<int>(std::count_if(
          pairs.begin(), pairs.end(), [&](const ValuePair& p) { return open_.Of(p) != 0; }));
      if (gain > best_gain) best = std::move(row);
      best_gain = std::max(best_gain, gain);
    }
    return best;
  }

  // Axis by axis in a drawn order, the value with the most gain that leaves a way on.
  Row Filled(Row row) {
    std::vector<size_t> axes(row.size());
    std::iota(axes.begin(), axes.end(), size_t{0});
    random_.Shuffle(axes);
    for (const size_t axis : axes) {
      if (row[axis] != kNoneChosen) continue;
      std::vector<std::pair<int, int>> values;
      for (int value = 0; value < static_cast<int>(rules_.sizes()[axis]); ++value)
        values.emplace_back(Gain(row, axis, value), value);
      random_.Shuffle(values);
      std::stable_sort(values.begin(), values.end(),
                       [](const auto& a, const auto& b) { return a.first > b.first; });
      for (const auto& [gain, value] : values) {
        row[axis] = value;
        if (rules_.CanFill(row)) break;
      }
    }
    return row;
  }

  // A row whose pairs all stand in others, too. Later ones were chosen knowing the earlier, so the
  // earlier go.
  static void DropNeedless(size_t wanted, PairNumbers& rows_with, std::vector<Row>& rows) {
    for (size_t i = wanted; i < rows.size();) {
      const std::vector<ValuePair> pairs = PairsOf(rows[i]);
      const bool needed = std::any_of(pairs.begin(), pairs.end(), [&](const ValuePair& pair) {
        return rows_with.Of(pair) == 1;
      });
      if (needed) {
        ++i;
        continue;
      }
      for (const ValuePair& pair : pairs) --rows_with.Of(pair);
      rows.erase(rows.begin() + static_cast<ptrdiff_t>(i));
    }
  }

  const Rules& rules_;
  Random random_;
  PairNumbers open_;  // 1: no row has it yet
};

}  // namespace

Covering CoverPairs(const Rules& rules, const std::vector<Row>& wanted, uint64_t seed) {
  return Generator(rules, seed).Cover(wanted);
}

}  // namespace gpustage
