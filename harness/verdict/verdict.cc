#include "harness/verdict/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/words/words.h"

namespace gpustage {
namespace {

bool Applies(const Expectation& expectation, const Case& c, const RunSpec& run) {
  if (expectation.of_fix != run.fixed) return false;
  if (expectation.run && !IsNamed(run, *expectation.run)) return false;
  return std::all_of(expectation.when.begin(), expectation.when.end(), [&](const auto& wanted) {
    const auto axis = c.axes.find(wanted.first);
    return axis != c.axes.end() && std::find(wanted.second.begin(), wanted.second.end(),
                                             axis->second) != wanted.second.end();
  });
}

}  // namespace

std::string ToString(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass: return "pass";
    case VerdictKind::kFail: return "fail";
    case VerdictKind::kSkip: return "skip";
    case VerdictKind::kXfail: return "xfail";
    case VerdictKind::kXpass: return "xpass";
    case VerdictKind::kError: return "error";
    case VerdictKind::kFlaky: return "flaky";
  }
  return "";
}

std::optional<VerdictKind> ParseVerdictKind(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(VerdictKind::kFlaky); ++i)
    if (const auto kind = static_cast<VerdictKind>(i); ToString(kind) == word) return kind;
  return std::nullopt;
}

std::vector<const Expectation*> ExpectationsFor(const Case& c, const RunSpec& run) {
  std::vector<const Expectation*> found;
  for (const Expectation& expectation : c.expect)
    if (Applies(expectation, c, run)) found.push_back(&expectation);
  return found;
}

Verdict Judge(const Case& c, const RunSpec& run, const Evidence& evidence) {
  Verdict verdict;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    for (const Claim& claim : expectation->claims) {
      if (CanJudge(evidence.level, claim))
        verdict.checks.push_back(CheckClaim(evidence, claim));
      else
        ++verdict.unjudged;
    }
  const auto unknown = std::find_if(verdict.checks.begin(), verdict.checks.end(),
                                    [](const Check& k) { return k.unknown; });
  const auto failed = std::find_if(verdict.checks.begin(), verdict.checks.end(),
                                   [](const Check& k) { return !k.ok; });
  const auto leak = std::find_if(evidence.outside.begin(), evidence.outside.end(),
                                 [](const Outside& o) { return o.leak; });
  verdict.event = evidence.outcome_event();
  verdict.because = DevicesSeen(evidence);
  if (evidence.outcome.kind == Outcome::Kind::kNotStarted) {
    verdict.kind = VerdictKind::kError;
    verdict.because = ToString(evidence.outcome);
  } else if (leak != evidence.outside.end()) {
    verdict.kind = VerdictKind::kError;
    verdict.because = fmt::format("not hermetic: {}, {}, was used by pid {}", leak->path,
                                  OutsideText(leak->what), leak->pid);
    verdict.event = leak->event;
  } else if (verdict.checks.empty() && verdict.unjudged != 0) {
    verdict.kind = VerdictKind::kSkip;
    verdict.skip = SkipKind::kLacks;
    verdict.because =
        fmt::format("what it claims is not watched with --evidence {}", ToString(evidence.level));
    verdict.event = 0;
  } else if (verdict.checks.empty()) {
    verdict.kind = VerdictKind::kError;
    verdict.because = "no expectation applies to this run";
  } else if (unknown != verdict.checks.end()) {
    verdict.kind = VerdictKind::kError;
    verdict.because = fmt::format("not observable: {}", unknown->seen);
    verdict.event = unknown->event;
  } else if (failed != verdict.checks.end()) {
    verdict.kind = c.xfail ? VerdictKind::kXfail : VerdictKind::kFail;
    verdict.because =
        failed->because.empty() ? ToString(evidence.At(failed->event)) : failed->because;
    verdict.event = failed->event;
  } else if (c.xfail) {
    verdict.kind = VerdictKind::kXpass;
    verdict.because = fmt::format("expected to fail ({}), and it passes", c.xfail->reason);
  }
  return verdict;
}

Verdict Skipped(std::string why, SkipKind kind) {
  return {VerdictKind::kSkip, std::move(why), 0, {}, 0, kind};
}

Verdict Failed(const Error& error) {
  return {VerdictKind::kError,
          error.pos ? fmt::format("{}: {}", ToString(*error.pos), error.message) : error.message,
          0,
          {}};
}

bool IsBad(VerdictKind kind) {
  return kind == VerdictKind::kFail || kind == VerdictKind::kXpass || kind == VerdictKind::kError ||
         kind == VerdictKind::kFlaky;
}

}  // namespace gpustage
