// A program on a terminal of its own, driven as a person would: keys in, screen out.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace gpustage {

class Pty {
 public:
  Pty(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
      winsize size) {
    pid_ = forkpty(&screen_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      ForgetSurroundings();
      for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
      std::vector<char*> words;
      for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      execv(words[0], words.data());
      _exit(127);
    }
    fcntl(screen_, F_SETFD, FD_CLOEXEC);
    tcgetattr(screen_, &before_);
  }
  Pty(const Pty&) = delete;
  ~Pty() {
    HangUp();
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
  }

  pid_t pid() const { return pid_; }
  const std::string& seen() const { return seen_; }
  void Type(const std::string& keys) const {
    if (write(screen_, keys.data(), keys.size()) < 0) perror("write");
  }
  void Resize(winsize size) const { ioctl(screen_, TIOCSWINSZ, &size); }

  // Whether the words come up on what was not asked for yet, within twenty seconds.
  bool Shows(const std::string& words) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      if (const size_t at = seen_.find(words, asked_); at != std::string::npos) {
        asked_ = at + words.size();
        return true;
      }
      if (std::chrono::steady_clock::now() > deadline || !Read(100)) break;
    }
    return false;
  }

  void HangUp() {
    if (screen_ >= 0) close(screen_);
    screen_ = -1;
  }
  // The exit status as a shell says it; what comes up until then is seen too.
  int Wait() {
    while (screen_ >= 0 && Read(20000)) {
    }
    // With the terminal it ends, or it is ended here.
    for (int tries = 0; tries < 5000 && pid_ > 0 && !IsOver(); ++tries) usleep(2000);
    if (pid_ > 0 && !IsOver()) kill(pid_, SIGKILL);
    int status = 0;
    while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  // Whether the terminal has the modes that it started with.
  bool IsAsBefore() const {
    termios now;
    return tcgetattr(screen_, &now) == 0 && now.c_lflag == before_.c_lflag &&
           now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag;
  }

 private:
  bool IsOver() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }
  // False: the other side is closed, or nothing came.
  bool Read(int limit_ms) {
    pollfd wait = {screen_, POLLIN, 0};
    const int ready = poll(&wait, 1, limit_ms);
    if (ready == 0) return limit_ms < 1000;
    char buffer[4096];
    const ssize_t n = read(screen_, buffer, sizeof buffer);
    if (n > 0) seen_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }

  pid_t pid_ = -1;
  int screen_ = -1;
  termios before_;
  std::string seen_;
  size_t asked_ = 0;
};

}  // namespace gpustage
