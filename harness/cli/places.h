// Where this installation keeps what scenarios name.
#pragma once

#include <string>
#include <vector>

#include "harness/run/run.h"
#include "harness/scenario/catalog.h"

namespace gpustage {

// From an installed tree (../share/gpustage beside the program), else from the source and build trees it was made in.
Catalog FindCatalog(const std::vector<std::string>& scanner_files);
Recorders FindRecorders();

}  // namespace gpustage
