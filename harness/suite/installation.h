// Where this installation keeps what scenarios name.
#pragma once

#include <string>
#include <vector>

#include "harness/run/run.h"
#include "harness/scenario/catalog/catalog.h"

namespace gpustage {

// From the nearest folder above the program or libgpustage.so with share/gpustage and lib/gpustage
// in it: an installed tree, or a build tree, which links to its source. `ollama` are programs or
// folders of an install; without one GPUSTAGE_OLLAMA says so (PATH:PATH), then PATH is looked at.
Catalog FindCatalog(const std::vector<std::string>& scanner_files,
                    const std::vector<std::string>& ollama = {});
Recorders FindRecorders();
std::string RecordingsFolder();
std::string LogsFolder();  // what is known of the lines of logs
std::string WordsFile();   // what is known of words that people search for

}  // namespace gpustage
