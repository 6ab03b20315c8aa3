// Whether two claims can be true of one and the same run.
#pragma once

#include "harness/scenario/model/claim.h"

namespace gpustage {

// Not both are true, whatever the run is. What is not known to contradict, does not.
bool Contradict(const Claim& a, const Claim& b);

}  // namespace gpustage
