#include "harness/report/tally.h"

#include <algorithm>

#include "harness/base/limits.h"

namespace gpustage {
namespace {

// "ollama@0.17.4": two versions of a scanner are counted and timed apart.
std::string NameOf(const ReportedRun& run) {
  return run.version.empty() ? run.scanner : run.scanner + "@" + run.version;
}

}  // namespace

void Totals::Add(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass: ++pass; break;
    case VerdictKind::kFail: ++fail; break;
    case VerdictKind::kSkip: ++skip; break;
    case VerdictKind::kXfail: ++xfail; break;
    case VerdictKind::kXpass: ++xpass; break;
    case VerdictKind::kError: ++error; break;
    case VerdictKind::kFlaky: ++flaky; break;
  }
}

void Tally::Add(const ReportedRun& run) {
  totals.Add(run.verdict);
  unjudged += run.unjudged;
  if (run.verdict == VerdictKind::kSkip) {
    // One that names its case in its reason must not fill the memory.
    const bool known = skipped.contains(run.because);
    ++skipped[known || skipped.size() < limits::kReasons ? run.because : "for further reasons"];
  }
  if (run.verdict == VerdictKind::kPass) ++passed[NameOf(run)];
  assuming += run.assumed.empty() ? 0 : 1;
  if (run.duration_ms <= 0) return;
  milliseconds[NameOf(run)].push_back(static_cast<float>(run.duration_ms));
  const auto at = std::find_if(slowest.begin(), slowest.end(), [&](const SlowRun& other) {
    return other.milliseconds < run.duration_ms;
  });
  slowest.insert(at, {run.Name(), run.duration_ms});
  if (slowest.size() > limits::kSlowest) slowest.pop_back();
}

}  // namespace gpustage
