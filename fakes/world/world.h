// What this placed copy of a fake knows: the machine of its world file, found by the stamp in its
// own data.
#pragma once

#include "fakes/world/format.h"

namespace gpustage::world {

// The machine. A copy that was never placed, or whose world file cannot be read, has a driver and
// no device.
const World& Here();

// Sorts places in World::devices by PCI address.
void SortByPci(const World& world, uint8_t* places, int count);

// Stamp::instance, 0 when this copy was never placed.
uint16_t Instance();

// The sixth argument of our own calls.
long OwnCallMark();

// Where the journal is; "" when this copy was never placed.
const char* JournalPath();

}  // namespace gpustage::world
