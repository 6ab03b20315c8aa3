// The one workspace of a test process.
#pragma once

#include <sys/stat.h>

#include <string>

#include "harness/run/workspace.h"
#include "tests/support/matchers.h"

namespace gpustage {

// Entered at the first call, for a process enters once. An error where this machine has no private
// root.
inline const Result<Workspace>& TheWorkspace() {
  static const Result<Workspace> workspace = [] {
    const Isolation isolation = ProbeIsolation();
    if (isolation.level != IsolationLevel::kNone) return Workspace::Enter(isolation, false);
    std::string why = "this machine allows no private root";
    for (const Trial& trial : isolation.trials)
      if (!trial.ok) why += "; " + trial.what + ": " + trial.why;
    return Result<Workspace>(Error{why});
  }();
  return workspace;
}

// A test in a process that has its workspace; skipped where there can be none.
class WorkspaceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TheWorkspace()) GTEST_SKIP() << TheWorkspace().error().message;
  }

  static const Isolation& isolation() { return TheWorkspace()->isolation(); }
  static bool OneUid() { return isolation().level == IsolationLevel::kUserOneUid; }

  // A new directory on the scratch file system.
  static std::string NewDirectory() {
    static int count = 0;
    std::string path = TheWorkspace()->directory() + "/test-" + std::to_string(++count);
    mkdir(path.c_str(), 0755);
    return path;
  }
};

}  // namespace gpustage
