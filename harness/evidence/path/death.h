// A call that never came back: how its process ended in it.
#pragma once

#include <string>

#include "harness/evidence/records/event.h"
#include "harness/scenario/model/cause.h"

namespace gpustage {

struct Death {
  Cause cause = Cause::kCrashed;
  std::string how;  // "ollama runner (pid 3) was killed by SIGSEGV in cuInit"
};
Death DeathIn(const Event& call, const std::string& who);

}  // namespace gpustage
