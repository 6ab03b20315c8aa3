#include "fakes/scanner/go_death.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <initializer_list>

namespace gpustage::ollama {
namespace {

void ExitWithMessage(int signal) {
  const auto say = [](const char* text) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
  };
  say("SIG");
  say(sigabbrev_np(signal));
  say(": ");
  say(sigdescr_np(signal));
  say("\nsignal arrived during cgo execution\n");
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
