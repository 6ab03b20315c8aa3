// Where the things that scenarios name are on this machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/tree_op.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

// A program that the user gave (--ollama PATH), of a version.
struct GivenProgram {
  std::string name;  // "ollama"
  std::string path;
  std::string version;
};

struct Catalog {
  std::string scenarios;  // case ids are relative to this folder
  std::string layouts;    // NAME.yaml each; this and devices: folders as in PATH, the first counts
  std::string devices;
  std::string capabilities;  // fixtures/compute-capabilities.yaml; "": devices say all themselves
  std::string scanners;
  // --scanner FILE.yaml: beside those of the folder, or instead of the one of that name.
  std::vector<std::string> scanner_files;
  std::string fakes;       // libraries NAME.so, and programs NAME that play a scanner
  std::string programs;    // programs of ours: build: NAME
  std::string real_parts;  // fixtures/real-parts.yaml
  std::string real_root;   // what its paths are relative to
  std::string fetcher = "harness/dev real";  // what the user runs to have them
  std::vector<GivenProgram> given;
  std::vector<std::string> requested;  // scanners that the user named
};

// The names of the files NAME + suffix right in `directory`, sorted.
std::vector<std::string> NamesIn(const std::string& directory, std::string_view suffix);

// DIRECTORY/NAME + suffix. The directory is listed only for the error, which names the nearest file
// that there is; `what` is "layout", "device", "fake".
Result<std::string> NamedFile(const std::string& directory, const YamlNode& name,
                              std::string_view suffix, std::string_view what);

// All that scenarios may call `real:`, missing ones included.
Result<std::vector<LibrarySource>> RealParts(const Catalog& catalog);

// A path of the host, relative to the folder of the file that says so.
std::string HostPath(const YamlNode& path);

}  // namespace gpustage
