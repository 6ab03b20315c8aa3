#include "harness/verdict/distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>

#include "harness/verdict/check_builder.h"

namespace gpustage {
namespace {

constexpr double kTail = 1.0 / 20000;

using boost::math::binomial;

// The odds of so many or more, or of so few or fewer: whichever is less.
double OddsOf(int times, int starts, double share) {
  const binomial chance(starts, share);
  const double few = cdf(chance, times);
  const double many = times == 0 ? 1 : cdf(complement(chance, times - 1));
  return std::min(few, many);
}

std::string CountText(int64_t devices) {
  return fmt::format("{} device{}", devices, devices == 1 ? "" : "s");
}

}  // namespace

std::vector<const Claim*> DistributionsOf(const Case& c, const RunSpec& run) {
  std::vector<const Claim*> found;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    for (const Claim& claim : expectation->claims)
      if (std::holds_alternative<DistributionClaim>(claim.what)) found.push_back(&claim);
  return found;
}

Check CheckDistribution(const Claim& distribution, const std::map<int64_t, int>& starts) {
  const auto& shares = std::get<DistributionClaim>(distribution.what).shares;
  int all = 0;
  for (const auto& [devices, times] : starts) all += times;
  const double odd = kTail / static_cast<double>(shares.size());
  std::string seen, refuted;
  bool can_refute = false;
  for (const auto& [devices, share] : shares) {
    const auto found = starts.find(devices);
    const int times = found == starts.end() ? 0 : found->second;
    seen += fmt::format("{}{} in {}", seen.empty() ? "" : ", ", CountText(devices), times);
    const double expected = share * all;
    can_refute = can_refute || std::min(OddsOf(0, all, share), OddsOf(all, all, share)) < odd;
    if (refuted.empty() && OddsOf(times, all, share) < odd)
      refuted = fmt::format(
          "; {} so {}, where {:.4g} starts are to be expected, comes by chance in less than 1 of "
          "20000 repeats",
          CountText(devices), times > expected ? "often" : "rarely", expected);
  }
  if (!can_refute) seen += "; so few starts could not refute it";
  Check check =
      MakeCheck(refuted.empty(), fmt::format("of {} starts: {}{}", all, seen, refuted), 0);
  check.expected = ToString(distribution);
  check.pos = distribution.pos;
  return check;
}

}  // namespace gpustage
