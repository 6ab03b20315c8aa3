// What claims are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpustage {

struct CountRange {
  int64_t at_least = 0;
  std::optional<int64_t> at_most;  // none: no upper end

  bool Contains(int64_t n) const { return n >= at_least && (!at_most || n <= *at_most); }
  friend bool operator==(const CountRange&, const CountRange&) = default;
};
std::string ToString(const CountRange& range);  // "2", "at least 1", "1 to 3"

// Matched on a log line without time and colour.
struct LinePattern {
  std::string text;
  bool regex = false;  // RE2, checked when the scenario is read
  friend bool operator==(const LinePattern&, const LinePattern&) = default;
};

// The steps of the funnel, in order. A device is lost at the first that did not happen.
enum class Step {
  kListed,
  kMatched,
  kOpened,
  kLoaded,
  kEntryPoint,
  kInitialised,
  kCounted,
  kReported
};
std::string ToString(Step step);  // "listed", "entry point", ...
std::optional<Step> ParseStep(std::string_view text);

}  // namespace gpustage
