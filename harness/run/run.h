// One scanner started in a staged tree, with the recorders that watch it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/box.h"
#include "harness/run/raw_run.h"
#include "harness/run/workspace.h"
#include "harness/stage/identity.h"

namespace gpustage {

// Built programs that run inside beside the scanner, and what they are for.
struct Recorders {
  std::string audit;  // host path of audit.so
  std::string ask;    // host path of the program that asks why
  EvidenceLevel level = EvidenceLevel::kAll;
};

struct ScannerStart {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string working_directory = "/";
  Identity user;
  std::vector<std::string> host_directories;
  bool loopback = false;
  std::chrono::milliseconds time_limit{30000};
  int64_t output_limit = 64 << 20;
  int64_t memory_limit = 0;  // bytes of data that a process may have; 0: as we
  std::function<bool(std::string_view)> done_when;
  std::chrono::milliseconds settle{0};  // what it prints after that line is waited for
  std::vector<TimedChange> meanwhile;   // what happens to the tree while it runs
  bool record_loader = true;            // where the level has it
  bool record_files = true;
  uint32_t mark = 0;  // StagedTree's
};

// An Error only when the recorders cannot be set up, or fail in the middle; everything the scanner
// does is in the RawRun.
Result<RawRun> RunScanner(const ScannerStart& start, const Root& root, const Recorders& recorders,
                          const Isolation& isolation);

// The same on our streams or on a terminal that we lend, without limits; nothing of what it prints
// is kept.
Result<RawRun> RunInteractively(const ScannerStart& start, const Root& root,
                                const Recorders& recorders, const Isolation& isolation,
                                Terminal* terminal);

// The box that RunScanner would use, recorders in place, for a caller that starts it by itself.
Result<BoxSpec> PrepareBox(const ScannerStart& start, const Root& root, const Recorders& recorders);

// What the system says of a path, asked after a run: see recorders/ask.c.
struct Answer {
  std::string path;
  int list_error = 0;      // errno of listing its directory
  int open_error = 0;      // errno of opening it
  int signal = 0;          // a dlopen of it killed its process
  std::string load_error;  // what dlerror said; "" when it loaded
  int exit_code = 0;  // with which the loader itself ended that process, and dlopen said nothing
  // 'f' file, 'd' directory, 'l' a link that ends at nothing, '?' nothing has the name, '!' whoever
  // asks is killed.
  char kind = '?';
  int64_t size = 0;
  uint64_t inode = 0;
  std::string head = {};  // its first bytes
  friend bool operator==(const Answer&, const Answer&) = default;
};

// A path that begins so is looked at only, and not loaded.
inline constexpr char kLookOnly = '?';

// Asks of each path, as the same user in the same tree. `environment` is that of the process that
// tried.
Result<std::vector<Answer>> Ask(const ScannerStart& start, const std::vector<std::string>& paths,
                                const Root& root, const Recorders& recorders,
                                const Isolation& isolation);

}  // namespace gpustage
