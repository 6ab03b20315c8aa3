// Expectations and evidence -> a verdict on one run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/model/case.h"
#include "harness/verdict/checks.h"

namespace gpustage {

// kFlaky is said of a run that was started more than once and did not always answer the same.
enum class VerdictKind { kPass, kFail, kSkip, kXfail, kXpass, kError, kFlaky };
std::string ToString(VerdictKind kind);  // "pass", …
std::optional<VerdictKind> ParseVerdictKind(std::string_view word);

// What kept a run from being judged: something that it lacks here, the deadline, or a signal to us.
enum class SkipKind { kNone, kLacks, kDeadline, kInterrupt };

struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  std::string because;        // a sentence; for a pass what was seen, for a skip why
  EventId event = 0;          // what shows it; 0 for a skip
  std::vector<Check> checks;  // all that applied, in the file's order
  int unjudged = 0;           // claims about what nobody asked to be watched
  SkipKind skip = SkipKind::kNone;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// The expectations of `c` that apply to this run of it.
std::vector<const Expectation*> ExpectationsFor(const Case& c, const RunSpec& run);

Verdict Judge(const Case& c, const RunSpec& run, const Evidence& evidence);
Verdict Skipped(std::string why, SkipKind kind = SkipKind::kLacks);
Verdict Failed(const Error& error);  // the harness could not do it: kError

// Whether a report with it makes the exit status 1.
bool IsBad(VerdictKind kind);

}  // namespace gpustage
