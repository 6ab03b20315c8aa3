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
enum class BoxStep : int {
  kRunning,
  kMounts,
  kShown,  // something of this machine could not be shown inside
  kNetwork,
  kIdentity,
  kWorkingDirectory,
  kMagicLink,  // see box_exec.h
  k32Bit,
  kExec
};

// Written to the status pipe by the init of the box.
struct BoxReport {
  BoxStep failed_at = BoxStep::kRunning;  // kRunning: the scanner ran and ended
  int error = 0;                          // errno of the failed step
  int wait_status = 0;                    // of the scanner, as wait(2) gives it
  int left_over = 0;
  int shown = -1;  // kShown: which
  int full = -1;   // which of its spaces had nothing left at the end
};

// Something of this machine that is seen inside, read-only.
struct ShownMount {
  std::string source;
  std::string target;  // inside; links on the way to it are followed there
  bool node = false;   // a device, which works on a read-only mount, too
  int fd = -1;         // in the child: taken, and not yet in its place
};

// A directory in which programs write: a file system of the box's own lies over it, so that what
// fills it fills nobody else's.
struct OwnSpace {
  std::string path;
  std::string size, mode, uid, gid;  // as tmpfs(5) has them
};

struct BoxChild {
  // Prepared before the clone; everything is ready to be handed to the kernel.
  std::string root;
  std::vector<ShownMount> shown;
  std::vector<OwnSpace> spaces;
  // Paths of what the tree has below /proc in place of the kernel's, and room for their mounts.
  std::vector<std::string> proc_files;
  std::vector<int> proc_fds;
  std::string working_directory;
  std::vector<char*> argv;
  std::vector<char*> environment;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool set_groups = true;  // not in a one-id user namespace
  bool fresh_proc = false;
  int go_end = -1;     // its other end, which is the parent's
  int go = -1;         // a pipe that is closed once our ids are mapped; -1: they are its parent's
  int processes = -1;  // cgroup.procs of a cgroup that counts processes
  int64_t memory_limit = 0;  // bytes of data a process; 0: as we have it
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
  [[noreturn]] void RunInit();

 private:
  [[noreturn]] void RunScanner() const;
  void CloseOthers() const;
  void TakeShown();
  void MountRoot();
  void MountProc(int fresh) const;
  void MountSpaces() const;
  int FullSpace() const;
  void TakeIdentity() const;
  void Fail(BoxStep step, int error, int shown = -1) const;
};

}  // namespace gpustage
