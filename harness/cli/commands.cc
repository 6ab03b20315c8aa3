#include "harness/cli/commands.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/base/files.h"
#include "harness/base/text.h"

namespace gpustage {
namespace {

std::string& Called() {
  static std::string called = "gpustage";
  return called;
}

}  // namespace

const std::string& CalledAs() { return Called(); }

void SetCalledAs(const char* word) {
  const char* const script = std::getenv("GPUSTAGE_CALLED_AS");  // harness/dev says it
  if (script != nullptr && *script != '\0')
    Called() = ShellWord(script);
  else if (word != nullptr && std::strchr(word, '/') != nullptr)
    Called() = ShellWord(word);
}

size_t WidthOfOutput() {
  winsize size = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::max<size_t>(size.ws_col, 40) : 100;
}

}  // namespace gpustage
