// What a process that runs already shows of its way to a GPU: what it has mapped and opened, its
// variables, and the nodes as it sees them. What it looked for before nobody can tell any more.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/evidence/path/families.h"
#include "harness/run/look.h"
#include "harness/run/run.h"

namespace gpustage {

struct MappedLibrary {
  std::string path;
  Family family = Family::kNone;
  bool replaced = false;  // the file that it mapped is no longer there
  std::string version;    // of the name of its file: "580.159.04"
};

struct HostProcess {
  pid_t pid = 0;
  std::vector<std::string> argv;
  Identity user;
  std::vector<std::pair<std::string, std::string>>
      variables;  // those that lead to GPUs, or hide them
  std::vector<MappedLibrary> libraries;
  std::vector<std::string> open_nodes;
  std::vector<Looked> nodes;  // the usual ones, as it sees them, by their modes
  bool own_mounts = false;    // another view of the files than ours
  // The last variable, map and node it could not be asked for, and why: "Permission denied".
  std::string no_variables, no_maps, no_nodes, no_files;
  // The driver that it has mapped, or would find, asked now with its variables: "cuInit" -> "100".
  std::string asked;
  std::map<std::string, std::string> answers;

  bool Holds(Family family) const;
  const MappedLibrary* Driver() const;
};

struct HostProcesses {
  std::vector<HostProcess> all;  // it, and of those below it whoever has to do with a GPU
  std::string kernel_driver;     // of the module that is loaded; "" none
};

// The version of NVIDIA's kernel module; "": it is not loaded, or not to be seen.
std::string KernelDriverHere();

// An error where there is no such process.
Result<HostProcesses> ReadHostProcesses(pid_t pid, const Recorders& recorders);

}  // namespace gpustage
