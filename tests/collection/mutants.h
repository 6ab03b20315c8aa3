// Neighbours of a fault: other faults that a reader could take for it, made by rule and not by
// hand.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/scenario/model/case.h"

namespace gpustage {

struct Mutant {
  std::string by;  // the operator: "masked-instead", "mode-instead-of-gone"
  Case c;          // with one run, which expects what it did of the fault that is gone
  std::set<std::string> calls = {};  // functions of which one must have been called, or the other
                                     // fault was not met
};

// Of run number `run`, which is none of the fixed ones, and of which this is claimed. The first
// kind mends the machine as the scenario's fix does and breaks it otherwise, or lets the program
// end or count as it did for another reason; the second exchanges operations or codes of the
// scenario's own. What would be the fault itself is left out.
std::vector<Mutant> MutantsOf(const Case& c, size_t run, const std::vector<Claim>& claims);

}  // namespace gpustage
