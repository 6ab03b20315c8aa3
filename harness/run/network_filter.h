// The seccomp filter of a box: no network but AF_UNIX unless the scanner asks for loopback, and no io_uring, whose
// operations pass by every filter.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// socket() with another family fails with EAFNOSUPPORT when `network` is false.
Result<std::vector<sock_filter>> BoxFilter(bool network);

}  // namespace gpustage
