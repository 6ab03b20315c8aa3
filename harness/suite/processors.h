// How many jobs are worth starting at once.
#pragma once

#include <string_view>

namespace gpustage {

// The processors that this process may run on, as far as its control group lets it: a pod on a node
// of many cores has a few of them. At least 1.
int Processors();

// Of `here` processors, with what cpu.max (v2), or cpu.cfs_quota_us and cpu.cfs_period_us (v1) with
// a blank between them, say: "150000 100000" is two.
int ProcessorsWith(int here, std::string_view quota);

}  // namespace gpustage
