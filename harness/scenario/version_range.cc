#include <fmt/format.h>

#include <charconv>

#include "harness/scenario/scanner.h"

namespace gpustage {
namespace {

// "0.32.14-rc1" -> 0, 32, 14. A word has no numbers, and is older than all.
std::vector<int> NumbersOf(const std::string& version) {
  std::vector<int> numbers;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int number = 0; at != end;) {
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) break;
    numbers.push_back(number);
    at = read.ptr;
    if (at == end || *at != '.') break;
    ++at;
  }
  return numbers;
}

}  // namespace

bool Holds(const VersionRange& range, const std::string& version) {
  const std::vector<int> numbers = NumbersOf(version);
  return (range.from.empty() || numbers >= NumbersOf(range.from)) &&
         (range.below.empty() || numbers < NumbersOf(range.below));
}

std::string ToString(const VersionRange& range) {
  std::string text;
  if (!range.from.empty()) text = fmt::format("from {} on", range.from);
  if (!range.below.empty()) text += fmt::format("{}below {}", text.empty() ? "" : ", ", range.below);
  return text;
}

}  // namespace gpustage
