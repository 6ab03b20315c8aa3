// What was read of a machine and no scenario can stage, as lines for a comment.
#pragma once

#include <string>
#include <vector>

#include "harness/capture/facts.h"
#include "harness/capture/privacy.h"

namespace gpustage::capture {

// Words of ours, numbers, and names through `places`.
std::vector<std::string> NotStaged(const MachineFacts& facts, Placeholders& places);

}  // namespace gpustage::capture
