// How often a run that is started again and again finds how many devices, against what its scenario
// says of that.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "harness/verdict/verdict.h"

namespace gpustage {

// The claims about it that apply to this run.
std::vector<const Claim*> DistributionsOf(const Case& c, const RunSpec& run);

// `starts` says in how many starts each number of devices was found. A share is refuted when a
// binomial of it gives so many or more, or so few or fewer, in less than 1 of 20,000 repeats,
// divided among the shares: by chance alone, what keeps to its distribution is refused at most once
// in 10,000 repeats.
Check CheckDistribution(const Claim& distribution, const std::map<int64_t, int>& starts);

}  // namespace gpustage
