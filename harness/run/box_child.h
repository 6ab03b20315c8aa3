// What happens inside the box before the scanner's first instruction. Runs between clone and exec
// in a process that may have been a thread of ours a moment ago: no allocation, no locks, only
// system calls on what was prepared before.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/run/workspace.h"

namespace gpustage {

// Where the child stood when something failed.
enum class BoxStep : int { kRunning, kMounts, kNetwork, kIdentity, kWorkingDirectory, kExec };

// Written to the status pipe by the init of the box.
struct BoxReport {
  BoxStep failed_at = BoxStep::kRunning;  // kRunning: the scanner ran and ended
  int error = 0;                          // errno of the failed step
  int wait_status = 0;                    // of the scanner, as wait(2) gives it
  int left_over = 0;
};

struct BoxChild {
  // Prepared before the clone; everything is ready to be handed to the kernel.
  std::string root;
  std::vector<std::string> bind_sources;  // host directories
  std::vector<std::string> bind_targets;  // below `root`, made already
  std::vector<std::string> device_nodes;  // "/dev/null": bound over a file of that name in the root
  std::string proc_target;
  std::string
      trees_proc;  // kTreesProc below `root`, where the tree has something below /proc; or ""
  // What the tree has in place of the kernel's files: in trees_proc, and below `proc_target`.
  std::vector<std::string> proc_sources, proc_targets;
  std::string working_directory;
  std::vector<char*> argv;
  std::vector<char*> environment;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool set_groups = true;  // not in a one-id user namespace
  bool fresh_proc = false;
  bool loopback = false;
  bool interactive = false;
  bool terminal =
      false;  // `out` becomes the controlling terminal of a session of the scanner's own
  sock_fprog filter = {};
  sock_fprog watch_filter = {};
  int watch = -1;        // a channel to whoever listens to the calls of watch_filter; -1: nobody
  int out = 1, err = 2;  // descriptors that become the scanner's
  int report = -1;

  // The init of the box. Never returns.
  [[noreturn]] void RunInit() const;

 private:
  [[noreturn]] void RunScanner() const;
  void CloseOthers() const;
  void OfferListener() const;
  int MountRoot() const;
  void Fail(BoxStep step, int error) const;
};

}  // namespace gpustage
