// A scenario file, and the cases it stands for: the only way into this folder from outside.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/matrix/matrix.h"
#include "harness/scenario/model/case.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

// A file whose keys and matrix are right. What a cell says is read when it is expanded: a matrix
// may stand for any of it.
struct Scenario {
  std::string file;  // as it was opened
  std::string id;    // "first-steps/links"
  std::string claim;
  YamlNode root;
  Matrix matrix;
};

// What was read of that file.
Result<Scenario> ReadScenario(YamlNode root, const std::string& file, const Catalog& catalog);
Result<Scenario> ReadScenarioFile(const std::string& file, const Catalog& catalog);

// One case a cell, in the order of the matrix. Each holds the expectations that apply to it and no
// others. Scenarios that share `fixtures` share what they read.
Result<std::vector<Case>> ExpandCases(const Scenario& scenario, Fixtures& fixtures);

// Both of these.
Result<std::vector<Case>> LoadCases(const std::string& file, Fixtures& fixtures);
Result<std::vector<Case>> LoadCases(const std::string& file, const Catalog& catalog);

// Every mistake of a scenario file at once, as a compiler tells them: from top to bottom, at most
// 20; empty: there is none. What is wrong is mended as its message proposes, or left out, and the
// rest read again. A mistake that may be there only because of one before it is not told: what is
// expected of a run whose definition is wrong.
struct MistakesOfFile {
  std::vector<Error> told;
  bool more = false;  // than are told
};
MistakesOfFile MistakesIn(const std::string& file, Fixtures& fixtures);

// Scenario files, and all *.yaml and *.yml below directories, sorted, each once.
Result<std::vector<std::string>> DiscoverScenarios(const std::vector<std::string>& paths);

}  // namespace gpustage
