// How far the cells of a pairwise matrix cover its pairs.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/matrix/case_range.h"

namespace gpustage {

// Pairs that no cell can have, for one reason.
struct RuledOut {
  std::string why;                 // "excluded at scenarios/a.yaml:7:5"
  std::vector<std::string> pairs;  // "cuda=13 with link=dangling"
};
std::vector<RuledOut> PairsRuledOut(const CaseRange& range);

// A line, and one for each reason; "" where all cells are taken.
std::string CoverageText(const CaseRange& range);

}  // namespace gpustage
