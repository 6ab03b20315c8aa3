// A service or a container by its name: whose process it is.
#pragma once

#include <string>

#include "harness/capture/facts.h"

namespace gpustage::capture {

// The main process of a systemd unit; what of its environment cannot be read while it does not run
// is a gap. 0: none runs.
pid_t ProcessOfUnit(const std::string& unit, MachineFacts& facts);
// A process of the container whose id begins so, by its cgroup. 0: none.
pid_t ProcessOfContainer(const std::string& id, MachineFacts& facts);

}  // namespace gpustage::capture
