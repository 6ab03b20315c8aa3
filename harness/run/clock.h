// The clock of a run: what every record's time_ns is of.
#pragma once

#include <time.h>

#include <cstdint>

namespace gpustage {

// Nanoseconds of CLOCK_MONOTONIC, as the journal's.
inline int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace gpustage
