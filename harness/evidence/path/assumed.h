// Answers of the fakes that stand on no recording and on no published rule.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

// What somebody asked for and was told an assumed value: "cuDeviceGetAttribute(device=0,
// attrib=13)", each once, in the order of the first call.
std::vector<std::string> AssumedReads(const Evidence& evidence);

}  // namespace gpustage
