// The causes of an answer, by the one observation that tells them apart, and what ruled others out.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "harness/logs/weigh.h"

namespace gpustage {

// A line of the log, with its number: "  line 7   text". Long ones are cut, none is wrapped.
std::string QuotedLine(const PastedLine& line);

// Those with one look stand together; the look that tells most of them apart comes first, after
// what the log points at.
std::string CausesText(const Knowledge& knowledge, const LogReading& log,
                       const std::vector<WeighedCause>& causes, size_t width);

std::string RuledOutText(const Knowledge& knowledge, const LogReading& log,
                         const std::vector<WeighedCause>& causes, size_t width);

// The command that tells most of them apart; "" without one.
std::string FirstCommand(const Knowledge& knowledge, const LogReading& log,
                         const std::vector<WeighedCause>& causes);

}  // namespace gpustage
