#include "harness/suite/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::Each;

Result<std::optional<Shard>> Found(const std::map<std::string, std::string>& variables,
                                   int total = 0) {
  return ShardOfEnvironment(
      [&](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      total);
}

MATCHER_P2(IsShard, index, total,
           "is shard " + std::to_string(index) + " of " + std::to_string(total)) {
  return arg.ok() && *arg && (*arg)->index == index && (*arg)->total == total;
}
MATCHER(IsNoShard, "is no shard") { return arg.ok() && !*arg; }

TEST(ParseShard, CountsFromOne) {
  EXPECT_THAT(ParseShard("1/1"), IsOkAnd(Shard{1, 1, ""}));
  EXPECT_THAT(ParseShard("4/4"), IsOkAnd(Shard{4, 4, ""}));
  for (const char* wrong : {"", "1", "/", "1/", "/2", "0/2", "3/2", "-1/2", "1/2/3", "1 /2", "a/b",
                            "1/0", "99999999999/1"})
    EXPECT_THAT(ParseShard(wrong),
                FailsWith("expected --shard I/N, I from 1 to N, or auto, got \"" +
                          std::string(wrong) + "\""));
}

TEST(ShardOfEnvironment, NothingSaidIsNoShard) {
  EXPECT_THAT(Found({}), IsNoShard());
  EXPECT_THAT(Found({{"GTEST_SHARD_INDEX", ""}, {"GTEST_TOTAL_SHARDS", ""}}), IsNoShard());
  // GitLab says so in a job that is not parallel.
  EXPECT_THAT(Found({{"CI_NODE_TOTAL", "1"}}), IsNoShard());
}

TEST(ShardOfEnvironment, EachCountsInItsOwnWay) {
  EXPECT_THAT(Found({{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "3"}}), IsShard(1, 3));
  EXPECT_THAT(Found({{"TEST_SHARD_INDEX", "2"}, {"TEST_TOTAL_SHARDS", "3"}}), IsShard(3, 3));
  EXPECT_THAT(Found({{"CI_NODE_INDEX", "3"}, {"CI_NODE_TOTAL", "3"}}), IsShard(3, 3));
  EXPECT_THAT(Found({{"JOB_COMPLETION_INDEX", "7"}}, 8), IsShard(8, 8));
}

std::map<std::string, std::string> Slurm(const char* id, const char* min, const char* max,
                                         const char* count) {
  return {{"SLURM_ARRAY_TASK_ID", id},
          {"SLURM_ARRAY_TASK_MIN", min},
          {"SLURM_ARRAY_TASK_MAX", max},
          {"SLURM_ARRAY_TASK_COUNT", count}};
}

// The arrays are those of Slurm's own page on job arrays: 0-31, 1,3,5,7, and 1-7:2, which is the
// same.
TEST(ShardOfEnvironment, TasksOfASlurmArrayMayHaveAStep) {
  EXPECT_THAT(Found(Slurm("0", "0", "31", "32")), IsShard(1, 32));
  EXPECT_THAT(Found(Slurm("31", "0", "31", "32")), IsShard(32, 32));
  EXPECT_THAT(Found(Slurm("5", "1", "7", "4")), IsShard(3, 4));
  EXPECT_THAT(Found(Slurm("9", "9", "9", "1")), IsShard(1, 1));
  EXPECT_THAT(Found(Slurm("2", "1", "7", "3")),
              FailsWith("the tasks of the Slurm array (3 of them from 1 to 7) are not evenly "
                        "spaced, so SLURM_ARRAY_TASK_ID 2 is no shard"));
  EXPECT_THAT(Found(Slurm("2", "1", "7", "5")), testing::Not(IsOk()));
  EXPECT_THAT(
      Found({{"SLURM_ARRAY_TASK_ID", "1"}}),
      FailsWith(
          "SLURM_ARRAY_TASK_ID is set, and SLURM_ARRAY_TASK_MIN, _MAX and _COUNT are not all"));
}

TEST(ShardOfEnvironment, WhatCannotBeAShardIsAnError) {
  EXPECT_THAT(Found({{"JOB_COMPLETION_INDEX", "0"}}),
              FailsWith("JOB_COMPLETION_INDEX says which shard and not of how many; add --shards "
                        "N, the job's completions"));
  EXPECT_THAT(Found({{"JOB_COMPLETION_INDEX", "8"}}, 8),
              FailsWith("JOB_COMPLETION_INDEX is 8, which is none of 8 shards"));
  EXPECT_THAT(Found({{"GTEST_SHARD_INDEX", "1"}}),
              FailsWith("GTEST_SHARD_INDEX is set and GTEST_TOTAL_SHARDS is not"));
  EXPECT_THAT(Found({{"CI_NODE_TOTAL", "4"}}),
              FailsWith("CI_NODE_TOTAL is set and CI_NODE_INDEX is not"));
  EXPECT_THAT(Found({{"CI_NODE_INDEX", "0"}, {"CI_NODE_TOTAL", "4"}}),
              FailsWith("CI_NODE_INDEX is 0, which is none of 4 shards"));
  EXPECT_THAT(Found({{"TEST_SHARD_INDEX", "one"}, {"TEST_TOTAL_SHARDS", "4"}}),
              FailsWith("TEST_SHARD_INDEX is \"one\", which is no whole number"));
  EXPECT_THAT(Found({{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "3"}}, 4),
              FailsWith("--shards says 4 and GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS say 3"));
}

TEST(ShardOfEnvironment, TwoMustAgree) {
  std::map<std::string, std::string> both = {{"GTEST_SHARD_INDEX", "0"},
                                             {"GTEST_TOTAL_SHARDS", "3"},
                                             {"TEST_SHARD_INDEX", "0"},
                                             {"TEST_TOTAL_SHARDS", "3"}};
  EXPECT_THAT(Found(both), IsShard(1, 3));
  both["TEST_SHARD_INDEX"] = "1";
  EXPECT_THAT(Found(both), FailsWith("GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS say shard 1 of 3, "
                                     "and TEST_SHARD_INDEX and TEST_TOTAL_SHARDS shard 2 of 3; "
                                     "unset one of them, or say --shard I/N"));
}

// A case stays in its shard for good: what ran where last month can be found again. Values by
// another program, from FNV-1a's and MurmurHash3's published constants.
TEST(ShardOf, IsTheSameEverywhere) {
  EXPECT_EQ(ShardOf("", 1000), 343);
  EXPECT_EQ(ShardOf("first-steps/healthy", 1000), 941);
  EXPECT_EQ(ShardOf("first-steps/links@link=chained,stack=ggml-12", 1000), 367);
}

TEST(ShardOf, SpreadsIdsThatDifferLittle) {
  std::vector<int> sizes(7, 0);
  for (int i = 0; i < 7000; ++i)
    ++sizes[static_cast<size_t>(ShardOf("folder/file@a=x,n=" + std::to_string(i), 7)) - 1];
  EXPECT_THAT(sizes, Each(testing::AllOf(testing::Gt(850), testing::Lt(1150))));
}

std::vector<double> Loads(const std::vector<std::string>& ids,
                          const std::map<std::string, double>& lengths, int total,
                          double unknown = 0) {
  const std::vector<int> shards = BalancedShards(ids, lengths, total);
  std::vector<double> loads(static_cast<size_t>(total), 0);
  for (size_t i = 0; i < ids.size(); ++i)
    loads[static_cast<size_t>(shards[i]) - 1] +=
        lengths.contains(ids[i]) ? lengths.at(ids[i]) : unknown;
  return loads;
}

TEST(BalancedShards, TakeAboutAsLong) {
  // 12 each is the best that there is; the longest first gives no more than 4/3 of it (Graham,
  // 1969).
  const std::map<std::string, double> lengths = {{"a", 7}, {"b", 7}, {"c", 6}, {"d", 6}, {"e", 5},
                                                 {"f", 5}, {"g", 4}, {"h", 4}, {"i", 4}};
  std::vector<std::string> ids;
  for (const auto& [id, length] : lengths) ids.push_back(id);
  const std::vector<double> loads = Loads(ids, lengths, 4);
  EXPECT_EQ(std::accumulate(loads.begin(), loads.end(), 0.0), 48);
  EXPECT_LE(*std::max_element(loads.begin(), loads.end()), 12 * 4.0 / 3);
}

TEST(BalancedShards, DoNotDependOnTheOrderOfTheCases) {
  const std::map<std::string, double> lengths = {{"a", 3}, {"b", 3}, {"c", 2}, {"d", 2}, {"e", 2}};
  const std::vector<std::string> ids = {"a", "b", "c", "d", "e"},
                                 reversed = {"e", "d", "c", "b", "a"};
  std::vector<int> shards = BalancedShards(reversed, lengths, 2);
  std::reverse(shards.begin(), shards.end());
  EXPECT_EQ(BalancedShards(ids, lengths, 2), shards);
}

TEST(BalancedShards, AnUnknownCaseTakesTheMedian) {
  // 10 and the unknown 4 against 4, 4 and the other unknown 4: with 0 for them, 10 would stand
  // alone against 8.
  EXPECT_THAT(Loads({"a", "b", "c", "u", "v"}, {{"a", 10}, {"b", 4}, {"c", 4}}, 2, 4),
              testing::UnorderedElementsAre(14, 12));
}

TEST(BalancedShards, WithoutAnyDurationAreOfOneSize) {
  std::vector<int> shards = BalancedShards({"a", "b", "c", "d", "e", "f"}, {}, 3);
  EXPECT_THAT(shards, testing::UnorderedElementsAre(1, 1, 2, 2, 3, 3));
  shards = BalancedShards({"a", "b", "c", "d"}, {{"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}}, 2);
  EXPECT_THAT(shards, testing::UnorderedElementsAre(1, 1, 2, 2));
}

}  // namespace
}  // namespace gpustage
