#include "harness/base/process.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/files.h"
#include "harness/base/root.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

// A process that another thread makes has what this one writes open for a moment, and until then
// the kernel executes it for nobody: ETXTBSY. (execve(2))
TEST(Process, WhatOneThreadHasWrittenIsExecutedWhileOthersMakeProcesses) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const Root root = *Root::Open(scratch.path());
  const std::string program = *ReadFile("/bin/true");
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) {
        const std::string path = "/program-" + std::to_string(t) + "-" + std::to_string(i % 2);
        const bool written = root.WriteFile(path, program, 0755).ok();
        const Result<ProgramOutput> ran = RunProgram({scratch.path() + path});
        if (!written || !ran || ran->exit_code != 0) ++refused;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 0);
}

TEST(Process, ThatNobodyWaitedForIsEnded) {
  pid_t child = 0;
  {
    child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    const OwnProcess process(child);
  }
  EXPECT_EQ(kill(child, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace gpustage
