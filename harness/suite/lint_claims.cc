// What is expected: whether it can fail, and whether it fits the claim.
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/scenario/model/contradict.h"
#include "harness/suite/lint.h"
#include "harness/verdict/verdict.h"

namespace gpustage {
namespace {

const CountRange* CountOf(const Claim& claim) {
  return std::visit(
      [](const auto& what) -> const CountRange* {
        if constexpr (requires { what.count.at_least; })
          return &what.count;
        else
          return nullptr;
      },
      claim.what);
}

bool MatchesAll(const LinePattern& pattern) {
  if (!pattern.regex) return pattern.text.empty();
  return RE2::PartialMatch("", pattern.text);
}

bool LooksLikeRegex(const LinePattern& pattern) {
  if (pattern.regex) return false;
  return pattern.text.find(".*") != std::string::npos ||
         pattern.text.find("\\d") != std::string::npos ||
         pattern.text.find("[0-9]") != std::string::npos;
}

void LintOne(const Linted& linted, const Claim& claim) {
  if (const CountRange* count = CountOf(claim);
      count != nullptr && count->at_least == 0 && !count->at_most)
    linted.Find("counts-from-zero", claim.pos);
  if (const auto* log = std::get_if<LogClaim>(&claim.what)) {
    if (MatchesAll(log->pattern))
      linted.Find(log->present ? "matches-all" : "never-lacks", claim.pos);
    if (LooksLikeRegex(log->pattern)) linted.Find("text-of-a-regex", claim.pos, log->pattern.text);
  }
  if (const auto* order = std::get_if<LogOrderClaim>(&claim.what))
    for (const LinePattern& pattern : order->patterns) {
      if (MatchesAll(pattern)) linted.Find("matches-all", claim.pos);
      if (LooksLikeRegex(pattern)) linted.Find("text-of-a-regex", claim.pos, pattern.text);
    }
}

// What is claimed of one run of one case.
struct Expected {
  std::vector<const Claim*> claims;
  const DevicesClaim* devices = nullptr;
  const Claim* devices_claim = nullptr;
  bool distribution = false;
};

Expected ExpectedOf(const Case& c, const RunSpec& run) {
  Expected expected;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    for (const Claim& claim : expectation->claims) {
      expected.claims.push_back(&claim);
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what)) {
        expected.devices = devices;
        expected.devices_claim = &claim;
      }
      expected.distribution |= std::holds_alternative<DistributionClaim>(claim.what);
    }
  return expected;
}

void LintPairs(const Linted& linted, const Expected& expected) {
  std::map<std::string, const Claim*> said;
  for (size_t i = 0; i < expected.claims.size(); ++i) {
    const Claim& a = *expected.claims[i];
    for (size_t j = 0; j < i; ++j)
      if (CannotBothBe(a, *expected.claims[j]))
        linted.Find("contradiction", a.pos, ToString(*expected.claims[j]));
    const auto [first, is_new] = said.try_emplace(ToString(a), &a);
    if (!is_new && a.pos != first->second->pos) linted.Find("said-twice", a.pos, first->first);
  }
}

void LintRun(const Linted& linted, const Case& c, const RunSpec& run) {
  const Expected expected = ExpectedOf(c, run);
  // Of a program that the user gives, an expectation may be for some of its versions.
  const bool given = !run.scanner.given.empty();
  if (expected.claims.empty()) {
    if (!c.suspect && !run.fixed && !given) linted.Find("held-to-nothing", run.pos, run.name);
    return;
  }
  LintPairs(linted, expected);
  const bool only = expected.claims.size() == 1 && !run.fixed;
  if (only)
    if (const auto* outcome = std::get_if<OutcomeClaim>(&expected.claims[0]->what);
        outcome != nullptr && outcome->kind == "exited" && outcome->code == 0)
      linted.Find("only-outcome", expected.claims[0]->pos);
  if (expected.devices == nullptr) return;
  const CountRange& count = expected.devices->count;
  for (const Claim* claim : expected.claims)
    if (const auto* device = std::get_if<DeviceClaim>(&claim->what);
        device != nullptr && count.at_most && device->index >= *count.at_most)
      linted.Find("device-beyond", claim->pos);
}

// Whether the claim has one of these words, each as a word.
bool Says(const std::string& claim, const char* pattern) {
  return RE2::PartialMatch(claim, std::string("(?i)\\b(") + pattern + ")\\b");
}

// Only what all cells and runs agree about can contradict one sentence.
void LintSentence(const Linted& linted) {
  bool some = false, none = false, other = false;
  const Claim* first = nullptr;
  const Claim* loud = nullptr;
  bool silent = false;
  for (const Case& c : linted.cases)
    for (const RunSpec& run : c.runs) {
      if (run.fixed) continue;
      const Expected expected = ExpectedOf(c, run);
      for (const Claim* claim : expected.claims)
        if (const auto* is = std::get_if<SilentClaim>(&claim->what)) {
          silent |= is->silent;
          if (!is->silent) loud = claim;
        }
      if (expected.devices == nullptr) {
        other = true;
        continue;
      }
      if (first == nullptr) first = expected.devices_claim;
      const CountRange& count = expected.devices->count;
      (count.at_least > 0 ? some : count.at_most == 0 ? none : other) = true;
    }
  const std::string& claim = linted.scenario.claim;
  const char* const no_device =
      "(gives|give|finds|find|sees|see|reports|report|counts|count|leaves|leave|has|have) "
      "(no|zero|0) (GPU|device)s?|(no|zero|0) (GPU|device)s? (is|are) "
      "(found|seen|reported|counted)";
  const char* const has_device =
      "(one|two|1|2|a) (GPU|device)s? (is|are) (found|reported|seen|counted)|gives (one|two|1|2) "
      "(GPU|device)s?";
  if (first != nullptr && some && !none && !other && Says(claim, no_device))
    linted.Find("claim-says-none", first->pos);
  if (first != nullptr && none && !some && !other && Says(claim, has_device) &&
      !Says(claim, no_device))
    linted.Find("claim-says-some", first->pos);
  if (loud != nullptr && !silent && Says(claim, "silently|no log line|no line (says|tells)"))
    linted.Find("claim-says-silent", loud->pos);
}

}  // namespace

bool CannotBothBe(const Claim& a, const Claim& b) {
  const bool of_the_run = std::holds_alternative<DevicesClaim>(a.what) ||
                          std::holds_alternative<OutcomeClaim>(a.what) ||
                          std::holds_alternative<SilentClaim>(a.what);
  return of_the_run && a.what.index() == b.what.index() && Contradict(a, b);
}

void LintClaims(const Linted& linted) {
  bool told = false;  // that there is none, with a reason, in any cell
  const Claim* zero = nullptr;
  for (const Case& c : linted.cases) {
    if (c.runs.empty()) linted.Find("no-run", linted.scenario.root.pos, c.id);
    for (const Expectation& expectation : c.expect)
      for (const Claim& claim : expectation.claims) {
        LintOne(linted, claim);
        const auto* devices = std::get_if<DevicesClaim>(&claim.what);
        if (devices == nullptr || devices->count.at_most != 0)
          told = true;
        else if (zero == nullptr)
          zero = &claim;
      }
    for (const RunSpec& run : c.runs) LintRun(linted, c, run);
    if (c.suspect || c.xfail) told = true;
  }
  if (zero != nullptr && !told) linted.Find("zero-alone", zero->pos);
  LintSentence(linted);
}

}  // namespace gpustage
