#include "harness/run/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gpustage {
namespace {

constexpr int kSignals[] = {SIGWINCH, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT};
constexpr size_t kMostKeys =
    1 << 16;  // a paste waits in the outer terminal once so many bytes are not taken

Error Failed(const char* what) { return {fmt::format("{}: {}", what, std::strerror(errno))}; }

// False: nobody reads any more.
bool WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EAGAIN) {
      pollfd ready = {fd, POLLOUT, 0};
      poll(&ready, 1, -1);
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

Result<Terminal> Terminal::Borrow() {
  termios before;
  if (tcgetattr(STDIN_FILENO, &before) != 0) return Error{"stdin is no terminal"};
  Fd outer(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  char path[64];
  if (!outer || grantpt(outer.get()) != 0 || unlockpt(outer.get()) != 0 ||
      ptsname_r(outer.get(), path, sizeof path) != 0)
    return Failed("no terminal for the inside can be had");
  Fd inner(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!inner || tcsetattr(inner.get(), TCSANOW, &before) != 0)
    return Failed("no terminal for the inside can be had");
  // They come through a descriptor, in the order of the rest. The box takes no mask from us.
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : kSignals) sigaddset(&ours, signal);
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  signal(SIGPIPE, SIG_IGN);
  Fd signals(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return Failed("signals cannot be watched");
  return Terminal(std::move(outer), std::move(inner), path, std::move(signals), before);
}

Terminal::Terminal(Fd outer, Fd inner, std::string inner_path, Fd signals, const termios& before)
    : outer_(std::move(outer)),
      inner_(std::move(inner)),
      inner_path_(std::move(inner_path)),
      signals_(std::move(signals)),
      before_(before) {
  PassSize();
}

Terminal::Terminal(Terminal&& other) noexcept = default;

Terminal::~Terminal() {
  if (outer_) Restore();
}

void Terminal::MakeRaw() const {
  termios raw = before_;
  cfmakeraw(&raw);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void Terminal::Restore() const { tcsetattr(STDIN_FILENO, TCSADRAIN, &before_); }

// The kernel tells the foreground job inside.
void Terminal::PassSize() const {
  winsize size;
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ioctl(outer_.get(), TIOCSWINSZ, &size);
}

void Terminal::End(int signal, int box_pidfd) {
  if (ended_by_) return;
  ended_by_ = signal;
  syscall(SYS_pidfd_send_signal, box_pidfd, SIGKILL, nullptr,
          0);  // its init: the kernel ends the rest
}

void Terminal::TakeSignal(int box_pidfd) {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH) {
      PassSize();
    } else if (signal == SIGTSTP) {
      Restore();
      raise(SIGSTOP);
    } else if (signal == SIGCONT) {
      MakeRaw();
      PassSize();
    } else {
      End(signal, box_pidfd);
    }
  }
}

void Terminal::TakeKeys(int box_pidfd) {
  char buffer[4096];
  const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
  if (n > 0) keys_.append(buffer, static_cast<size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) End(SIGHUP, box_pidfd);
}

void Terminal::PassKeys() {
  const ssize_t n = write(outer_.get(), keys_.data(), keys_.size());
  if (n > 0) keys_.erase(0, static_cast<size_t>(n));
}

bool Terminal::PassOutput(int box_pidfd) {
  char buffer[1 << 16];
  const ssize_t n = read(outer_.get(), buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) return false;
  if (!WriteAll(STDOUT_FILENO, buffer, static_cast<size_t>(n))) End(SIGHUP, box_pidfd);
  return true;
}

std::string Terminal::Relay(int report, int box_pidfd) {
  MakeRaw();
  std::string reported;
  for (bool open = true; open;) {
    const bool more_keys = !ended_by_ && keys_.size() < kMostKeys;
    pollfd waits[] = {
        {report, POLLIN, 0},
        {signals_.get(), POLLIN, 0},
        {outer_.get(), static_cast<short>(keys_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
        {more_keys ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(waits, 4, -1) < 0) continue;
    if (waits[1].revents != 0) TakeSignal(box_pidfd);
    if ((waits[2].revents & POLLIN) != 0) PassOutput(box_pidfd);
    if ((waits[2].revents & POLLOUT) != 0) PassKeys();
    if (waits[3].revents != 0) TakeKeys(box_pidfd);
    if (waits[0].revents == 0) continue;
    char buffer[256];
    const ssize_t n = read(report, buffer, sizeof buffer);
    if (n > 0) reported.append(buffer, static_cast<size_t>(n));
    open = n > 0 || (n < 0 && errno == EINTR);
  }
  // Nobody is left inside. Once ours is closed too, what is still on its way comes, and then the
  // end.
  inner_.Close();
  while (PassOutput(box_pidfd)) {
    pollfd wait = {outer_.get(), POLLIN, 0};
    poll(&wait, 1, -1);
  }
  Restore();
  return reported;
}

}  // namespace gpustage
