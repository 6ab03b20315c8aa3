// What all cases of one process share: where the things are, and the place where they are staged.
#pragma once

#include <memory>
#include <string>

#include "harness/pipeline.h"

namespace gpustage {

struct Workshop {
  std::unique_ptr<CaseRunner> runner;  // null where one of these is so
  std::string refused;                 // this machine allows no private root
  bool has_threads = false;            // it was asked for too late: helper.h
};

// Made by the first call and gone with the process.
const Workshop& SharedWorkshop();

}  // namespace gpustage
