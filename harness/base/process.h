// Our own processes: those that we start, and small helper programs of the host whose output is
// gathered. Not for scanners: those run in the box.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <shared_mutex>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct ProgramOutput {
  int exit_code = -1;  // -1: killed by a signal
  std::string out;     // stdout and stderr together
};

// Taken shared as long as a file that may be executed is open to be written, and alone while a
// process is made: a new process has every descriptor of ours until it closes them or executes,
// and what anybody can write to nobody may execute (ETXTBSY).
std::shared_mutex& ForkLock();

// A child of ours, and a number that is nobody else's until it is waited for. Where nobody has,
// after an exception say, it is ended by SIGKILL and waited for: nothing of ours goes on alone.
class OwnProcess {
 public:
  OwnProcess() = default;
  explicit OwnProcess(pid_t pid) : pid_(pid) {}
  OwnProcess(OwnProcess&& other) noexcept { *this = std::move(other); }
  OwnProcess& operator=(OwnProcess&& other) noexcept;
  ~OwnProcess() { End(); }

  pid_t pid() const { return pid_; }
  void Signal(int number) const;  // kill(2); nothing once it was waited for
  void End();                     // by SIGKILL, and waits; nothing once it was waited for
  // Statuses are as waitpid(2) tells them. HasEnded: at once, whether it has. Wait: until it has.
  bool HasEnded(int& status);
  int Wait();

 private:
  pid_t pid_ = -1;  // -1: none, or it was waited for
};

// A program of the host by its path, or by its name on PATH; "" when there is none.
std::string FindProgramOnHost(const std::string& program);

// argv[0] is looked up on PATH. An Error when it cannot be started, or did not end within `limit`
// and was ended; 0: it is waited for.
Result<ProgramOutput> RunProgram(const std::vector<std::string>& argv,
                                 std::chrono::seconds limit = std::chrono::seconds(0));

}  // namespace gpustage
