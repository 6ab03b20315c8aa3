// --shard, --shards and --balance of run and list.
#pragma once

#include <string>

#include "harness/cli/selected.h"

namespace gpustage {

// Leaves the cases of this shard, and says in a line which they are; "" when no shard was asked for.
Result<std::string> TakeShard(const ShardOptions& options, Selected& selected);

}  // namespace gpustage
