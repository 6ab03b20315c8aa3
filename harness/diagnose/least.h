// Delta debugging: what is left of a list when nothing more can go.
#pragma once

#include <algorithm>
#include <vector>

namespace gpustage {

// Halves first, single parts last, until no single part can go. `holds` says whether a part of the
// list is enough; the whole is. `stop`: what there is by then is all.
template <typename T, typename Holds, typename Stop>
std::vector<T> LeastOf(std::vector<T> all, const Holds& holds, const Stop& stop) {
  size_t step = std::max<size_t>(1, all.size() / 2);
  while (!stop()) {
    bool smaller = false;
    for (size_t start = 0; !stop() && start < all.size();) {
      const auto from = all.begin() + static_cast<ptrdiff_t>(start);
      const size_t count = std::min(step, all.size() - start);
      std::vector<T> fewer(all.begin(), from);
      fewer.insert(fewer.end(), from + static_cast<ptrdiff_t>(count), all.end());
      if (holds(fewer)) {
        all = std::move(fewer);
        smaller = true;
      } else {
        start += count;
      }
    }
    if (step == 1 && !smaller) break;
    step = std::max<size_t>(1, step / 2);
  }
  return all;
}

}  // namespace gpustage
