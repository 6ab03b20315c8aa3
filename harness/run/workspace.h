// The place where this gpustage process works: namespaces of its own and a scratch file system that
// nobody else sees and that goes with the process, however it ends. Found by trial, not by reading
// settings.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/base/files.h"
#include "harness/base/result.h"
#include "harness/base/root.h"

namespace gpustage {

// What this machine lets us do, best first.
enum class IsolationLevel {
  kRoot,         // real root: mount namespace, any user id
  kUserTwoUids,  // user namespace with ids from newuidmap: any user id
  kUserOneUid,  // user namespace with one id: the scanner owns the tree, so modes for others decide
                // nothing
  kNone,        // no mount or pid namespace to be had
};
std::string ToString(IsolationLevel level);

// One trial and how it ended.
struct Trial {
  std::string what;
  bool ok = false;
  std::string why;  // the system's words when it failed
};

struct Isolation {
  IsolationLevel level = IsolationLevel::kNone;
  std::vector<Trial> trials;
  bool network_namespace = false;
  bool device_nodes = false;  // can be made, and a box opens none
  bool fresh_proc = false;    // a /proc of the box's own can be mounted
  bool own_users = false;     // a user namespace a box, with the ids that we have: a count of
                              // processes of its own
  // Descriptors that a Workspace owns: of a network namespace with nothing in it, and of ours. -1:
  // each box gets one of its own.
  int empty_network = -1, our_network = -1;
};

// Tries each mechanism in a child that goes away. Costs a few milliseconds.
Isolation ProbeIsolation();

// Writes the maps of a process that has just begun a user namespace below ours: every id is itself.
// 0 or an errno.
int MapSameIds(pid_t process);

// A file system of its own for one tree, and the end of a tree with or without one.
Status MakeOwnSpace(const std::string& directory);
void TakeDownTree(const std::string& directory);

// Enters the namespaces that the level allows and mounts a file system on a new scratch directory.
// Once a process, before any thread is started; an Error where there is no level. With `keep_trees`
// the scratch directory is an ordinary one that stays afterwards.
class Workspace {
 public:
  static Result<Workspace> Enter(const Isolation& isolation, bool keep_trees);
  Workspace(Workspace&&) = default;
  ~Workspace();
  const std::string& directory() const { return scratch_.path(); }
  const Isolation& isolation() const { return isolation_; }

 private:
  Workspace(ScratchDirectory scratch, Isolation isolation)
      : scratch_(std::move(scratch)), isolation_(std::move(isolation)) {}
  void MakeEmptyNetwork();
  ScratchDirectory scratch_;
  Fd empty_network_, our_network_;
  Isolation isolation_;
};

}  // namespace gpustage
