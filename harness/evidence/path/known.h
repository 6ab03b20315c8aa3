// What is known of a run before anybody watches it: the machine, the tree, and the files that may
// count.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/path/library_path.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

// The paths of the tree that the scanner of a run may take for a GPU backend, links included; for a
// hand test the libraries that it is given.
std::vector<std::string> CandidateLibraries(const Case& c, const RunSpec& spec);

Setting SettingOf(const Case& c, const RunSpec& spec);

}  // namespace gpustage
