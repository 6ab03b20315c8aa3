// gpustage: the table of verbs is in verbs.cc, and one file cmd_NAME.cc is a verb.
#include "harness/cli/command_line.h"
#include "harness/cli/commands.h"

int main(int argc, char** argv) {
  gpustage::SetCalledAs(argc > 0 ? argv[0] : nullptr);
  return gpustage::RunCommandLine({argv + std::min(argc, 1), argv + argc});
}
