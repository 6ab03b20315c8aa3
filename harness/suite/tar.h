// An archive that every tar reads, and that is the same bytes whenever it is written: no times, no
// owners.
#pragma once

#include <map>
#include <string>

#include "harness/base/result.h"

namespace gpustage {

struct TarFile {
  std::string content;
  bool executable = false;
};

// By their paths in it, which are relative and have no "..".
Result<std::string> TarOf(const std::map<std::string, TarFile>& files);

}  // namespace gpustage
