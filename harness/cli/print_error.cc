#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/cli/commands.h"

namespace gpustage {

int PrintError(const Error& error, int exit_status) {
  fmt::print(stderr, "{}\n", Rendered(error));
  return exit_status;
}

}  // namespace gpustage
