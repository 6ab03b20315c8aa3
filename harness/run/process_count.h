// A count of processes for one box, by a cgroup of the pids controller (v1, or v2 where it is
// handed down). For uid 0 of this machine, whom RLIMIT_NPROC does not bind.
#pragma once

#include <string>

#include "harness/base/root.h"

namespace gpustage {

class ProcessCount {
 public:
  // One that counts nothing where no cgroup is to be had.
  static ProcessCount Make(int most);
  ProcessCount() = default;
  ProcessCount(ProcessCount&& other) noexcept
      : directory_(std::exchange(other.directory_, {})), procs_(std::move(other.procs_)) {}
  ProcessCount& operator=(ProcessCount&& other) noexcept;
  ~ProcessCount();

  // Where a process writes "0" to be counted; -1: nowhere.
  int procs() const { return procs_.get(); }

 private:
  std::string directory_;
  Fd procs_;
};

// Takes away the cgroups that killed gpustage processes have left.
void ClearStaleCounts();

}  // namespace gpustage
