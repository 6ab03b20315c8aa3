// runs: of a scenario.
#include <fmt/format.h>

#include "harness/base/limits.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

// One run of each version of its scanner.
Result<std::vector<RunSpec>> ReadRun(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckKeys(node, "a run",
                {"name", "scanner", "when", "at", "args", "env", "user", "groups", "time_limit",
                 "change", "meanwhile"}));
  TRY(const YamlNode* scanner_name, Require(node, "a run", "scanner"));
  TRY(const std::vector<const ScannerSpec*> scanners, fixtures.FindScanners(*scanner_name));
  RunSpec run;
  run.pos = node.pos;
  run.name = scanners.front()->name;
  if (const YamlNode* name = node.Find("name")) {
    TRY(run.name, ReadName(*name, "a run"));
  }
  if (const YamlNode* args = node.Find("args")) {
    TRY(run.args, ReadArguments(*args, "args"));
  }
  if (const YamlNode* env = node.Find("env")) {
    TRY(run.env, ReadEnv(*env));
  }
  if (const YamlNode* user = node.Find("user")) {
    TRY(run.user, ReadUser(*user));
  }
  if (const YamlNode* groups = node.Find("groups")) {
    TRY(run.groups, ReadGroups(*groups));
  }
  if (const YamlNode* change = node.Find("change")) {
    TRY(run.change, ReadTree(*change, fixtures));
  }
  if (const YamlNode* meanwhile = node.Find("meanwhile")) {
    TRY(run.meanwhile, ReadMeanwhile(*meanwhile, fixtures));
  }
  std::optional<std::chrono::milliseconds> limit;
  if (const YamlNode* seconds = node.Find("time_limit")) {
    TRY(limit, ReadSeconds(*seconds));
  }
  std::string place;
  if (const YamlNode* at = node.Find("at")) {
    TRY(place, ReadTreePath(*at, "the place of a program"));
    for (const ScannerSpec* scanner : scanners) {
      if (scanner->at.empty())
        return ErrorAt(*at, fmt::format("{} stands where it is on this machine, and not at {}",
                                        scanner->name, place));
      if (!scanner->release.empty())
        return ErrorAt(*at, fmt::format("{} stands at {}, where what is of its release belongs",
                                        scanner->name, scanner->at));
    }
  }
  std::vector<RunSpec> runs;
  for (const ScannerSpec* scanner : scanners) {
    RunSpec& version = runs.emplace_back(run);
    version.scanner = *scanner;
    if (limit) version.scanner.time_limit = *limit;
    if (!place.empty()) {
      if (version.scanner.argv.front() == version.scanner.at) version.scanner.argv.front() = place;
      version.scanner.at = place;
    }
    version.name = RunName(run.name, *scanner);
    // What the first has done to the tree is done for all.
    if (runs.size() > 1) version.change.clear();
  }
  return runs;
}

std::string CellText(const Cell& cell) {
  std::string text;
  for (const auto& [axis, label] : cell)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", axis, label);
  return text;
}

}  // namespace

Result<std::vector<std::string>> ReadArguments(const YamlNode& node, std::string_view what) {
  TRY(std::vector<std::string> words, ReadTexts(node, what));
  size_t bytes = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const YamlNode& place = node.IsText() ? node : node.items[i];
    if (i == limits::kArguments)
      return ErrorAt(place, fmt::format("{} has at most {} words", what, limits::kArguments));
    if (words[i].size() > limits::kWordBytes)
      return ErrorAt(place, fmt::format("a word of {} has at most {} bytes, and this one {}", what,
                                        limits::kWordBytes, words[i].size()));
    bytes += words[i].size() + 1 + sizeof(char*);  // as the kernel counts
    if (bytes > limits::kArgumentBytes)
      return ErrorAt(place, fmt::format("with this word {} takes more than {} KiB", what,
                                        limits::kArgumentBytes >> 10));
  }
  return words;
}

Result<std::vector<std::string>> ReadGroups(const YamlNode& node) {
  std::vector<std::string> groups;
  const std::vector<YamlNode> alone = {node};
  for (const YamlNode& item : node.IsList() ? node.items : alone) {
    TRY(std::string group, ReadGroup(item));
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<RunSpec>> ReadRuns(const YamlNode& node, const Cell& cell,
                                      const std::vector<Axis>& axes, Fixtures& fixtures) {
  TRY(CheckList(node, "runs"));
  if (node.items.empty())
    return ErrorAt(node, "no run; leave \"runs\" out for the scanners that fit");
  std::vector<RunSpec> runs;
  for (const YamlNode& item : node.items) {
    TRY(std::vector<RunSpec> versions, ReadRun(item, fixtures));
    if (const YamlNode* when = item.Find("when")) {
      TRY(const CellFilter filter, ReadCellFilter(*when, axes));
      if (!Matches(filter, cell)) continue;
    }
    for (RunSpec& run : versions) {
      for (const RunSpec& other : runs)
        if (other.name == run.name)
          return ErrorAt(item, fmt::format("a second run {}; give one of them another \"name\"",
                                           Quote(run.name)));
      runs.push_back(std::move(run));
    }
  }
  if (runs.empty()) return ErrorAt(node, fmt::format("no run starts in {}", CellText(cell)));
  return runs;
}

}  // namespace gpustage
