// How much of a run is watched. Each kind costs time, and none changes what the scanner finds.
#pragma once

#include <string>

namespace gpustage {

enum class EvidenceLevel {
  kNone,   // what it prints and how it ends
  kLibs,   // and the loader, and calls into the fakes
  kFiles,  // and what processes ask of the kernel, and calls into the fakes; the loader not
  kAll,
};
std::string ToString(EvidenceLevel level);  // "none", "libs", "files", "all"

inline bool WatchesLoader(EvidenceLevel level) {
  return level == EvidenceLevel::kLibs || level == EvidenceLevel::kAll;
}
inline bool WatchesFiles(EvidenceLevel level) {
  return level == EvidenceLevel::kFiles || level == EvidenceLevel::kAll;
}

}  // namespace gpustage
