// What was recorded -> Evidence. Pure: works on a run of a moment ago and on one that was kept
// alike.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

// As far as the records of the run itself go; what they leave open is asked of the tree, and
// concluded from the answers (path/questions.h).
Evidence Decode(const RecordedRun& run);

// The same of a run that nobody keeps.
inline Evidence Decode(RawRun run, const ScannerSpec& scanner,
                       const std::vector<std::string>& candidates, const Setting& setting = {}) {
  return Decode(Recorded(std::move(run), scanner, candidates, setting));
}

}  // namespace gpustage
