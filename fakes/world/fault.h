// The faults of the world: which of them a call meets.
#pragma once

#include "fakes/world/format.h"

namespace gpustage::world {

// Counts this call for every fault that speaks of it and returns the first that applies now, or
// null.
const Fault* FaultFor(const char* function, int32_t device);

// Since it started.
int64_t MillisecondsOfProcess();

// What a device has free at most, as the faults of now leave it.
uint64_t FreeMemory(const Device& device, int32_t ordinal);

}  // namespace gpustage::world
