// Raw records -> Evidence. Pure: works on a run of a moment ago and on one from a file alike.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/scenario/model/scanner.h"

namespace gpustage {

// `candidates` are the paths of the tree that a scanner may take for a GPU backend: see
// CandidateLibraries.
Evidence Decode(const RawRun& run, const ScannerSpec& scanner,
                const std::vector<std::string>& candidates, const Setting& setting = {});

}  // namespace gpustage
