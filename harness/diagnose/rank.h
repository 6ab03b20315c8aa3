// Which of the answers is told first.
#pragma once

#include <vector>

#include "harness/diagnose/why.h"

namespace gpustage {

// The smaller before the larger, what the chain of losses names before what it does not, then the
// nearer. Of those that share a change only the first is left.
std::vector<Mending> Ranked(std::vector<Mending> found, const WhyReport& report,
                            const FlatTree& tree);

}  // namespace gpustage
