// Runs of a case that share a tree.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/scenario/model/case.h"

namespace gpustage {

struct TreeGroup {
  Case c;                      // with these runs alone, and what they want in their tree
  std::vector<size_t> places;  // of each among the runs of the whole case
};

// All runs that have a program: in one tree, but those whose scanners want others of our fakes.
// What a run would have changed that is in another tree, or in none, is changed before the next.
std::vector<TreeGroup> GroupByTree(const Case& c);

}  // namespace gpustage
