// What is known of a program beside its lines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/scenario/model/scanner.h"

namespace re2 {
class RE2;
}

namespace gpustage {

// A loss of which a program writes nothing below a level, or at none.
struct SilentLoss {
  std::string program, what;
  std::string level;  // at which it is told; "" at none
  VersionRange versions;
  std::vector<std::string> never;  // a log with one of these lines does not have it
  bool linux_alone = false;
};

// What in a text, prefixes included, shows which program wrote it where no line of it is known.
struct Mark {
  std::string program;
  std::shared_ptr<const re2::RE2> text;
};

// How a program is made to say more.
struct Deeper {
  std::string program, platform, level, say;
  VersionRange versions;
};

}  // namespace gpustage
