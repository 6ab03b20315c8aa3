// The names by which people call scenarios and cells: a part is enough where it is clear, in any
// order, and what is none is told the nearest.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/catalog/catalog.h"

namespace gpustage {

// "folder/file@gpus=1,stack=ggml-12" is meant by its id, by "@stack=ggml-12,gpus=1", and by each
// part of that: "@gpus=1". A name without '@' means all cells.
bool MeansCell(const std::string& name, const std::string& id);

// Why none of the ids is meant: "healthy has no gpus=3; gpus can be 1 or 2".
std::string NoSuchCell(const std::string& name, const std::vector<std::string>& ids);

struct NamedFiles {
  std::vector<std::string> files;
  std::string cell;  // "@gpus=1", or "" for all
};

// Scenario files by a path, a folder, "folder/file", or the last part alone where only one file has
// it; each with or without "@axis=value,…".
Result<NamedFiles> FilesNamed(const Catalog& catalog, const std::string& name);

}  // namespace gpustage
