// Runs a small helper program of the host and gathers what it prints. Not for scanners: those run
// in the box.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <shared_mutex>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"

namespace gpustage {

struct ProgramOutput {
  int exit_code = -1;  // -1: killed by a signal
  std::string out;     // stdout and stderr together
};

// Taken shared as long as a file that may be executed is open to be written, and alone while a
// process is made: a new process has every descriptor of ours until it closes them or executes,
// and what anybody can write to nobody may execute (ETXTBSY).
std::shared_mutex& ForkLock();

// A child of ours. Where nobody has waited for it, after an exception say, it is ended by SIGKILL
// and waited for: nothing of ours goes on alone.
class OwnProcess {
 public:
  OwnProcess() = default;
  OwnProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  OwnProcess(OwnProcess&& other) noexcept { *this = std::move(other); }
  OwnProcess& operator=(OwnProcess&& other) noexcept;
  ~OwnProcess();

  int pidfd() const { return pidfd_.get(); }
  void Signal(int number) const;
  // Whether it has ended, and its status as waitpid(2) tells it. Wait: when it has.
  bool HasEnded(int& status);
  int Wait();

 private:
  pid_t pid_ = -1;  // -1: none, or it was waited for
  Fd pidfd_;
};

// A program of the host by its path, or by its name on PATH; "" when there is none.
std::string FindProgramOnHost(const std::string& program);

// argv[0] is looked up on PATH. An Error when it cannot be started, or did not end within `limit`
// and was ended; 0: it is waited for.
Result<ProgramOutput> RunProgram(const std::vector<std::string>& argv,
                                 std::chrono::seconds limit = std::chrono::seconds(0));

}  // namespace gpustage
