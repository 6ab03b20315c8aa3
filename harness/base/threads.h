// Work that several threads do side by side.
#pragma once

#include <cstddef>
#include <functional>

namespace gpustage {

// Calls `work` with 0 to `count` - 1, each once, one after another in this thread and in up to
// `threads` - 1 others; fewer where the machine gives fewer. After an exception no more is begun:
// the first one is thrown here once all threads have ended.
void InThreads(int threads, size_t count, const std::function<void(size_t)>& work);

}  // namespace gpustage
