// distribution: of an expectation.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "harness/scenario/read/claim_readers.h"

namespace gpustage {
namespace {

// "12.5%" as 0.125.
Result<double> ReadShare(const YamlNode& node) {
  const std::string& text = node.text;
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  if (!node.IsText() || parsed.ec != std::errc() || parsed.ptr + 1 != end || *parsed.ptr != '%' ||
      !(percent > 0 && percent < 100))
    return ErrorAt(
        node,
        fmt::format("expected a share of the starts such as 20%, above 0% and below 100%, got {}",
                    Describe(node)));
  return percent / 100;
}

}  // namespace

Result<DistributionClaim> ReadDistribution(const YamlNode& node) {
  if (!node.IsMap() || node.entries.size() < 2)
    return ErrorAt(node,
                   "expected how often each number of devices is found, such as {0: 20%, 1: 80%}");
  DistributionClaim claim;
  double sum = 0;
  for (const YamlEntry& entry : node.entries) {
    YamlNode number;
    number.text = entry.key;
    number.pos = entry.pos;
    TRY(const int64_t count,
        ReadInteger(number, "devices", 0, std::numeric_limits<int64_t>::max()));
    TRY(const double share, ReadShare(entry.value));
    if (!claim.shares.emplace(count, share).second)
      return ErrorAt(entry, fmt::format("{} devices have a share already", count));
    sum += share;
  }
  // Shares are written in decimal, and 33.3% three times is a slip of the pen.
  if (std::abs(sum - 1) > 1e-9)
    return ErrorAt(node, fmt::format("these shares make {:.6g}%, not 100%", sum * 100));
  return claim;
}

}  // namespace gpustage
