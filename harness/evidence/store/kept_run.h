// A finished run as it is kept, and as `trace` shows it.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Evidence, and whose it is.
struct KeptRun {
  std::string id;  // of the case
  std::string scenario;
  std::string claim;
  std::string run;
  std::string scanner;
  std::string verdict;
  std::string because;
  Evidence evidence;
  friend bool operator==(const KeptRun&, const KeptRun&) = default;
};

}  // namespace gpustage
