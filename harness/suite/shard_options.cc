#include "harness/suite/shard_options.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/base/text.h"
#include "harness/suite/earlier_report.h"

namespace gpustage {
namespace {

std::optional<std::string> Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::optional<std::string>() : value;
}

// What Bazel and GoogleTest's callers ask of a program that knows shards: without it they take it
// for one that runs all in each.
Status TouchStatusFiles() {
  for (const char* name : {"TEST_SHARD_STATUS_FILE", "GTEST_SHARD_STATUS_FILE"}) {
    const std::optional<std::string> file = Environment(name);
    if (!file || file->empty()) continue;
    const int fd = open(file->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || futimens(fd, nullptr) != 0) {
      const int why = errno;
      if (fd >= 0) close(fd);
      return Error{
          fmt::format("{} {} cannot be touched: {}", name, Quote(*file), std::strerror(why))};
    }
    close(fd);
  }
  return Ok();
}

struct Chosen {
  Shard shard;
  std::string from;  // "", or " (GTEST_SHARD_INDEX and …)"
};

Result<std::optional<Chosen>> Choose(const ShardOptions& options) {
  if (options.shard != "auto") {
    TRY(const Shard shard, ParseShard(options.shard));
    if (options.shards != 0 && options.shards != shard.total)
      return Error{fmt::format("--shards says {} and --shard {} says {}", options.shards,
                               options.shard, shard.total)};
    return std::optional<Chosen>({shard, ""});
  }
  TRY(const std::optional<Shard> shard, ShardOfEnvironment(Environment, options.shards));
  TRY(TouchStatusFiles());
  if (!shard) return std::optional<Chosen>();
  return std::optional<Chosen>({*shard, fmt::format(" ({})", shard->from)});
}

}  // namespace

Result<TakenShard> TakeShard(const ShardOptions& options, CaseSelection& selected) {
  if (options.shard.empty()) {
    if (options.shards != 0)
      return Error{"--shards says of how many; --shard auto or I/N says which"};
    if (!options.balance.empty())
      return Error{"--balance says how to divide; --shard I/N says which part"};
    return TakenShard();
  }
  TRY(const std::optional<Chosen> chosen, Choose(options));
  if (!chosen)
    return TakenShard{fmt::format("not a shard: all {} cases; none of {} is set", selected.size(),
                                  ShardVariables()),
                      {}};

  std::vector<std::string> ids;
  for (size_t place = 0; place < selected.size(); ++place) ids.push_back(selected.Id(place));
  std::string how;
  std::vector<int> shards;
  if (options.balance.empty()) {
    for (const std::string& id : ids) shards.push_back(ShardOf(id, chosen->shard.total));
  } else {
    TRY(const auto milliseconds, ReadDurations(options.balance));
    shards = BalancedShards(ids, milliseconds, chosen->shard.total);
    const auto unknown = std::count_if(
        ids.begin(), ids.end(), [&](const std::string& id) { return !milliseconds.contains(id); });
    how = fmt::format(", balanced by {}", options.balance);
    if (unknown > 0) how += fmt::format(" ({} of the cases are not in it)", unknown);
  }
  std::vector<size_t> places;
  for (size_t place = 0; place < ids.size(); ++place)
    if (shards[place] == chosen->shard.index) places.push_back(place);
  selected.Keep(places);
  const auto& [index, total, from] = chosen->shard;
  return TakenShard{fmt::format("shard {} of {}{}: {} of {} cases{}", index, total, chosen->from,
                                places.size(), ids.size(), how),
                    chosen->shard};
}

}  // namespace gpustage
