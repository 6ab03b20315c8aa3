// What a library needed of the loader, where that was looked for and what was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/records/event.h"

namespace gpustage {

// What a library asked the loader for.
struct Tried {
  std::string path;
  std::string rule;  // "LD_LIBRARY_PATH[2]", "RPATH", "RUNPATH", "ld.so.cache", "default directory"
  friend bool operator==(const Tried&, const Tried&) = default;
};

struct Need {
  std::string name;       // as it is asked for: "libcudart.so.12"
  std::string requester;  // path of the library that asks; "" is the program
  std::vector<Tried> tried;
  std::string found;  // the file that was mapped; "" is none
  std::string rule;   // that found it
  EventId event = 0;  // of the search
  // Nothing was mapped for it, and yet a file of that name was opened: what is loaded already,
  // under the name `same_as`, or, where that is "", one that was refused.
  std::optional<Tried> opened = {};
  std::string same_as = {};
  friend bool operator==(const Need&, const Need&) = default;
};

// Places of one rule, whichever its entry, that were tried one after the other.
struct PlacesOfRule {
  std::string rule;  // "LD_LIBRARY_PATH"
  int64_t count = 0;
  friend bool operator==(const PlacesOfRule&, const PlacesOfRule&) = default;
};
std::vector<PlacesOfRule> PlacesOf(const Need& need);

}  // namespace gpustage
