#include "harness/embed/seen.h"

#include <fmt/format.h>

#include "harness/report/text.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/verdict/checks.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

constexpr size_t kFunnelWidth = 120;  // columns

static_assert(static_cast<int>(Step::kListed) == kListed &&
              static_cast<int>(Step::kLoaded) == kLoaded &&
              static_cast<int>(Step::kEntryPoint) == kEntryPoint &&
              static_cast<int>(Step::kReported) == kReported);

FoundDevice Found(const SeenDevice& device) {
  const auto field = [&](const char* name) {
    const auto at = device.fields.find(name);
    return at == device.fields.end() ? std::string() : at->second;
  };
  return {field("name"),   field("library"), field("library_path"),
          field("pci_id"), field("uuid"),    field("memory_total")};
}

// A claim alone has no runs and no axes to choose from.
Result<std::vector<Claim>> ReadClaims(const std::string& text) {
  TRY(YamlNode node, ParseYaml(text, "claim"));
  for (const char* choice : {"run", "when"})
    if (node.Find(choice) != nullptr)
      return Error{fmt::format("a claim about one run has no \"{}\"", choice), node.pos};
  YamlNode list;
  list.kind = YamlNode::Kind::kList;
  list.pos = node.pos;
  list.items.push_back(std::move(node));
  Fixtures no_fixtures{Catalog()};  // a claim names none
  TRY(std::vector<Expectation> expectations, ReadExpectations(list, {}, no_fixtures));
  return std::move(expectations.front().claims);
}

Finding Unobservable(std::string expected, std::string why) {
  return {false, true, std::move(expected), std::move(why)};
}

Finding FindingOf(Check check) {
  return {check.ok, check.unknown, std::move(check.expected), std::move(check.seen)};
}

// What a run was that was not.
std::string WhyNot(const RunResult& seen) {
  return !seen.error.empty()     ? seen.error
         : !seen.skipped.empty() ? seen.skipped
                                 : "nothing was run";
}

Check LossOfAny(const Evidence& evidence, Step step) {
  Check other;
  other.unknown = true;
  other.seen = "this tree has no candidate library";
  for (const FunnelRow& row : evidence.funnel) {
    Check check = CheckLost(evidence, {row.library, step, std::nullopt});
    if (check.ok) return check;
    if (other.unknown || row.loss) other = std::move(check);
  }
  return other;
}

}  // namespace

RunResult NotRun(std::string error) {
  RunResult seen;
  seen.error = std::move(error);
  return seen;
}

RunResult CannotRun(std::string why) {
  RunResult seen;
  seen.skipped = std::move(why);
  return seen;
}

RunResult SeenOf(RunReport report) {
  if (report.verdict.kind == VerdictKind::kSkip) return CannotRun(report.verdict.because);
  // Nothing is expected of the run, so a verdict says only whether there was one.
  if (report.evidence.events.empty() || report.evidence.outcome.kind == Outcome::Kind::kNotStarted)
    return NotRun(report.verdict.because);
  RunResult seen;
  const Evidence& evidence = report.evidence;
  seen.outcome = ToString(evidence.outcome);
  if (evidence.device_count) seen.device_count = static_cast<int>(*evidence.device_count);
  for (const SeenDevice& device : evidence.devices.value_or(std::vector<SeenDevice>()))
    seen.devices.push_back(Found(device));
  for (const LogLine& line : evidence.log) seen.log.push_back(line.text);
  for (const FunnelRow& row : evidence.funnel)
    if (row.loss)
      seen.losses.push_back({row.library, row.role, static_cast<FunnelStep>(row.loss->at),
                             ReasonText(row), ToString(row.cause())});
  seen.funnel = FunnelText(RowsOf(evidence), kFunnelWidth);
  seen.evidence = std::make_shared<const Evidence>(std::move(report.evidence));
  return seen;
}

Finding RunResult::Check(const std::string& claim) const {
  const Result<std::vector<Claim>> claims = ReadClaims(claim);
  if (!claims)
    return Unobservable(
        claim, fmt::format("{}: {}", claims.error().pos ? ToString(*claims.error().pos) : "claim",
                           claims.error().message));
  std::string expected;
  for (const Claim& one : *claims) expected += (expected.empty() ? "" : ", ") + ToString(one);
  if (evidence == nullptr) return Unobservable(expected, WhyNot(*this));
  Finding finding;
  for (const Claim& one : *claims) {
    finding = FindingOf(CheckClaim(*evidence, one));
    if (!finding.ok) break;
  }
  finding.expected = expected;
  return finding;
}

Finding RunResult::CheckLoss(FunnelStep at, const std::string& library) const {
  const Step step = static_cast<Step>(at);
  const std::string expected =
      fmt::format("lost at \"{}\"{}", ToString(step), library.empty() ? "" : ": " + library);
  if (evidence == nullptr) return Unobservable(expected, WhyNot(*this));
  Finding finding =
      FindingOf(library.empty() ? LossOfAny(*evidence, step)
                                : CheckLost(*evidence, {library, step, std::nullopt}));
  finding.expected = expected;
  return finding;
}

}  // namespace gpustage
