// What is left to be asked of the tree once a run has ended, and what the answers make of the
// evidence.
#pragma once

#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"
#include "harness/run/after_run.h"

namespace gpustage {

Questions QuestionsOf(const Evidence& evidence);

// What was used from outside, what loaded libraries lack of each other, and why each library was
// lost. `evidence` is as Decode made it.
void Conclude(const AfterRun& after, Evidence& evidence);

// All that is known of a run: decoded and concluded.
Evidence EvidenceOf(const RecordedRun& run);

}  // namespace gpustage
