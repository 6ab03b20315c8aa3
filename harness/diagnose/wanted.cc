// How many devices are to be counted, and what is nearer to it.
#include "harness/diagnose/why.h"
#include "harness/verdict/verdict.h"

namespace gpustage {

int64_t DevicesFor(const Machine& machine, const SeenByRun& looked) {
  const auto own = static_cast<int64_t>(machine.devices.size());
  const auto others = static_cast<int64_t>(machine.others.size());
  return looked.vulkan ? own + others : own > 0 ? own : others;
}

int64_t DistanceTo(const CountRange& wanted, int64_t count) {
  if (count < wanted.at_least) return wanted.at_least - count;
  return wanted.Contains(count) ? 0 : count - *wanted.at_most;
}

std::optional<CountRange> ExpectedCount(const Case& c, const RunSpec& run) {
  for (const Expectation* expectation : ExpectationsFor(c, run))
    for (const Claim& claim : expectation->claims)
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what)) return devices->count;
  return std::nullopt;
}

void SayWhatIsExpected(const Case& c, const RunSpec& run, WhyOptions& options) {
  options.expected = ExpectedCount(c, run);
  options.stated = {ExpectedOf(c, run), ExpectedAfterFix(c, run)};
}

void SetWanted(const WhyOptions& options, const Evidence& evidence, WhyReport& report) {
  std::optional<CountRange> wanted = options.wanted;
  const std::optional<int64_t>& count = report.before;
  if (!wanted && count && options.expected && !options.expected->Contains(*count))
    wanted = options.expected;
  report.goal = options.goal;
  if (report.goal.empty() && !wanted && count == report.there)
    for (const Goal& stated : options.stated)
      if (report.goal.empty() && FirstUnmet(stated, evidence) != nullptr) report.goal = stated;
  if (!report.goal.empty()) {
    wanted = CountRange{1, 1};
    const Claim* const unmet = FirstUnmet(report.goal, evidence);
    report.before = unmet == nullptr ? 1 : 0;
    if (unmet != nullptr) report.unmet = CheckClaim(evidence, *unmet).seen;
  }
  report.asked = wanted.has_value();
  report.wanted = wanted.value_or(CountRange{report.there, report.there});
  report.healthy = report.before && report.wanted.Contains(*report.before);
}

bool IsBetter(std::optional<int64_t> count, std::optional<int64_t> before, CountRange wanted) {
  if (!count) return false;
  const int64_t was = before.value_or(0);
  // Any device is one that is back.
  if (was == 0 && wanted.at_least > 0) return *count > 0;
  if (!before) return wanted.Contains(*count);
  return DistanceTo(wanted, *count) < DistanceTo(wanted, was);
}

}  // namespace gpustage
