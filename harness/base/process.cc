#include "harness/base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sstream>
#include <utility>

#include "harness/base/root.h"

extern char** environ;

namespace gpustage {

std::shared_mutex& ForkLock() {
  static std::shared_mutex lock;
  return lock;
}

OwnProcess& OwnProcess::operator=(OwnProcess&& other) noexcept {
  if (this != &other) {
    End();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

void OwnProcess::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

void OwnProcess::End() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

bool OwnProcess::HasEnded(int& status) {
  if (pid_ < 0 || waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

int OwnProcess::Wait() {
  int status = 0;
  while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

std::string FindProgramOnHost(const std::string& program) {
  if (program.find('/') != std::string::npos)
    return access(program.c_str(), X_OK) == 0 ? program : "";
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');)
    if (const std::string candidate = directory + "/" + program;
        access(candidate.c_str(), X_OK) == 0)
      return candidate;
  return "";
}

Result<ProgramOutput> RunProgram(const std::vector<std::string>& argv, std::chrono::seconds limit) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0)
    return Error{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  Fd ours(pipe_ends[0]), theirs(pipe_ends[1]);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 2);
  pid_t pid = -1;
  const int failure = [&] {
    const std::lock_guard alone(ForkLock());
    return posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  }();
  posix_spawn_file_actions_destroy(&actions);
  theirs.Close();
  if (failure != 0)
    return Error{fmt::format("cannot start {}: {}", argv[0], std::strerror(failure))};
  OwnProcess process(pid);
  ProgramOutput result;
  char buffer[4096];
  ssize_t n = 0;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  bool ended_by_us = false;
  while (limit.count() > 0) {
    pollfd more = {ours.get(), POLLIN, 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = left.count() > 0 ? poll(&more, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    ended_by_us = ready <= 0;
    if (ready <= 0 || (n = read(ours.get(), buffer, sizeof buffer)) <= 0) break;
    result.out.append(buffer, static_cast<size_t>(n));
  }
  while (limit.count() == 0 &&
         ((n = read(ours.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0) result.out.append(buffer, static_cast<size_t>(n));
  ours.Close();
  if (ended_by_us) process.Signal(SIGKILL);
  const int status = process.Wait();
  if (ended_by_us) return Error{fmt::format("{} did not end within {} s", argv[0], limit.count())};
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace gpustage
