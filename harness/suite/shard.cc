#include "harness/suite/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>
#include <queue>

#include "harness/base/text.h"
#include "harness/report/report.h"

namespace gpustage {
namespace {

std::optional<int> Number(std::string_view text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// A pair of variables that say which and of how many.
struct Pair {
  const char* index;
  const char* total;
  int first;  // the index of the first shard
};
constexpr Pair kPairs[] = {{"GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", 0},
                           {"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", 0},
                           {"CI_NODE_INDEX", "CI_NODE_TOTAL", 1}};
constexpr char kSlurm[] = "SLURM_ARRAY_TASK_ID", kKubernetes[] = "JOB_COMPLETION_INDEX";

class Reader {
 public:
  Reader(const Variables& variables, int total) : variables_(variables), total_(total) {}

  Result<std::optional<Shard>> OfPair(const Pair& pair) const {
    TRY(const std::optional<int> index, Read(pair.index));
    TRY(const std::optional<int> total, Read(pair.total));
    if (!index && (!total || *total == 1))
      return Nowhere();  // GitLab says 1 of a job that is not parallel
    if (!index || !total)
      return Error{fmt::format("{} is set and {} is not", index ? pair.index : pair.total,
                               index ? pair.total : pair.index)};
    return Checked(
        {*index - pair.first + 1, *total, fmt::format("{} and {}", pair.index, pair.total)}, *index,
        pair.index);
  }

  // --array=4-16:4 is MIN 4, MAX 16, COUNT 4; --array=1,2,7 has no step and no way to tell a shard.
  Result<std::optional<Shard>> OfSlurm() const {
    TRY(const std::optional<int> id, Read(kSlurm));
    if (!id) return Nowhere();
    TRY(const std::optional<int> min, Read("SLURM_ARRAY_TASK_MIN"));
    TRY(const std::optional<int> max, Read("SLURM_ARRAY_TASK_MAX"));
    TRY(const std::optional<int> count, Read("SLURM_ARRAY_TASK_COUNT"));
    if (!min || !max || !count)
      return Error{
          fmt::format("{} is set, and SLURM_ARRAY_TASK_MIN, _MAX and _COUNT are not all", kSlurm)};
    const int step = *count > 1 ? (*max - *min) / (*count - 1) : 1;
    if (*count < 1 || step < 1 || *min + step * (*count - 1) != *max || (*id - *min) % step != 0)
      return Error{
          fmt::format("the tasks of the Slurm array ({} of them from {} to {}) are not evenly "
                      "spaced, so {} {} is no shard",
                      *count, *min, *max, kSlurm, *id)};
    return Checked({(*id - *min) / step + 1, *count, kSlurm}, *id, kSlurm);
  }

  Result<std::optional<Shard>> OfKubernetes() const {
    TRY(const std::optional<int> index, Read(kKubernetes));
    if (!index) return Nowhere();
    if (total_ == 0)
      return Error{fmt::format(
          "{} says which shard and not of how many; add --shards N, the job's completions",
          kKubernetes)};
    return Checked({*index + 1, total_, kKubernetes}, *index, kKubernetes);
  }

 private:
  static std::optional<Shard> Nowhere() { return std::nullopt; }

  Result<std::optional<int>> Read(const char* name) const {
    const std::optional<std::string> text = variables_(name);
    if (!text || text->empty()) return std::optional<int>();
    const std::optional<int> number = Number(*text);
    if (!number)
      return Error{fmt::format("{} is {}, which is no whole number", name, Quote(*text))};
    return number;
  }

  Result<std::optional<Shard>> Checked(Shard shard, int said, const char* name) const {
    if (shard.total < 1 || shard.total > kMostShards || shard.index < 1 ||
        shard.index > shard.total)
      return Error{fmt::format("{} is {}, which is none of {} shards", name, said, shard.total)};
    if (total_ != 0 && shard.total != total_)
      return Error{fmt::format("--shards says {} and {} say {}", total_, shard.from, shard.total)};
    return std::optional<Shard>(std::move(shard));
  }

  const Variables& variables_;
  int total_;
};

}  // namespace

Result<Shard> ParseShard(const std::string& text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::optional<int> index = Number(std::string_view(text).substr(0, slash));
  const std::optional<int> total =
      Number(std::string_view(text).substr(std::min(slash + 1, text.size())));
  if (!index || !total || *total < 1 || *total > kMostShards || *index < 1 || *index > *total)
    return Error{fmt::format("expected --shard I/N, I from 1 to N, or auto, got {}", Quote(text))};
  return Shard{*index, *total, ""};
}

Result<std::optional<Shard>> ShardOfEnvironment(const Variables& variables, int total) {
  const Reader reader(variables, total);
  std::optional<Shard> found;
  const auto take = [&](Result<std::optional<Shard>> said) -> Status {
    if (!said) return said.error();
    if (!*said) return Ok();
    if (found && (found->index != (*said)->index || found->total != (*said)->total))
      return Error{fmt::format(
          "{} say shard {} of {}, and {} shard {} of {}; unset one of them, or say --shard I/N",
          found->from, found->index, found->total, (*said)->from, (*said)->index, (*said)->total)};
    const std::string from = found ? found->from + ", " + (*said)->from : (*said)->from;
    found = **said;
    found->from = from;
    return Ok();
  };
  for (const Pair& pair : kPairs) TRY(take(reader.OfPair(pair)));
  TRY(take(reader.OfSlurm()));
  TRY(take(reader.OfKubernetes()));
  return found;
}

std::string ShardVariables() {
  std::vector<std::string> names;
  for (const Pair& pair : kPairs) names.emplace_back(pair.index);
  names.insert(names.end(), {kSlurm, kKubernetes});
  return JoinOr(names);
}

// FNV-1a, and a last stirring (MurmurHash3's), since ids differ in few bytes and the remainder
// looks at the low bits.
int ShardOf(const std::string& id, int total) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return static_cast<int>((hash ^ (hash >> 33)) % static_cast<uint64_t>(total)) + 1;
}

std::vector<int> BalancedShards(const std::vector<std::string>& ids,
                                const std::map<std::string, double>& milliseconds, int total) {
  std::vector<double> known;
  for (const std::string& id : ids)
    if (const auto found = milliseconds.find(id); found != milliseconds.end())
      known.push_back(found->second);
  std::sort(known.begin(), known.end());
  const size_t half = known.size() / 2;
  const double median = known.empty()           ? 1
                        : known.size() % 2 == 1 ? known[half]
                                                : (known[half - 1] + known[half]) / 2;
  const auto length = [&](size_t i) {
    const auto found = milliseconds.find(ids[i]);
    return found == milliseconds.end() ? median : found->second;
  };
  std::vector<size_t> longest_first(ids.size());
  std::iota(longest_first.begin(), longest_first.end(), size_t{0});
  std::stable_sort(longest_first.begin(), longest_first.end(), [&](size_t a, size_t b) {
    return length(a) != length(b) ? length(a) > length(b) : ids[a] < ids[b];
  });
  // Of those that have the least, the one with fewest cases: durations of 0 spread, too.
  struct Load {
    double length = 0;
    size_t cases = 0;
    int shard = 1;
    auto operator<=>(const Load&) const = default;
  };
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int shard = 1; shard <= total; ++shard) loads.push({0, 0, shard});
  std::vector<int> shards(ids.size());
  for (const size_t i : longest_first) {
    Load least = loads.top();
    loads.pop();
    shards[i] = least.shard;
    loads.push({least.length + length(i), least.cases + 1, least.shard});
  }
  return shards;
}

}  // namespace gpustage
