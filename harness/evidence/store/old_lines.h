// Lines of versions 4 to 6 of kept evidence, which had what was decoded.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// `line` is a JSON object. Throws what nlohmann does when a field is missing.
void ReadOldLine(const std::string& line, int version, Evidence& evidence);

// Once all lines are read: an event that something names and that is not there; 0: none.
EventId UnknownEvent(const Evidence& evidence);

}  // namespace gpustage
