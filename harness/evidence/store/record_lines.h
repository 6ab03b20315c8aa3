// The lines of kept evidence: each a JSON object, of one thing that was recorded.
#pragma once

#include <iosfwd>
#include <string>

#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

// Says how many; each is written as it is made, for what a scanner printed may be 128 MiB.
int WriteRecordLines(const RecordedRun& run, std::ostream& out);

// `line` is a JSON object that has a "record". Throws what nlohmann does, and what says which field
// or word is not known.
void ReadRecordLine(const std::string& line, RecordedRun& run);

}  // namespace gpustage
