// runs: of a scenario.
#include <fmt/format.h>

#include "harness/scenario/fields.h"
#include "harness/scenario/fixtures.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

Result<RunSpec> ReadRun(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckKeys(node, "a run", {"name", "scanner", "args", "env", "user", "change"}));
  TRY(const YamlNode* scanner_name, Require(node, "a run", "scanner"));
  TRY(const ScannerSpec* scanner, fixtures.FindScanner(*scanner_name));
  RunSpec run;
  run.pos = node.pos;
  run.scanner = *scanner;
  run.name = scanner->name;
  if (const YamlNode* name = node.Find("name")) {
    TRY(run.name, ReadName(*name, "a run"));
  }
  if (const YamlNode* args = node.Find("args")) {
    TRY(run.args, ReadTexts(*args, "args"));
  }
  if (const YamlNode* env = node.Find("env")) {
    TRY(run.env, ReadEnv(*env));
  }
  if (const YamlNode* user = node.Find("user")) {
    TRY(run.user, ReadName(*user, "a user"));
  }
  if (const YamlNode* change = node.Find("change")) {
    TRY(run.change, ReadTree(*change, fixtures));
  }
  return run;
}

}  // namespace

Result<std::vector<RunSpec>> ReadRuns(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckList(node, "runs"));
  if (node.items.empty())
    return ErrorAt(node, "no run; leave \"runs\" out for the scanners that fit");
  std::vector<RunSpec> runs;
  for (const YamlNode& item : node.items) {
    TRY(RunSpec run, ReadRun(item, fixtures));
    for (const RunSpec& other : runs)
      if (other.name == run.name)
        return ErrorAt(item, fmt::format("a second run {}; give one of them another \"name\"",
                                         Quote(run.name)));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace gpustage
