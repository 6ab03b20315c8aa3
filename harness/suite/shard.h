// Which part of the cases this machine runs. Every machine finds its own without asking the others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct Shard {
  int index = 1;  // from 1
  int total = 1;
  std::string from;  // where it is said, when it was looked for: "GTEST_SHARD_INDEX"

  friend bool operator==(const Shard&, const Shard&) = default;
};

// "2/4".
Result<Shard> ParseShard(const std::string& text);

// The value of a variable; nothing when it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// What GoogleTest, Bazel, GitLab, Slurm and Kubernetes say in the environment; nothing when none
// says it. Two that disagree are an error. `total` is what the user says of how many there are; 0:
// nothing.
Result<std::optional<Shard>> ShardOfEnvironment(const Variables& variables, int total);
// The variables that it looks at, for a sentence.
std::string ShardVariables();

// The shard, from 1, of a case: the same on every machine and in every release.
int ShardOf(const std::string& id, int total);

// The shards, from 1, of all these cases, so that each takes about as long: the longest first, each
// to the shard that has the least. A case without a duration has the median of the others.
std::vector<int> BalancedShards(const std::vector<std::string>& ids,
                                const std::map<std::string, double>& milliseconds, int total);

}  // namespace gpustage
