#include "harness/evidence/path/death.h"

#include <fmt/format.h>

namespace gpustage {

Death DeathIn(const Event& call, const std::string& who) {
  const std::string& fault = call.fault;
  if (call.detail.find("ggml_cuda_has_arch") != std::string::npos)
    return {Cause::kTooOld,
            who + " aborted: its backend was not built for the device's compute capability"};
  if (fault == "hang" || fault.starts_with("delay"))
    return {Cause::kHung, fmt::format("{} hung in {} until it was ended", who, call.subject)};
  std::string how = fmt::format("{} never returned from {}", who, call.subject);
  if (call.subject == "ggml_abort") how = fmt::format("{} aborted: {}", who, call.detail);
  if (fault == "segfault") how = fmt::format("{} was killed by SIGSEGV in {}", who, call.subject);
  if (fault == "abort") how = fmt::format("{} was killed by SIGABRT in {}", who, call.subject);
  if (fault.starts_with("exit"))
    how = fmt::format("{} ended itself in {}, exit status {}", who, call.subject,
                      fault.substr(fault.rfind(' ') + 1));
  return {Cause::kCrashed, std::move(how)};
}

}  // namespace gpustage
