// What stands at a path of a tree, looked at after a run from outside: where it ends, which links
// lead there, and who of its components refuses whom.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/root.h"
#include "harness/stage/identity.h"

namespace gpustage {

struct Looked {
  std::string path;                                             // that was asked for
  std::vector<std::pair<std::string, std::string>> links = {};  // each that was followed
  std::string end = {};    // the last component that was come to: the file itself, or what stops
  int error = 0;           // ENOENT, ELOOP, ENOTDIR, EACCES; 0: nothing stops
  bool entering = false;   // EACCES: `end` is a directory that may not be entered
  unsigned mode = 0;       // of `end`, with its type; 0: it is not there
  std::string owner = {};  // "root:root"
  std::vector<std::string> names = {};  // of a directory's entries, sorted
  bool is_node = false;                 // it is the node of the device that it is named after
  friend bool operator==(const Looked&, const Looked&) = default;
};

enum class Want { kRead = 4, kWrite = 6, kList = 4 };
Looked LookAt(const Root& root, const std::string& path, const Identity& who, Want want);

}  // namespace gpustage
