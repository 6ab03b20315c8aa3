// A scenario with all of the user's own that it stands on: libraries, scanners, layouts, devices.
#pragma once

#include <map>
#include <string>

#include "harness/suite/selection.h"
#include "harness/suite/tar.h"

namespace gpustage {

struct Pack {
  std::string folder;                    // that everything in it lies below
  std::string command;                   // "run folder/scenario.yaml@cell --scanner mine"
  std::map<std::string, TarFile> files;  // by their paths in it
};

// Of the one scenario or case that the selection names, with its scanners and fixtures. What lies
// below the scenario's folder keeps its place; what does not goes into files/, and what names it is
// changed.
Result<Pack> PackOf(const CaseFilter& selection);

}  // namespace gpustage
