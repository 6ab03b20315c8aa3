#include "harness/suite/processors.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <thread>

#include "harness/base/files.h"

namespace gpustage {

int ProcessorsWith(int here, std::string_view quota) {
  here = std::max(here, 1);
  long long microseconds = 0, period = 0;
  const char* const end = quota.data() + quota.size();
  const auto first = std::from_chars(quota.data(), end, microseconds);  // "max" is no number
  if (first.ec != std::errc() || first.ptr == end || microseconds <= 0) return here;
  const auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc() || period <= 0) return here;
  return static_cast<int>(std::clamp((microseconds + period - 1) / period, 1LL, 0LL + here));
}

int Processors() {
  const int here = static_cast<int>(std::thread::hardware_concurrency());
  if (const Result<std::string> quota = ReadFile("/sys/fs/cgroup/cpu.max"))
    return ProcessorsWith(here, *quota);
  const Result<std::string> quota = ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
                            period = ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  return quota && period ? ProcessorsWith(here, quota->substr(0, quota->find('\n')) + " " + *period)
                         : ProcessorsWith(here, "");
}

}  // namespace gpustage
