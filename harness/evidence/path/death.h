// A call that never came back: how its process ended in it.
#pragma once

#include "harness/evidence/path/reason.h"
#include "harness/evidence/records/event.h"
#include "harness/scenario/model/cause.h"

namespace gpustage {

struct Death {
  Cause cause = Cause::kCrashed;
  Reason how;
};
// `process` is who made the call: its `who` and `pid` alone count.
Death DeathIn(const Event& call, Reason process);

}  // namespace gpustage
