// One scanner started in a staged tree, with the recorders that watch it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/after_run.h"
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

// A path that begins so is looked at only, and not loaded.
inline constexpr char kLookOnly = '?';

// Asks of each path, as the same user in the same tree. `environment` is that of the process that
// tried.
Result<std::vector<DlopenAnswer>> Ask(const ScannerStart& start,
                                      const std::vector<std::string>& paths, const Root& root,
                                      const Recorders& recorders, const Isolation& isolation);

}  // namespace gpustage
