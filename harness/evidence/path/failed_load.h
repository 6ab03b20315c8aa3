// Why a library that was asked for was not loaded, out of what the loader did and what the system
// said when it was asked.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/run/run.h"

namespace gpustage {

// The library, and to look at only: where what it lacked was looked for, and where other copies of
// what it got may lie.
std::vector<std::string> PathsToAsk(const Evidence& evidence, const FunnelRow& row);

// `row` was lost at "loaded". One that loads when asked is lost at its entry point.
void ExplainFailedLoad(const Evidence& evidence, const std::vector<DlopenAnswer>& answers, int uid,
                       FunnelRow& row);

// Where a symbol should have come from, by its name or its version node: the beginning of a
// library's name; "" when that cannot be told.
std::string ProviderName(const std::string& symbol, const std::string& version);

}  // namespace gpustage
