// What was recorded of a run, kept as JSON Lines: harness/evidence/README.md has the format. It is
// decoded again whenever it is read.
#pragma once

#include <iosfwd>
#include <string>

#include "harness/base/result.h"
#include "harness/evidence/records/recorded_run.h"
#include "harness/evidence/store/kept_run.h"

namespace gpustage {

inline constexpr int kEvidenceVersion = 7;  // 4 to 6, which were decoded, are read, too

// One JSON object a line. A text that is not UTF-8 is written {"hex": "…"}. Of `run` the head is
// taken: whose it is, and what came of it.
void WriteEvidenceLines(const KeptRun& run, const RecordedRun& recorded, std::ostream& out);

// `file` is for the error, which names the line that is wrong.
Result<KeptRun> ParseEvidenceLines(const std::string& text, const std::string& file);

}  // namespace gpustage
