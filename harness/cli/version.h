// Which gpustage this is: written by the build.
#pragma once

namespace gpustage {

extern const char kVersion[];  // "0.1.0"
extern const char kCommit[];   // "197cda7", or "unknown" where the sources are no git repository
extern const char kDate[];     // of that commit: "2026-11-29"

}  // namespace gpustage
