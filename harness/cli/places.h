// Where this installation keeps what scenarios name.
#pragma once

#include <string>
#include <vector>

#include "harness/run/run.h"
#include "harness/scenario/catalog.h"

namespace gpustage {

// From an installed tree (../share/gpustage beside the program), else from the source and build trees it was made in.
// `ollama` are programs or folders of an install; without one GPUSTAGE_OLLAMA says so (PATH:PATH), then PATH is looked at.
Catalog FindCatalog(const std::vector<std::string>& scanner_files, const std::vector<std::string>& ollama = {});
Recorders FindRecorders();
std::string RecordingsFolder();

}  // namespace gpustage
