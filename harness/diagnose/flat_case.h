// A case as a machine shows it: files, links, modes, environment and the answers of its devices,
// and nothing of how its author wrote it. What finds a cause here finds it on a captured machine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/case_runner.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

struct FlatEntry {
  enum class Kind {
    kDirectory,
    kFile,     // text: its bytes
    kLibrary,  // source: what it is a copy of
    kLink,     // text: what it says
    kAbsent,   // a plain system has it, this machine has not
  };
  Kind kind = Kind::kFile;
  FileMode mode = 0755;
  unsigned uid = 0;
  unsigned gid = 0;
  std::string text;
  LibrarySource source;
  std::optional<MachineChange> machine;       // this copy answers otherwise than the machine
  std::vector<ComputeCapability> archs = {};  // of a backend that was not built for all
  std::string same_as;                        // another path of the same file
  bool replaces = false;                      // a plain system has something else there
  friend bool operator==(const FlatEntry&, const FlatEntry&) = default;
};

// By path. What a plain system with this scanner has, too, is not in it.
using FlatTree = std::map<std::string, FlatEntry>;

struct FlatCase {
  Case c;  // one run, the environment whole; no tree, names, claims, suspects
  FlatTree tree;
  std::shared_ptr<StagedCase> store;  // holds the bytes of what no package has
};

// A library that a package brings: its fake, or the real one, as the catalog has it.
using KnownImages = std::vector<LibrarySource>;

// The machine that run number `run` of the case finds: what runs before it change is done.
Result<FlatCase> Flatten(const Case& c, size_t run, const KnownImages& known, CaseRunner& runner);
// Again something that can be staged.
Case ToCase(const FlatCase& flat);
// The same text for the same machine.
std::string KeyOf(const FlatCase& flat);

// As text: where a path ends when the links of the tree and those of a plain system are followed.
std::string RealPath(const FlatTree& tree, const std::string& path);
// Whether the tree has something there, or below.
bool HasPath(const FlatTree& tree, const std::string& path);
// Takes a path and all below out of the tree.
void ErasePath(FlatTree& tree, const std::string& path);
// All regular files and libraries of the tree, and links that end at one, of this last name.
std::vector<std::string> FilesNamed(const FlatTree& tree, const std::string& name);

// The value of a variable of the run's environment; none when it is not set.
std::optional<std::string> VariableOf(const FlatCase& flat, const std::string& name);

}  // namespace gpustage
