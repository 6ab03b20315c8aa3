// Appends to the journal of this run. Lock-free, and safe in a forked child and in several
// processes at once.
#pragma once

#include <initializer_list>

#include "fakes/world/format.h"

namespace gpustage::world {

// Does nothing for a copy that was never placed. Gives where the value stands, for a call that has
// not come back yet; null when nothing was written.
int64_t* Append(RecordKind kind, int64_t value, int32_t device, uint32_t detail,
                std::initializer_list<const char*> texts);

}  // namespace gpustage::world
