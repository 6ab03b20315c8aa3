// The seccomp filters of a box.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// No network but AF_UNIX unless the scanner asks for loopback (socket() with another family fails
// with EAFNOSUPPORT); no io_uring, whose operations pass by every filter; no file handles, no
// keyrings and no typing into a terminal.
Result<std::vector<sock_filter>> BoxFilter(bool network);

// Tells whoever listens of each call that file_record.h knows, before the kernel goes on with it. A
// call of our own recorders passes unseen: it has OwnCall(mark) (fakes/world/format.h) as its sixth
// argument.
Result<std::vector<sock_filter>> WatchFilter(uint32_t mark);

}  // namespace gpustage
