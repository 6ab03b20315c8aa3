// Where the things that scenarios name are on this machine.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/tree_op.h"
#include "harness/scenario/yaml.h"

namespace gpustage {

struct Catalog {
  std::string scenarios;  // case ids are relative to this folder
  std::string layouts;    // NAME.yaml each
  std::string devices;
  std::string scanners;
  std::vector<std::string>
      scanner_files;       // --scanner FILE.yaml: beside those of the folder, or instead of one
  std::string fakes;       // libraries NAME.so, and programs NAME that play a scanner
  std::string programs;    // programs of ours: build: NAME
  std::string real_parts;  // fixtures/real-parts.yaml
  std::string real_root;   // what its paths are relative to
};

// The names of the files NAME + suffix right in `directory`, sorted.
std::vector<std::string> NamesIn(const std::string& directory, std::string_view suffix);

// DIR/NAME.yaml. A name without a file is an error with the nearest that has one; `what` is
// "layout", "device".
Result<std::string> FixtureFile(const std::string& directory, const YamlNode& name,
                                std::string_view what);

// The library that a tree operation places. `choice` is its fake:, real: or file: entry.
Result<LibrarySource> FindLibrary(const Catalog& catalog, const YamlEntry& choice);

// All that scenarios may call `real:`, missing ones included.
Result<std::vector<LibrarySource>> RealParts(const Catalog& catalog);

// A program for a scanner: its path, or why it is not here. `choice` is a fake:, build:, real: or
// path: entry.
struct ProgramSource {
  std::string host_path;
  std::string missing;
};
Result<ProgramSource> FindProgram(const Catalog& catalog, const YamlEntry& choice);

// Relative to the folder of the file that says so.
std::string HostPath(const YamlNode& path);

}  // namespace gpustage
