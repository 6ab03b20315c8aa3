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

Result<Scenario> ReadScenarioFile(const std::string& file, const Catalog& catalog);

// One case a cell, in the order of the matrix. Each holds the expectations that apply to it and no
// others. Scenarios that share `fixtures` share what they read.
Result<std::vector<Case>> ExpandCases(const Scenario& scenario, Fixtures& fixtures);

// Both of these.
Result<std::vector<Case>> LoadCases(const std::string& file, Fixtures& fixtures);
Result<std::vector<Case>> LoadCases(const std::string& file, const Catalog& catalog);

// Scenario files, and all *.yaml below directories, sorted, each once.
Result<std::vector<std::string>> DiscoverScenarios(const std::vector<std::string>& paths);

}  // namespace gpustage
