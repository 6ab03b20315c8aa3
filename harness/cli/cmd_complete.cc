#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/completion.h"
#include "harness/cli/verbs.h"

namespace gpustage {

Action DeclareComplete(CLI::App&) {
  return [](const Program& words) {
    for (const std::string& word : Completions(words)) fmt::print("{}\n", word);
    return kAsExpected;
  };
}

}  // namespace gpustage
