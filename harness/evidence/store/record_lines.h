// The lines of kept evidence: each a JSON object, of one thing that was recorded.
#pragma once

#include <string>

#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

std::string RecordLines(const RecordedRun& run);

// `line` is a JSON object that has a "record". Throws what nlohmann does, and what says which field
// or word is not known.
void ReadRecordLine(const std::string& line, RecordedRun& run);

}  // namespace gpustage
