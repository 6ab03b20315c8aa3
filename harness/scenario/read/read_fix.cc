// fix: of a scenario. Every run that the fix expects something of starts once more after it, as
// "RUN+fix".
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/model/contradict.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {

const std::vector<std::string> kChanges = {"layout", "tree",   "machine", "env",
                                           "user",   "groups", "scanner"};

namespace {

// The claims of these expectations on a run.
std::vector<const Claim*> ClaimsOn(const std::vector<Expectation>& expectations, const RunSpec& run,
                                   const Case& c) {
  std::vector<const Claim*> claims;
  for (const Expectation& expectation : expectations) {
    if (expectation.of_fix != run.fixed || !Matches(expectation.when, c.axes)) continue;
    if (expectation.run && !IsNamed(run, *expectation.run)) continue;
    for (const Claim& claim : expectation.claims) claims.push_back(&claim);
  }
  return claims;
}

const CountRange* CountOf(const std::vector<const Claim*>& claims) {
  for (const Claim* claim : claims)
    if (const auto* devices = std::get_if<DevicesClaim>(&claim->what)) return &devices->count;
  return nullptr;
}

// Whether they claim that the run ends badly: then it counts nothing.
bool EndsBadly(const std::vector<const Claim*>& claims) {
  return std::any_of(claims.begin(), claims.end(), [](const Claim* claim) {
    const auto* outcome = std::get_if<OutcomeClaim>(&claim->what);
    return outcome != nullptr && !(outcome->kind == "exited" && outcome->code == 0);
  });
}

// What people install. It is laid over the tree that stands.
Status ReadLayouts(const YamlNode& node, Fixtures& fixtures, Fix& fix) {
  TRY(CheckList(node, "layout"));
  for (const YamlNode& name : node.items) {
    TRY(const Layout* layout, fixtures.FindLayout(name));
    fix.tree.insert(fix.tree.end(), layout->tree.begin(), layout->tree.end());
    fix.layout_env.insert(fix.layout_env.end(), layout->env.begin(), layout->env.end());
  }
  return Ok();
}

}  // namespace

Result<Fix> ReadChanges(const YamlNode& node, Fixtures& fixtures) {
  Fix fix;
  fix.pos = node.pos;
  if (const YamlNode* layouts = node.Find("layout")) TRY(ReadLayouts(*layouts, fixtures, fix));
  if (const YamlNode* tree = node.Find("tree")) {
    TRY(const std::vector<TreeOp> ops, ReadTree(*tree, fixtures));
    fix.tree.insert(fix.tree.end(), ops.begin(), ops.end());
  }
  if (const YamlNode* machine = node.Find("machine")) {
    TRY(fix.machine, ReadMachineChange(*machine, fixtures));
  }
  if (const YamlNode* env = node.Find("env")) {
    TRY(fix.env, ReadEnv(*env));
  }
  if (const YamlNode* user = node.Find("user")) {
    TRY(fix.user, ReadUser(*user));
  }
  if (const YamlNode* groups = node.Find("groups")) {
    TRY(fix.groups, ReadGroups(*groups));
  }
  if (const YamlNode* scanner = node.Find("scanner")) {
    TRY(const std::vector<const ScannerSpec*> versions, fixtures.FindScanners(*scanner));
    fix.scanner = *versions.front();
  }
  return fix;
}

namespace {

// The keys that a fix has, beside its changes.
std::vector<std::string> KeysWith(std::vector<std::string> keys) {
  keys.insert(keys.end(), kChanges.begin(), kChanges.end());
  return keys;
}

// Something must be changed.
Result<Fix> ReadSomeChanges(const YamlNode& node, Fixtures& fixtures) {
  const bool changes = std::any_of(kChanges.begin(), kChanges.end(), [&](const std::string& key) {
    const YamlNode* value = node.Find(key);
    return value != nullptr && !(value->IsList() && value->items.empty());
  });
  if (!changes)
    return ErrorAt(node, fmt::format("a fix changes {}; {{none: WHY}} says that there is none",
                                     JoinOr(kChanges)));
  return ReadChanges(node, fixtures);
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
  TRY(CheckKeys(node, "a fix", KeysWith({"when", "none", "expect"})));
  Fix fix;
  if (const YamlNode* when = node.Find("when")) {
    TRY(fix.when, ReadCellFilter(*when, axes));
  }
  if (node.Find("none") != nullptr) {
    TRY(fix.none, ReadNone(node, "when"));
    return fix;
  }
  const CellFilter cells = std::move(fix.when);
  TRY(fix, ReadSomeChanges(node, fixtures));
  fix.when = cells;
  TRY(const YamlNode* expect, Require(node, "a fix", "expect"));
  TRY(fix.expect, ReadExpectations(*expect, axes, fixtures));
  for (Expectation& expectation : fix.expect) expectation.of_fix = true;
  return fix;
}

// What is expected of the fixed run must contradict what is expected of it without the fix: then
// both together prove it.
Status CheckFlips(const Fix& fix, const RunSpec& before, const RunSpec& after, const Case& c) {
  const std::vector<const Claim*> broken = ClaimsOn(c.expect, before, c);
  const std::vector<const Claim*> fixed = ClaimsOn(fix.expect, after, c);
  for (const Claim* was : broken)
    for (const Claim* is : fixed)
      if (Contradict(*was, *is)) return Ok();
  if (CountOf(fixed) != nullptr && CountOf(broken) == nullptr && EndsBadly(broken)) return Ok();
  if (const CountRange* was = CountOf(broken), *is = CountOf(fixed);
      was != nullptr && is != nullptr)
    return Error{fmt::format("a fix flips the result; {} finds {} in {} without it, too",
                             Quote(before.name), ToString(*was), c.id),
                 fix.pos};
  return Error{
      fmt::format("a fix flips a result: nothing that it expects of {} (devices, a device, "
                  "a line of the log, an outcome, …) contradicts what is expected in {} "
                  "without it",
                  Quote(before.name), c.id),
      fix.pos};
}

// The run as it starts after the fix.
RunSpec AfterFix(const Fix& fix, const RunSpec& run, const Case& c) {
  RunSpec after = run;
  after.fixed = true;
  if (fix.scanner) {
    after.scanner = *fix.scanner;
    after.name = RunName(run.name.substr(0, run.name.find('@')), after.scanner);
  }
  after.name += kFixedSuffix;
  after.change.clear();
  after.meanwhile.clear();
  after.machine = fix.machine;
  if (fix.user) after.user = fix.user;
  if (fix.groups) after.groups = fix.groups;
  after.pos = fix.pos;
  const auto is_said = [](const std::vector<EnvVar>& env, const EnvVar& variable) {
    return std::any_of(env.begin(), env.end(),
                       [&](const EnvVar& own) { return own.name == variable.name; });
  };
  for (const EnvVar& variable : fix.layout_env)
    if (!is_said(c.env, variable) && !is_said(run.env, variable)) after.env.push_back(variable);
  for (const EnvVar& variable : fix.env) {
    std::erase_if(after.env, [&](const EnvVar& own) { return own.name == variable.name; });
    after.env.push_back(variable);
  }
  return after;
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
    RunSpec after = AfterFix(fix, run, c);
    if (again.empty()) after.change = fix.tree;
    TRY(CheckFlips(fix, run, after, c));
    // Two versions may become one.
    if (std::none_of(again.begin(), again.end(),
                     [&](const RunSpec& other) { return other.name == after.name; }))
      again.push_back(std::move(after));
  }
  for (const Expectation& expectation : fix.expect)
    if (Matches(expectation.when, c.axes)) c.expect.push_back(expectation);
  c.runs.insert(c.runs.end(), again.begin(), again.end());
  return !again.empty();
}

Result<Fix> ReadSuspectsFix(const YamlNode& node, const std::vector<Expectation>& fixed,
                            Fixtures& fixtures) {
  TRY(CheckKeys(node, "the fix of a suspect", KeysWith({"do", "none"})));
  Fix fix;
  fix.pos = node.pos;
  if (node.Find("none") != nullptr) {
    TRY(fix.none, ReadNone(node, ""));
    return fix;
  }
  TRY(const YamlNode* what, Require(node, "the fix of a suspect", "do"));
  TRY(fix, ReadSomeChanges(node, fixtures));
  TRY(fix.what, ReadNonEmpty(*what, "what people do about it"));
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
