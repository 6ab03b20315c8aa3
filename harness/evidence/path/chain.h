// The chain below a loss: which fact made a call fail, which library below it was lost, which copy
// answered. Facts of the run alone; explain.h adds what the system says when it is asked.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Nodes of a GPU that the caller asked the kernel for in vain just before this call, the last one
// first.
std::vector<Fact> NodesBelow(const Evidence& evidence, const Event& call);

// Those that it was given, however often.
std::vector<Fact> NodesOpened(const Evidence& evidence, const Event& call);

bool IsNode(const std::string& path);
Fact NodeOf(const Event& open);
Fact CalledOf(const Event& call);

// The variables of its process that hide devices from this library.
std::vector<Fact> MasksOf(const Evidence& evidence, const FunnelRow& row);

// A row of the funnel that has no reason of its own takes that of a library which it asks; then
// every loss is given the facts below it. May be called again after rows have changed.
void LinkLosses(Evidence& evidence);

// Whether the scanner's own process came to its end, and its last words if not.
void FindBadEnd(Evidence& evidence);

// Why devices of the machine are not among those that were reported, where some were; behind that
// the calls that failed with those.
void FindMissingDevices(Evidence& evidence);

}  // namespace gpustage
