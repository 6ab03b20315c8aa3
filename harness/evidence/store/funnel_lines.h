// The lines of kept evidence about the funnel: each a JSON object.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

std::string RowText(const char* record, const FunnelRow& row);  // record: "funnel", "inner"
std::string SettingText(const Evidence& evidence);
// `record` is "funnel", "inner" or "setting". Throws what nlohmann does when a field is missing.
void ReadFunnelLine(const std::string& record, const std::string& text, int version,
                    Evidence& evidence);

}  // namespace gpustage
