// The two streams that a program prints to.
#pragma once

namespace gpustage {

enum class Stream { kStdout, kStderr };

}  // namespace gpustage
