// What a library in a process needed, where it was looked for and by which rule it was found: from
// the loader's events.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Fills Event::found_by.
void NameRules(Evidence& evidence);

// In the order of the search, from the load of the row's library up to its end or its unload. What
// was loaded before is not searched for again, so it is not here.
std::vector<Need> NeedsOf(const Evidence& evidence, const FunnelRow& row);

// What a mapped library's name ended at; "" when no link was followed, or nobody watched.
std::string FileOf(const Evidence& evidence, EventId load);

// How the row's own library was asked for and found; event 0: nobody asked the loader for it.
Need AskFor(const Evidence& evidence, const FunnelRow& row);

// The program, or the library, that ld.so itself was started with: `ld.so --inhibit-cache PROGRAM`.
// "" for any other process.
std::string GivenToLoader(const Process& process);

// The library that ld.so itself was started with, as ldd does, which it calls its program; "" for
// any other process.
std::string LibraryGivenToLoader(const Evidence& evidence, int pid);

}  // namespace gpustage
