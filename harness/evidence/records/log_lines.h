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
  friend bool operator==(const TimedLine&, const TimedLine&) = default;
};

struct SplitLog {
  std::vector<TimedLine> lines;
  int64_t cut = 0;  // how many there were between the first and the last that are kept
  friend bool operator==(const SplitLog&, const SplitLog&) = default;
};

// Complete lines of each stream in order of arrival; what is left without a newline at the end is a
// line too. Of a flood the first and the last are kept, with a line between them that says so, and
// the start of a line that is very long (base/limits.h).
SplitLog SplitLines(const std::vector<OutputChunk>& output);

// Colour and time go, level, message and fields are read as the format says. A line of another form
// is plain text.
LogLine ParseLogLine(const TimedLine& line, LogFormat format);

// For ScannerStart::done_when: whether the RE2 `pattern` is found in a line without colour.
std::function<bool(std::string_view)> LineFinder(const std::string& pattern);

std::string WithoutColour(std::string_view text);

}  // namespace gpustage
