// What the machine says after the run of the paths that a loss hangs on: who refuses on the way,
// what else refuses, and where a library lies that was looked for elsewhere.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {

// null: nobody looked there.
const Looked* LookedAt(const AfterRun& after, const std::string& path);

// Adds the facts of places below each loss.
void AddPlaces(const AfterRun& after, Evidence& evidence);

}  // namespace gpustage
