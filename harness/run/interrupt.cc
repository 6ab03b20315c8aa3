#include "harness/run/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace gpustage {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<int> came = 0;
std::atomic<int> wakes = -1;

void Catch(int signal) {
  const int before = errno;
  int none = 0;
  if (!came.compare_exchange_strong(none, signal)) _exit(128 + signal);
  const uint64_t one = 1;
  if (write(wakes, &one, sizeof one) < 0) errno = before;
  errno = before;
}

}  // namespace

void CatchInterrupts() {
  if (wakes < 0) wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (const int signal : kSignals) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = Catch;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

int Interrupted() { return came; }

int InterruptFd() { return wakes; }

void ForgetInterrupts() {
  for (const int number : kSignals) signal(number, SIG_DFL);
}

}  // namespace gpustage
