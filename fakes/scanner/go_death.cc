#include "fakes/scanner/go_death.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <initializer_list>

namespace gpustage::ollama {
namespace {

// Go's own words, which are not C's.
const char* SignalWords(int signal) {
  switch (signal) {
    case SIGILL: return "SIGILL: illegal instruction";
    case SIGTRAP: return "SIGTRAP: trace trap";
    case SIGABRT: return "SIGABRT: abort";
    case SIGBUS: return "SIGBUS: bus error";
    case SIGFPE: return "SIGFPE: floating-point exception";
    case SIGSEGV: return "SIGSEGV: segmentation violation";
    default: return "SIGSYS: bad system call";
  }
}

void ExitWithMessage(int signal) {
  // In one piece: another child writes to the same stream.
  char text[128] = {};
  std::strcat(std::strcpy(text, SignalWords(signal)), "\nsignal arrived during cgo execution\n");
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
  _exit(2);
}

}  // namespace

void DieLikeGo() {
  static char stack[16 * 1024];  // a crash may be an overflow of the ordinary one
  const stack_t alternate = {stack, 0, sizeof stack};
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = ExitWithMessage;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS})
    sigaction(signal, &action, nullptr);
}

}  // namespace gpustage::ollama
