// The lines about the funnel that versions 4 to 6 of kept evidence have: each a JSON object.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// `record` is "funnel", "inner" or "setting". Throws what nlohmann does when a field is missing.
void ReadFunnelLine(const std::string& record, const std::string& text, int version,
                    Evidence& evidence);

}  // namespace gpustage
