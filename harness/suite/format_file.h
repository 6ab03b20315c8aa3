// A scenario file as it is usually laid out: `gpustage fmt`. Comments stay with what they are
// about.
#pragma once

#include <string>

#include "harness/base/result.h"

namespace gpustage {

// Ends of lines, blanks behind them, blank lines, and the order of claim, source and tags. An error
// where the text is no scenario, or where it would say something else than before: no such text is
// known, and it is looked at each time.
Result<std::string> FormatScenario(const std::string& text, const std::string& file);

}  // namespace gpustage
