#include "harness/evidence/path/death.h"

#include <signal.h>

namespace gpustage {

Death DeathIn(const Event& call, Reason process) {
  using Kind = Reason::Kind;
  const std::string& fault = call.fault;
  Death death = {Cause::kCrashed, std::move(process)};
  Reason& how = death.how;
  how.kind = Kind::kNeverReturned;
  how.subject = call.subject;
  if (call.detail.find("ggml_cuda_has_arch") != std::string::npos) {
    death.cause = Cause::kTooOld;
    how.kind = Kind::kOtherArch;
  } else if (fault == "hang" || fault.starts_with("delay")) {
    death.cause = Cause::kHung;
    how.kind = Kind::kHung;
  } else if (fault.starts_with("exit")) {
    how.kind = Kind::kExitedIn;
    how.other = fault.substr(fault.rfind(' ') + 1);
  } else if (fault == "abort" || fault == "segfault") {
    how.kind = Kind::kKilledIn;
    how.signal = fault == "abort" ? SIGABRT : SIGSEGV;
  } else if (call.subject == "ggml_abort") {
    how.kind = Kind::kAborted;
    how.text = call.detail;
  }
  return death;
}

}  // namespace gpustage
