// Lines out of what arrived in chunks, and what a line says.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/scenario/model/scanner.h"

namespace gpustage {

struct TimedLine {
  int64_t time_ns = 0;  // when its last byte arrived
  Stream stream = Stream::kStderr;
  std::string text;
};

// Complete lines of each stream in order of arrival; what is left without a newline at the end is a
// line too.
std::vector<TimedLine> SplitLines(const std::vector<OutputChunk>& output);

// Colour and time go, level, message and fields are read as the format says. A line of another form
// is plain text.
LogLine ParseLogLine(const TimedLine& line, LogFormat format);

// For ScannerStart::done_when: whether the RE2 `pattern` is found in a line without colour.
std::function<bool(std::string_view)> LineFinder(const std::string& pattern);

std::string WithoutColour(std::string_view text);

}  // namespace gpustage
