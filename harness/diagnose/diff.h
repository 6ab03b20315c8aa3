// What differs between two runs, a working one and a broken one above all: the first event that is
// not the same, then what leads to it. Pids, times and addresses are no difference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/diagnose/flat_case.h"
#include "harness/evidence/evidence.h"

namespace gpustage {

// One side. A kept run has no machine.
struct DiffSide {
  std::string name;
  std::optional<FlatCase> flat;
  Evidence evidence;
};

struct DiffSection {
  std::string title;                // "tree"
  std::vector<std::string> only_a;  // sorted, each with how often when that differs
  std::vector<std::string> only_b;
  friend bool operator==(const DiffSection&, const DiffSection&) = default;
};

struct Diff {
  std::string first_a, first_b;  // the first event that only one side has; "" where it has none
  std::vector<DiffSection> sections;  // of what differs at all
  bool IsEmpty() const { return first_a.empty() && first_b.empty() && sections.empty(); }
};

Diff DiffOf(const DiffSide& a, const DiffSide& b);
std::string DiffText(const Diff& diff, const std::string& a, const std::string& b);

// Without what differs from run to run: addresses, times, pids.
std::string WithoutNoise(const std::string& text);

}  // namespace gpustage
