#include "harness/base/result.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace gpustage {

std::string ToString(const SourcePos& pos) {
  return fmt::format("{}:{}:{}", pos.file, pos.line, pos.column);
}

void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "gpustage: bug at %s:%d: %s does not hold\n", file, line, what);
  std::abort();
}

}  // namespace gpustage
