// One process tree in a private root: started, watched and ended. Knows nothing of scenarios or
// GPUs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/raw_run.h"
#include "harness/run/terminal.h"
#include "harness/run/workspace.h"

namespace gpustage {

// Done so long after the start, in the order of their times, unless all has ended before.
struct TimedChange {
  std::chrono::milliseconds after{0};
  std::function<void()> change;
};

struct BoxSpec {
  std::string root;                      // host path of the tree
  std::vector<std::string> argv;         // argv[0] is a path inside the root
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory = "/";
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;                  // further ones
  std::vector<std::string> host_directories;  // shown read-only at their own paths
  std::vector<std::string>
      device_nodes;  // of this machine, shown inside beside /dev/null and its like
  bool loopback =
      false;  // a network of its own with 127.0.0.1; otherwise socket() is refused but for AF_UNIX
  std::chrono::milliseconds time_limit{30000};
  int64_t output_limit = 64 << 20;
  int64_t memory_limit = 0;  // bytes of data that one process may have (RLIMIT_DATA); 0: as we
  // Asked for each complete line; true: the scanner is done and is ended.
  std::function<bool(std::string_view line)> done_when;
  std::chrono::milliseconds settle{0};  // and only once it has printed nothing more for so long
  std::vector<TimedChange> meanwhile;
  bool watch_files = false;  // what its processes ask of the kernel is written down
  uint32_t mark = 0;         // of calls that are our recorders' own
};

// Runs it to its end, with everything below it. What the scanner does is in the outcome; when the
// box itself cannot be made the outcome is kNotStarted with the step that failed. The journal
// fields are left empty.
RawRun RunInBox(const BoxSpec& spec, const Isolation& isolation);

// The same without limits, on the streams that we have, or on the terminal that we lend; no output
// is kept.
RawRun RunInBoxInteractive(const BoxSpec& spec, const Isolation& isolation,
                           Terminal* terminal = nullptr);

}  // namespace gpustage
