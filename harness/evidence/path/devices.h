// The devices that a scanner says it sees, read from its output as its definition tells.
#pragma once

#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

// Fills devices, device_count and devices_unreadable. `evidence.log` and its events are there
// already.
void ReadDevices(const RecordedRun& run, Evidence& evidence);

}  // namespace gpustage
