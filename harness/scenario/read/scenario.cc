#include "harness/scenario/read/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <tuple>

#include "harness/base/files.h"
#include "harness/scenario/matrix/case_range.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

const std::vector<std::string> kKeys = {"claim", "source", "tags",   "machine", "layout",
                                        "tree",  "env",    "user",   "groups",  "working_directory",
                                        "runs",  "matrix", "expect", "fix",     "suspects",
                                        "xfail"};

// YAML's own word for its files, and what many write.
constexpr std::string_view kSuffixes[] = {".yaml", ".yml"};

std::string RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

// "first-steps/links" below the folder of the scenarios, the base name anywhere else.
std::string IdOf(const std::string& file, const std::string& scenarios) {
  const std::string path = RealPath(file);
  const std::string root = RealPath(scenarios) + "/";
  const std::string relative = path.starts_with(root) ? path.substr(root.size()) : BaseNameOf(path);
  for (const std::string_view suffix : kSuffixes)
    if (relative.ends_with(suffix)) return relative.substr(0, relative.size() - suffix.size());
  return relative;
}

// What stands where it does not belong, and would belong elsewhere.
Status CheckPlace(const YamlNode& root) {
  if (!root.IsMap() || root.Find("claim") != nullptr) {
    for (const char* key : {"constraints", "cover"})
      if (root.Find(key) != nullptr)
        return ErrorAt(*root.Find(key), fmt::format("\"{}\" stands in \"matrix\"", key));
    return Ok();
  }
  for (const auto& [key, mark, what] :
       {std::tuple("scanner", "about",
                   "a scanner: give it to run by --scanner FILE, or name it in \"runs\""),
        std::tuple("layout", "about", "a layout: name it in \"layout\" of a scenario"),
        std::tuple("device", "compute_capability",
                   "a device: name it in \"machine\" of a scenario")})
    if (const YamlNode* own = root.Find(key); own != nullptr && root.Find(mark) != nullptr)
      return ErrorAt(*own, fmt::format("this file is no scenario: it defines {}", what));
  return Ok();
}

}  // namespace

Result<Scenario> ReadScenario(YamlNode root, const std::string& file, const Catalog& catalog) {
  Scenario scenario;
  scenario.file = file;
  scenario.id = IdOf(file, catalog.scenarios);
  scenario.root = std::move(root);
  TRY(CheckPlace(scenario.root));
  TRY(CheckKeys(scenario.root, "a scenario", kKeys));
  TRY(const YamlNode* claim, Require(scenario.root, "a scenario", "claim"));
  TRY(scenario.claim, ReadNonEmpty(*claim, "a claim"));
  if (const YamlNode* matrix = scenario.root.Find("matrix")) {
    TRY(scenario.matrix, ReadMatrix(*matrix));
  }
  return scenario;
}

Result<Scenario> ReadScenarioFile(const std::string& file, const Catalog& catalog) {
  TRY(YamlNode root, ReadYamlFile(file));
  return ReadScenario(std::move(root), file, catalog);
}

Result<std::vector<Case>> ExpandCases(const Scenario& scenario, Fixtures& fixtures) {
  TRY(CaseRange range, CaseRange::Of(scenario, fixtures));
  std::vector<Case> cases;
  for (size_t number = 0; number < range.cells().limit(); ++number) {
    if (!range.cells().Has(number)) continue;
    TRY(Case staged, range.Stage(number));
    cases.push_back(std::move(staged));
  }
  TRY(range.CheckExpected());
  for (Case& c : cases) {
    TRY(range.expected().AddTo(c));
    TRY(CheckTree(c));
  }
  return cases;
}

Result<std::vector<Case>> LoadCases(const std::string& file, Fixtures& fixtures) {
  TRY(const Scenario scenario, ReadScenarioFile(file, fixtures.catalog()));
  return ExpandCases(scenario, fixtures);
}

Result<std::vector<Case>> LoadCases(const std::string& file, const Catalog& catalog) {
  Fixtures fixtures(catalog);
  return LoadCases(file, fixtures);
}

Result<std::vector<std::string>> DiscoverScenarios(const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    if (!IsDirectory(path)) {
      if (!FileExists(path)) return Error{fmt::format("there is no scenario {}", path)};
      found.push_back(path);
      continue;
    }
    for (const std::string_view suffix : kSuffixes) {
      TRY(const std::vector<std::string> files, FilesBelow(path, suffix));
      found.insert(found.end(), files.begin(), files.end());
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace gpustage
