// fix: of a scenario. Every run that the fix expects something of starts once more after it, as
// "RUN+fix".
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

// The count that these expectations claim of a run; nothing when they claim none.
const CountRange* CountOf(const std::vector<Expectation>& expectations, const RunSpec& run,
                          const Case& c) {
  for (const Expectation& expectation : expectations) {
    if (expectation.of_fix != run.fixed || !Matches(expectation.when, c.axes)) continue;
    if (expectation.run && !IsNamed(run, *expectation.run)) continue;
    for (const Claim& claim : expectation.claims)
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what)) return &devices->count;
  }
  return nullptr;
}

// Whether they claim that the run ends badly: then it counts nothing.
bool EndsBadly(const std::vector<Expectation>& expectations, const RunSpec& run, const Case& c) {
  for (const Expectation& expectation : expectations) {
    if (expectation.of_fix || !Matches(expectation.when, c.axes)) continue;
    if (expectation.run && !IsNamed(run, *expectation.run)) continue;
    for (const Claim& claim : expectation.claims)
      if (const auto* outcome = std::get_if<OutcomeClaim>(&claim.what);
          outcome && !(outcome->kind == "exited" && outcome->code == 0))
        return true;
  }
  return false;
}

bool Overlap(const CountRange& a, const CountRange& b) {
  return (!a.at_most || *a.at_most >= b.at_least) && (!b.at_most || *b.at_most >= a.at_least);
}

Status ReadChanges(const YamlNode& node, Fixtures& fixtures, Fix& fix) {
  fix.pos = node.pos;
  if (const YamlNode* tree = node.Find("tree")) {
    TRY(fix.tree, ReadTree(*tree, fixtures));
  }
  if (const YamlNode* env = node.Find("env")) {
    TRY(fix.env, ReadEnv(*env));
  }
  if (const YamlNode* user = node.Find("user")) {
    TRY(fix.user, ReadName(*user, "a user"));
  }
  if (fix.tree.empty() && fix.env.empty() && !fix.user)
    return ErrorAt(
        node, "a fix changes \"tree\", \"env\" or \"user\"; {none: WHY} says that there is none");
  return Ok();
}

// With nothing beside it but the keys that may be.
Result<std::string> ReadNone(const YamlNode& node, std::string_view beside) {
  TRY(const std::string why, ReadNonEmpty(*node.Find("none"), "the reason why there is no fix"));
  for (const YamlEntry& entry : node.entries)
    if (entry.key != "none" && entry.key != beside)
      return ErrorAt(entry, fmt::format("there is no fix, so it has no {}", Quote(entry.key)));
  return why;
}

Result<Fix> ReadFix(const YamlNode& node, const std::vector<Axis>& axes, Fixtures& fixtures) {
  TRY(CheckKeys(node, "a fix", {"when", "none", "tree", "env", "user", "expect"}));
  Fix fix;
  if (const YamlNode* when = node.Find("when")) {
    TRY(fix.when, ReadCellFilter(*when, axes));
  }
  if (node.Find("none") != nullptr) {
    TRY(fix.none, ReadNone(node, "when"));
    return fix;
  }
  TRY(ReadChanges(node, fixtures, fix));
  TRY(const YamlNode* expect, Require(node, "a fix", "expect"));
  TRY(fix.expect, ReadExpectations(*expect, axes));
  for (Expectation& expectation : fix.expect) expectation.of_fix = true;
  return fix;
}

// The fixed run must count otherwise than the scenario expects without the fix: then both together
// prove it.
Status CheckFlips(const Fix& fix, const RunSpec& before, const RunSpec& after, const Case& c) {
  const CountRange* fixed = CountOf(fix.expect, after, c);
  if (fixed == nullptr)
    return Error{fmt::format("a fix says how many devices {} finds then", Quote(before.name)),
                 fix.pos};
  const CountRange* broken = CountOf(c.expect, before, c);
  if (broken == nullptr && EndsBadly(c.expect, before, c)) return Ok();
  if (broken == nullptr)
    return Error{fmt::format("nothing says how many devices {} finds in {} without the fix",
                             Quote(before.name), c.id),
                 fix.pos};
  if (Overlap(*fixed, *broken))
    return Error{fmt::format("a fix flips the result; {} finds {} in {} without it, too",
                             Quote(before.name), ToString(*broken), c.id),
                 fix.pos};
  return Ok();
}

}  // namespace

Result<bool> AddFix(const Fix& fix, Case& c) {
  std::vector<RunSpec> again;
  for (const RunSpec& run : c.runs) {
    const bool wanted =
        std::any_of(fix.expect.begin(), fix.expect.end(), [&](const Expectation& expectation) {
          return (!expectation.run || IsNamed(run, *expectation.run)) &&
                 Matches(expectation.when, c.axes);
        });
    if (run.fixed || !wanted) continue;
    RunSpec after = run;
    after.fixed = true;
    after.name = run.name + kFixedSuffix;
    after.change = again.empty() ? fix.tree : std::vector<TreeOp>{};
    for (const EnvVar& variable : fix.env) {
      std::erase_if(after.env, [&](const EnvVar& own) { return own.name == variable.name; });
      after.env.push_back(variable);
    }
    if (fix.user) after.user = fix.user;
    after.pos = fix.pos;
    TRY(CheckFlips(fix, run, after, c));
    again.push_back(std::move(after));
  }
  for (const Expectation& expectation : fix.expect)
    if (Matches(expectation.when, c.axes)) c.expect.push_back(expectation);
  c.runs.insert(c.runs.end(), again.begin(), again.end());
  return !again.empty();
}

Result<Fix> ReadSuspectsFix(const YamlNode& node, const std::vector<Expectation>& fixed,
                            Fixtures& fixtures) {
  TRY(CheckKeys(node, "the fix of a suspect", {"do", "none", "tree", "env", "user"}));
  Fix fix;
  fix.pos = node.pos;
  if (node.Find("none") != nullptr) {
    TRY(fix.none, ReadNone(node, ""));
    return fix;
  }
  TRY(const YamlNode* what, Require(node, "the fix of a suspect", "do"));
  TRY(fix.what, ReadNonEmpty(*what, "what people do about it"));
  TRY(ReadChanges(node, fixtures, fix));
  fix.expect = fixed;
  for (Expectation& expectation : fix.expect) expectation.of_fix = true;
  return fix;
}

Result<std::vector<Fix>> ReadFixes(const YamlNode& node, const std::vector<Axis>& axes,
                                   Fixtures& fixtures) {
  std::vector<Fix> fixes;
  const std::vector<YamlNode> alone = {node};
  for (const YamlNode& item : node.IsList() ? node.items : alone) {
    TRY(Fix fix, ReadFix(item, axes, fixtures));
    fixes.push_back(std::move(fix));
  }
  return fixes;
}

}  // namespace gpustage
