// --shard, --shards and --balance of run and list.
#pragma once

#include <optional>
#include <string>

#include "harness/suite/case_selection.h"
#include "harness/suite/shard.h"

namespace gpustage {

struct TakenShard {
  std::string line;            // which cases they are; "" when no shard was asked for
  std::optional<Shard> shard;  // none: all cases
};

// Leaves the cases of this shard.
Result<TakenShard> TakeShard(const ShardOptions& options, CaseSelection& selected);

}  // namespace gpustage
