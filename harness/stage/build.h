// A plan made real: the tree under a directory of its own, ready to be a scanner's "/".
#pragma once

#include <map>
#include <set>
#include <string>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/stage/plan.h"
#include "harness/stage/shared_files.h"

namespace gpustage {

struct StagedTree {
  Root root;
  uint32_t next_instance = 1;  // for fakes that a later change places
  // Host files whose shared copy lies in the tree. A second place gets a copy of its own: ld.so
  // takes one inode for one library.
  std::set<std::string> shares = {};
  // The scenario has said itself what the loader's cache is: nobody writes it any more.
  bool own_cache = false;
  // Fakes that answer otherwise than the machine does, by their instances.
  std::map<uint32_t, PlaceLibraryOp> own_worlds = {};
  uint32_t mark = 0;        // of its recorders' own calls, drawn for this tree
  int64_t bytes = 0;        // that its own files take; limits::kTreeBytes at most
  bool real_nodes = false;  // what says that it is a node becomes a character device
};

// Makes the tree in `directory`, which must exist and be empty. Errors point at the step of the
// scenario that failed.
Result<StagedTree> BuildStage(const StagePlan& plan, const std::string& directory,
                              SharedFiles& shared);

// Does further steps to a tree that stands, between two runs.
Status ApplySteps(const std::vector<PlanStep>& steps, bool private_copies, SharedFiles& shared,
                  StagedTree& tree);

// Another machine for a tree that stands: the fakes that answer otherwise still do.
Status RestartAs(const Machine& machine, SharedFiles& shared, StagedTree& tree);

// Writes /etc/ld.so.cache from /etc/ld.so.conf and the libraries of the tree, as ldconfig of this
// machine does; `path`: to another place.
Status WriteLoaderCache(const Root& root, const std::string& path = kLoaderCache);

}  // namespace gpustage
