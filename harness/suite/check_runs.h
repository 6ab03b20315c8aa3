// What a run would find out only when it has ended.
#pragma once

#include "harness/scenario/model/case.h"

namespace gpustage {

// An error, with its place, where nothing is expected of a run, or two things that cannot both be.
Status CheckRuns(const Case& c);

}  // namespace gpustage
