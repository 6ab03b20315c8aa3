// When a start of gpustage has to have ended.
#pragma once

#include <algorithm>
#include <chrono>

namespace gpustage {

struct Deadline {
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::time_point::max();
  std::chrono::seconds after{0};  // its start

  bool HasPassed() const { return std::chrono::steady_clock::now() >= at; }
  // As much of a time limit as is left.
  std::chrono::milliseconds Of(std::chrono::milliseconds limit) const {
    if (at == std::chrono::steady_clock::time_point::max()) return limit;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(at - std::chrono::steady_clock::now());
    return std::clamp(left, std::chrono::milliseconds(1), limit);
  }
};

}  // namespace gpustage
