// A service or a container by its name: whose process it is.
#pragma once

#include <string>

#include "harness/capture/facts.h"

namespace gpustage::capture {

// The main process of a systemd unit, as systemctl says or by its cgroup. 0: none runs.
pid_t ProcessOfUnit(const std::string& unit, MachineFacts& facts);
// The first process of a container: as docker or podman says, or, of an id, by its cgroup. 0: none.
pid_t ProcessOfContainer(const std::string& id, MachineFacts& facts);
// Where the variables of its process may not be read, or none runs: those that systemctl tells
// everybody, and as gaps what only a file has that root may read.
void AddVariablesOfUnit(const std::string& unit, MachineFacts& facts);

}  // namespace gpustage::capture
