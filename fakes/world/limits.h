// What a process has left of what the real driver uses up: descriptors, address space, threads, and
// /proc. Where a bound lies between two recorded figures is assumed.
#pragma once

namespace gpustage::world {

// Descriptors that can still be opened; more than any driver needs where the limit is high.
int DescriptorsLeft();
// One gigabyte was too little, 16 were enough.
bool AddressSpaceIsShort();
// A user who may have no second process has no second thread.
bool CannotStartThreads();
bool ProcIsThere();

}  // namespace gpustage::world
