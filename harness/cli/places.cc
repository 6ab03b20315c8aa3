#include "harness/cli/places.h"

#include <cstdlib>

#include "harness/base/files.h"

namespace gpustage {
namespace {

// GPUSTAGE_CACHE, as harness/dev has it.
std::string CacheDirectory() {
  if (const char* chosen = std::getenv("GPUSTAGE_CACHE"); chosen != nullptr && *chosen != '\0') return chosen;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.cache/gpustage";
}

struct Trees {
  std::string data;   // fixtures and scenarios
  std::string built;  // fakes, programs, recorders
};

Trees FindTrees() {
  const std::string installed = LexicallyNormal(ProgramDirectory() + "/../share/gpustage");
  if (IsDirectory(installed + "/fixtures")) return {installed, LexicallyNormal(ProgramDirectory() + "/../lib/gpustage")};
  return {GPUSTAGE_SOURCE_TREE, GPUSTAGE_BUILD_TREE};
}

}  // namespace

Catalog FindCatalog(const std::vector<std::string>& scanner_files) {
  const Trees trees = FindTrees();
  Catalog catalog;
  catalog.scenarios = trees.data + "/scenarios";
  catalog.layouts = trees.data + "/fixtures/layouts";
  catalog.devices = trees.data + "/fixtures/devices";
  catalog.scanners = trees.data + "/fixtures/scanners";
  catalog.real_parts = trees.data + "/fixtures/real-parts.yaml";
  catalog.scanner_files = scanner_files;
  catalog.fakes = trees.built + "/fakes";
  catalog.programs = trees.built + "/programs";
  catalog.real_root = CacheDirectory();
  return catalog;
}

Recorders FindRecorders() {
  const std::string built = FindTrees().built + "/recorders/";
  return {built + "audit.so", built + "ask"};
}

}  // namespace gpustage
