// Where the sources of this build lie.
#pragma once

#include <string>

extern const char kSourceDir[];

namespace gpustage {

// `path` begins with a slash: "/fixtures/devices".
inline std::string InSources(const char* path) { return std::string(kSourceDir) + path; }

}  // namespace gpustage
