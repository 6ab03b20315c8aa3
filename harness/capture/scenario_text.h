// What was read of a machine, as a scenario that `gpustage run` replays: each value with where it
// came from, what is not known marked, nothing private.
#pragma once

#include <string>

#include "harness/capture/facts.h"

namespace gpustage::capture {

std::string ScenarioText(const MachineFacts& facts);

}  // namespace gpustage::capture
