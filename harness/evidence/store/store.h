// Evidence kept as JSON Lines: harness/evidence/README.md has the format. What is read is what was
// written.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/evidence/evidence.h"

namespace gpustage {

inline constexpr int kEvidenceVersion = 4;

// Evidence, and whose it is.
struct KeptRun {
  std::string id;  // of the case
  std::string scenario;
  std::string claim;
  std::string run;
  std::string scanner;
  std::string verdict;
  std::string because;
  Evidence evidence;
  friend bool operator==(const KeptRun&, const KeptRun&) = default;
};

// One JSON object a line. A text that is not UTF-8 is written {"hex": "…"}.
std::string EvidenceLines(const KeptRun& run);

// `file` is for the error, which names the line that is wrong.
Result<KeptRun> ParseEvidenceLines(const std::string& text, const std::string& file);

}  // namespace gpustage
