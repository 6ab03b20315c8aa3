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

bool IsBetter(std::optional<int64_t> count, std::optional<int64_t> before, CountRange wanted) {
  if (!count) return false;
  const int64_t was = before.value_or(0);
  // Any device is one that is back.
  if (was == 0 && wanted.at_least > 0) return *count > 0;
  if (!before) return wanted.Contains(*count);
  return DistanceTo(wanted, *count) < DistanceTo(wanted, was);
}

}  // namespace gpustage
