// What `why` has proven of a run, kept beside the cache of real parts until the machine or the
// program is another.
#pragma once

#include <string>
#include <vector>

#include "harness/diagnose/why.h"
#include "harness/report/trace.h"

namespace gpustage {

// The proven answers. What cannot be kept is not: a cache is no duty.
void KeepProofs(const Case& c, size_t run, const WhyReport& report);
// Empty when `why` was not asked, or found nothing.
std::vector<ProvenTry> ProofsOf(const Case& c, size_t run);

}  // namespace gpustage
