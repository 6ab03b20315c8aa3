#include "tests/collection/neighbours.h"

#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/scenario/read/scenario.h"
#include "harness/scenario/yaml/yaml.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

std::string TextOf(const YamlNode& node, std::string_view key) {
  const YamlNode* value = node.Find(key);
  return value == nullptr ? "" : value->text;
}

}  // namespace

Result<std::vector<Neighbour>> ReadNeighbours() {
  TRY(const YamlNode root, ReadYamlFile(InSources("/tests/collection/neighbours.yaml")));
  std::vector<Neighbour> neighbours;
  for (const YamlNode& node : root.items) {
    Neighbour& one = neighbours.emplace_back();
    one.scenario = TextOf(node, "scenario");
    one.run = TextOf(node, "run");
    one.is = TextOf(node, "is");
    one.instead = TextOf(node, "instead");
    if (const YamlNode* args = node.Find("args"))
      for (const YamlNode& arg : args->items) one.args.push_back(arg.text);
  }
  return neighbours;
}

Result<Mutant> MutantOf(const Neighbour& neighbour, const std::string& file,
                        const Catalog& catalog) {
  TRY(std::string text, ReadFile(file));
  text.resize(std::min(text.find("\nfix:"), text.size()));
  text += fmt::format(
      "\nfix: {{{}, expect: [{{run: {}, devices: 77, outcome: {{killed: SIGFPE}}}}]}}\n",
      neighbour.instead, neighbour.run);
  TRY(const ScratchDirectory scratch, ScratchDirectory::Make());
  const std::string other = scratch.path() + "/neighbour.yaml";
  TRY(WriteFile(other, text));
  TRY(const std::vector<Case> cases, LoadCases(other, catalog));
  Case c = cases.front();
  const std::string name = neighbour.run + kFixedSuffix;
  DropRuns(c.runs, [&](const RunSpec& run) { return run.name != name; });
  if (c.runs.empty()) return Error{fmt::format("{} has no run {}", neighbour.scenario, name)};
  RunSpec& run = c.runs.front();
  run.name = neighbour.run;
  run.fixed = false;
  if (!neighbour.args.empty()) run.args = neighbour.args;
  return Mutant{neighbour.is, std::move(c), {}};
}

}  // namespace gpustage
