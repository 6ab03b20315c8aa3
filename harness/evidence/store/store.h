// Evidence kept as JSON Lines: harness/evidence/README.md has the format. What is read is what was
// written.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/evidence/store/kept_run.h"

namespace gpustage {

inline constexpr int kEvidenceVersion = 6;  // from 4 on all are read

// One JSON object a line. A text that is not UTF-8 is written {"hex": "…"}.
std::string EvidenceLines(const KeptRun& run);

// `file` is for the error, which names the line that is wrong.
Result<KeptRun> ParseEvidenceLines(const std::string& text, const std::string& file);

}  // namespace gpustage
