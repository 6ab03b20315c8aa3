#include <fmt/format.h>
#include <re2/re2.h>

#include <charconv>

#include "harness/scenario/model/scanner.h"

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

// "0.17.4" -> "0.17.5", "0.17" -> "0.18": the first that is of it no more.
std::string After(const std::string& version) {
  std::vector<int> numbers = NumbersOf(version);
  ++numbers.back();
  return fmt::format("{}", fmt::join(numbers, "."));
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
  if (!range.below.empty())
    text += fmt::format("{}below {}", text.empty() ? "" : ", ", range.below);
  return text;
}

std::string NotGiven(const std::string& program, const std::string& versions) {
  return fmt::format("no {}{}{} here: give --{} PATH, GPUSTAGE_OLLAMA or PATH", program,
                     versions.empty() ? "" : " ", versions, program);
}

std::optional<VersionRange> ParseVersions(const std::string& text) {
  std::string sign, version;
  if (!RE2::FullMatch(text, R"((>=|<|)(\d{1,6}(?:\.\d{1,6})*)(?:-[\w.]+)?)", &sign, &version))
    return std::nullopt;
  if (sign == "<") return VersionRange{"", version};
  return VersionRange{version, sign.empty() ? After(version) : ""};
}

bool Means(const std::string& wanted, const std::string& name, const std::string& version) {
  if (wanted == name) return true;
  const size_t at = wanted.find('@');
  if (at == std::string::npos || version.empty() || wanted.substr(0, at) != name) return false;
  const std::string versions = wanted.substr(at + 1);
  if (versions == version) return true;
  const std::optional<VersionRange> range = ParseVersions(versions);
  return range && Holds(*range, version);
}

}  // namespace gpustage
