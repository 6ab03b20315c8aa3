// What ldconfig wrote for the trees of a start. Most cases differ in what it never reads, and one
// process for each would cost as much as the scanner.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/stage/plan.h"

namespace gpustage {

// All of a plan that its loader's cache can depend on.
struct LoaderCacheKey {
  std::vector<PlanStep> steps;
  std::vector<HostFile> base;
  std::vector<std::vector<int64_t>> host_files;  // what tells one content of each from another
  friend bool operator==(const LoaderCacheKey&, const LoaderCacheKey&) = default;
};

// Nothing where the plan alone does not say what ldconfig will read.
std::optional<LoaderCacheKey> LoaderCacheKeyOf(const StagePlan& plan);

class KeptLoaderCaches {
 public:
  std::optional<std::string> Find(const LoaderCacheKey& key) const;
  void Keep(LoaderCacheKey key, std::string cache);
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::pair<LoaderCacheKey, std::string>> kept_;  // the newest first
};

}  // namespace gpustage
