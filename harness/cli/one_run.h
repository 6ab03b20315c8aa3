// One run of one case, by what the user calls them.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

struct OneRun {
  Case c;
  size_t run = 0;
};

// `wanted`: the run's name; "" is the first that can be started here. An error when the scenario
// has several cases.
Result<OneRun> FindOneRun(const std::string& scenario, const std::string& wanted);

}  // namespace gpustage
