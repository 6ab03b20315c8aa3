// Which libraries of a GPU were asked for, by whatever name, in which process.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Who asked for a library of a GPU in a process, and whether that was one itself.
struct Asked {
  std::string library;
  int pid = 0;
  bool inner = false;  // another library of a GPU asked for it
};

// `promised` counts as a library of a GPU whatever it is called.
std::vector<Asked> WhoAsked(const Evidence& evidence, const std::vector<std::string>& promised);

}  // namespace gpustage
