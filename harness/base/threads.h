// Work that several threads do side by side.
#pragma once

#include <functional>

namespace gpustage {

// Calls `work` in this thread and in `threads` - 1 others, and returns when each has. Where the
// machine gives fewer threads, fewer do it: `work` takes one thing after another until there is
// none. The first exception of any is thrown here once all have ended.
void InThreads(int threads, const std::function<void()>& work);

}  // namespace gpustage
