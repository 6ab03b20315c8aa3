// gpustage: the table of verbs is in verbs.cc, and one file cmd_NAME.cc is a verb.
#include <fmt/format.h>
#include <signal.h>

#include <new>
#include <system_error>

#include "harness/cli/command_line.h"
#include "harness/cli/commands.h"

int main(int argc, char** argv) {
  // A file that may grow no further is one that cannot be written, and no end without a word. What
  // is executed has the signal as it was.
  signal(SIGXFSZ, [](int) {});
  gpustage::SetCalledAs(argc > 0 ? argv[0] : nullptr);
  try {
    return gpustage::WithWritten(gpustage::RunCommandLine({argv + std::min(argc, 1), argv + argc}));
  } catch (const std::system_error& error) {  // of a stream that takes no more
    return gpustage::PrintError({fmt::format("cannot write: {}", error.code().message())},
                                gpustage::kBadInput);
  } catch (const std::bad_alloc&) {
    return gpustage::PrintError({"no memory is left"}, gpustage::kCannotHere);
  }
}
