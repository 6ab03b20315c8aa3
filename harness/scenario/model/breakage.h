// The ways in which a placed library can be broken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpustage {

// One way in which a placed library is broken.
struct Breakage {
  enum class Kind {
    // The file is no library for this machine.
    kEmpty,
    kTruncated,  // bytes: what is left
    kText,       // text: the whole content instead
    kGitLfs,     // the text that git-lfs keeps in place of a file that was not fetched
    kWrongClass,
    kWrongMachine,
    kBigEndian,
    // Names and versions. text: the other one, "" for none.
    kSoname,
    kVersionNode,
    kVersionNodeLacks,  // names: symbols that stand outside the node
    kVersionTable,      // no version information at all, not even of what is needed
    kSymbolAbsent,      // names
    // What it wants of others. text: the name.
    kUndefined,
    kNeeds,
    kNeedsVersion,
    kRpath,
    kRunpath,
    kExecutableStack,
    kStaticTls,  // bytes
    // What it does when it is loaded.
    kConstructorPrints,  // text
    kConstructorSleeps,  // bytes: milliseconds
    kConstructorAborts,
    kConstructorCrashes,
  };
  Kind kind = Kind::kEmpty;
  int64_t bytes = 0;
  std::string text;
  std::vector<std::string> names = {};
  friend bool operator==(const Breakage&, const Breakage&) = default;
};

}  // namespace gpustage
