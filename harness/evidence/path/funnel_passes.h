// What no row of the funnel can say by itself: what became of a counted device in another process,
// what was counted twice, and whether any log line tells.
#pragma once

#include "harness/evidence/evidence.h"

namespace gpustage {

// Second pass, duplicates, struct layouts, counts of other processes. May be called again after
// rows have changed.
void RelateRows(Evidence& evidence);

// "listed" and "matched" as the kernel was asked, where that was watched; the event of a listing
// that was refused. May be called again after rows have changed.
void SeeListing(Evidence& evidence);

// Whether anybody looked into this directory, or listed the one above it.
bool WasNear(const Evidence& evidence, const std::string& directory);

// Takes out of the funnel what is nobody's loss: a name that was a try before another one of the
// same library, and backends where the program wanted none.
void DropWhatIsNoLoss(Evidence& evidence);

// Sets Evidence::lost. May be called again after rows have changed.
void FindLostRow(Evidence& evidence);

// Sets PathLoss::failed and said, lost, silent_failure and silent_because.
//
// A row has failed when a device may be missing because of it: it was lost, and not because the
// same device was reported by another way (duplicate, overlap), nor before its entry point where
// another process got further with the same library. What was passed over or hidden because
// somebody asked for it, and what nobody tried, has failed only if no device was reported.
//
// A line says so when it complains and names the library, its directory, what it needed and did not
// get, or the code's name or text. The scanner's own death or time limit says so too. A line that
// names the library whether it works or not ("bootstrap discovery took") does not.
void FindSilence(Evidence& evidence);

}  // namespace gpustage
