#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/report/for_terminal.h"

namespace gpustage {

int PrintError(const Error& error, int exit_status) {
  const std::string text = ForTerminal(Rendered(error) + "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
  return exit_status;
}

int WithWritten(int status) {
  errno = 0;
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  const int why = errno;
  if (!failed) return status;
  // A reader that has had enough, as head has.
  if (why == EPIPE) return status == kAsExpected ? 128 + 13 : status;
  return PrintError({fmt::format("cannot write to standard output: {}",
                                 why == 0 ? "not all of it was taken" : std::strerror(why))},
                    kBadInput);
}

}  // namespace gpustage
