#include "harness/base/result.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "harness/base/bugs.h"

namespace gpustage {

std::string ToString(const SourcePos& pos) {
  return fmt::format("{}:{}:{}", pos.file, pos.line, pos.column);
}

namespace {
thread_local bool bugs_are_thrown = false;
}  // namespace

BugsAreThrown::BugsAreThrown() : before_(bugs_are_thrown) { bugs_are_thrown = true; }
BugsAreThrown::~BugsAreThrown() { bugs_are_thrown = before_; }

void CheckFailed(const char* file, int line, const char* what) {
  if (bugs_are_thrown)
    throw std::logic_error(fmt::format("{}:{}: {} does not hold", file, line, what));
  std::fprintf(stderr, "gpustage: bug at %s:%d: %s does not hold\n", file, line, what);
  std::abort();
}

}  // namespace gpustage
