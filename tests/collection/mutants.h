// Neighbours of a fault: other faults that a reader could take for it, made by rule and not by
// hand.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/model/case.h"

namespace gpustage {

struct Mutant {
  std::string by;  // the operator: "masked-instead", "mode-instead-of-gone"
  Case c;          // with one run, which expects what it did of the fault that is gone
};

// Of run number `run`, which is none of the fixed ones. The first kind mends the machine as the
// scenario's fix does and breaks it otherwise; the second exchanges one operation or one code of
// the scenario's own. What would be the fault itself is left out.
std::vector<Mutant> MutantsOf(const Case& c, size_t run);

}  // namespace gpustage
