#include "harness/diagnose/goal.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/yaml.h"
#include "harness/verdict/verdict.h"

namespace gpustage {
namespace {

bool IsGoal(const Claim& claim) {
  return !std::holds_alternative<LostClaim>(claim.what) &&
         !std::holds_alternative<ReachedClaim>(claim.what) &&
         !std::holds_alternative<SilentClaim>(claim.what) &&
         !std::holds_alternative<UnheardClaim>(claim.what) &&
         !std::holds_alternative<DistributionClaim>(claim.what);
}

}  // namespace

Result<Goal> ReadGoal(const std::string& yaml, const Catalog& catalog) {
  TRY(YamlNode node, ParseYaml(yaml, "--want"));
  if (node.IsText())
    return Error{fmt::format("what is wanted is a number of devices, or claims: --want 2, --want "
                             "'{{log: {{lacks: [\"failed\"]}}}}'; got {}",
                             node.text),
                 node.pos};
  YamlNode list = node;
  if (node.IsMap()) {
    list = YamlNode{};
    list.kind = YamlNode::Kind::kList;
    list.pos = node.pos;
    list.items.push_back(std::move(node));
  }
  Fixtures fixtures(catalog);
  TRY(const std::vector<Expectation> expectations, ReadExpectations(list, {}, fixtures));
  Goal goal;
  for (const Expectation& expectation : expectations)
    for (const Claim& claim : expectation.claims) {
      if (!IsGoal(claim))
        return Error{fmt::format("{} is not to be wanted: it says why a device is lost; say which "
                                 "devices, lines, calls or outcome are to be there",
                                 ToString(claim)),
                     claim.pos};
      goal.push_back(claim);
    }
  return goal;
}

Goal ExpectedOf(const Case& c, const RunSpec& run) {
  Goal goal;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    std::copy_if(expectation->claims.begin(), expectation->claims.end(), std::back_inserter(goal),
                 IsGoal);
  return goal;
}

Goal ExpectedAfterFix(const Case& c, const RunSpec& run) {
  for (const RunSpec& other : c.runs)
    if (other.fixed && other.name == run.name + kFixedSuffix) return ExpectedOf(c, other);
  return {};
}

const Claim* FirstUnmet(const Goal& goal, const Evidence& evidence) {
  const auto unmet = std::find_if(goal.begin(), goal.end(), [&](const Claim& claim) {
    const Check check = CheckClaim(evidence, claim);
    return !check.ok || check.unknown;
  });
  return unmet == goal.end() ? nullptr : &*unmet;
}

std::string ToString(const Goal& goal) {
  std::string words;
  for (const Claim& claim : goal) words += (words.empty() ? "" : "; ") + ToString(claim);
  return words;
}

}  // namespace gpustage
