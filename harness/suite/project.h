// gpustage.yaml beside scenarios, and --fixtures: what a repository of somebody's own brings along.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/catalog/catalog.h"
#include "harness/suite/selection.h"

namespace gpustage {

struct Project {
  std::vector<std::string> fixtures;  // folders with layouts/, devices/, scanners/, as in fixtures/
  std::vector<std::string> ollama;
  std::vector<std::string> require;
};

// Of the gpustage.yaml in the folder of each path of the selection, and of its --fixtures. Paths in
// the file are relative to it.
Result<Project> ProjectOf(const CaseFilter& selection);

// What they hold stands before what gpustage has under the same name.
void AddFixtures(const std::vector<std::string>& folders, Catalog& catalog);

// Whether a file of a folder of scenarios is one, and not of the project.
bool IsScenario(const Project& project, const std::string& file);

}  // namespace gpustage
