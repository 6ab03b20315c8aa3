// gpustage list: its formats, shards from the environment, and how little it needs for a large
// matrix.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ListTest : public CliTest {
 protected:
  // What follows is the matrix.
  void Matrix(const std::string& matrix) const {
    Write("s.yaml",
          "claim: c\nlayout: []\nmachine: {devices: [h100-80gb]}\nruns: [{name: x, scanner: "
          "actor}]\nexpect: [{devices: 1}]\nmatrix:\n" +
              matrix);
  }
  std::vector<std::string> Words(std::vector<std::string> options) const {
    std::vector<std::string> words = {"list", Path("s.yaml"), "--scanner", Path("actor.yaml")};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
  Ran List(std::vector<std::string> options) const { return Run(Words(std::move(options))); }
};

constexpr char kSmall[] =
    "  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q], default: p}\n";

TEST_F(ListTest, TextHasTheClaimOnceAndRunsOfEachCase) {
  Matrix(kSmall);
  EXPECT_EQ(List({}).out, "s  c\n  s@a=x  [x]\n  s@a=x,b=q  [x]\n  s@a=y  [x]\n  s@a=y,b=q  [x]\n");
}

TEST_F(ListTest, NamesAreForOtherPrograms) {
  Matrix(kSmall);
  EXPECT_EQ(List({"--format", "names", "--filter", "a=y"}).out, "s@a=y\ns@a=y,b=q\n");
}

TEST_F(ListTest, JsonHasAllThatIsKnownOfACaseBeforeItRuns) {
  Matrix(kSmall);
  const json list = json::parse(List({"--format", "json"}).out);
  EXPECT_EQ(list["version"], 1);
  ASSERT_EQ(list["cases"].size(), 4u);
  EXPECT_EQ(list["cases"][1], (json{{"id", "s@a=x,b=q"},
                                    {"scenario", "s"},
                                    {"file", Path("s.yaml")},
                                    {"claim", "c"},
                                    {"axes", {{"a", "x"}, {"b", "q"}}},
                                    {"runs", {"x"}}}));
}

// https://docs.github.com: strategy.matrix.include is a list of objects, and upload-artifact takes
// no '/' in a name.
TEST_F(ListTest, GithubMatrixIsAJobAShard) {
  Matrix(kSmall);
  EXPECT_EQ(
      json::parse(List({"--format", "github-matrix", "--shards", "2"}).out),
      json::parse(R"({"include": [{"index": 1, "shard": "1/2"}, {"index": 2, "shard": "2/2"}]})"));
  EXPECT_THAT(List({"--format", "github-matrix"}).err, HasSubstr("needs --shards N"));
  EXPECT_THAT(List({"--format", "github-matrix", "--shards", "257"}).err,
              HasSubstr("256 jobs at most"));
  EXPECT_EQ(List({"--format", "github-matrix", "--shards", "2", "--shard", "1/2"}).status, 2);
}

TEST_F(ListTest, CoverageSaysWhatCannotBeAndWhy) {
  Matrix(
      "  a: {set: env.A, to: [whole, gone], broken: gone}\n  b: {set: env.B, to: [whole, cut], "
      "broken: cut}\n"
      "  c: {set: env.C, to: [k, l]}\n  cover: pairwise\n  exclude: [{b: cut, c: l}]\n  "
      "constraints: [{if: {a: gone}, then: {c: k}}]\n");
  const Ran text = List({});
  EXPECT_THAT(
      text.out,
      HasSubstr("coverage of s: 3 cells have 9 of 9 pairs that can be (pairwise, seed 1)\n"));
  EXPECT_THAT(text.out, HasSubstr("  1 pair cannot be, both are broken, and one would mask the "
                                  "other: a=gone with b=cut\n"));
  EXPECT_THAT(text.out, HasSubstr("  1 pair cannot be, excluded at " + Path("s.yaml") +
                                  ":11:13: b=cut with c=l\n"));
  EXPECT_THAT(text.out, HasSubstr("  1 pair cannot be, ruled out at " + Path("s.yaml") +
                                  ":12:17: a=gone with c=l\n"));
  const json list = json::parse(List({"--format", "json"}).out);
  EXPECT_EQ(list["coverage"][0]["pairs"], 9);
  EXPECT_EQ(list["coverage"][0]["covered"], 9);
  EXPECT_EQ(list["coverage"][0]["cells"], list["cases"].size());
  EXPECT_EQ(list["coverage"][0]["ruled_out"].size(), 3u);
}

TEST_F(ListTest, ShardsOnlyWhenAsked) {
  Matrix(kSmall);
  environment_["GTEST_SHARD_INDEX"] = "0";
  environment_["GTEST_TOTAL_SHARDS"] = "100";
  EXPECT_THAT(List({}).out, StartsWith("s  c\n  s@a=x  ["));
  EXPECT_THAT(List({"--shard", "auto"}).out,
              StartsWith("shard 1 of 100 (GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS): "));
  environment_["CI_NODE_INDEX"] = environment_["CI_NODE_TOTAL"] = "2";
  const Ran ran = List({"--shard", "auto"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("unset one of them"));
}

TEST_F(ListTest, SaysThatItIsNoShardWhereNothingSaysSo) {
  Matrix(kSmall);
  EXPECT_THAT(List({"--shard", "auto"}).out,
              StartsWith("not a shard: all 4 cases; none of GTEST_SHARD_INDEX, "));
}

TEST_F(ListTest, TouchesTheFileThatBazelLooksFor) {
  Matrix(kSmall);
  environment_.insert({{"TEST_SHARD_INDEX", "1"},
                       {"TEST_TOTAL_SHARDS", "2"},
                       {"TEST_SHARD_STATUS_FILE", Path("status")}});
  EXPECT_THAT(List({}).out, EndsWith("[x]\n"));
  EXPECT_FALSE(FileExists(Path("status"))) << "it did not shard";
  EXPECT_THAT(List({"--shard", "auto"}).out,
              StartsWith("shard 2 of 2 (TEST_SHARD_INDEX and TEST_TOTAL_SHARDS): "));
  EXPECT_TRUE(FileExists(Path("status")));
  environment_["TEST_SHARD_STATUS_FILE"] = Path("no/such/status");
  EXPECT_EQ(List({"--shard", "auto"}).status, 2);
}

TEST_F(ListTest, MachineFormatsKeepTheirOutputClean) {
  Matrix(kSmall);
  const Ran ran = List({"--format", "json", "--shard", "1/2"});
  EXPECT_TRUE(json::accept(ran.out)) << ran.out;
  EXPECT_THAT(ran.err, StartsWith("shard 1 of 2: "));
}

TEST_F(ListTest, BadReportToBalanceByIsNamed) {
  Matrix(kSmall);
  const auto list = [&](const std::string& report) {
    Write("r.json", report);
    return List({"--shard", "1/2", "--balance", Path("r.json")});
  };
  EXPECT_THAT(list("{").err,
              HasSubstr("r.json\" is no JSON report of gpustage run: it is no JSON object"));
  EXPECT_THAT(list("{}").err, HasSubstr("it has no \"cases\""));
  EXPECT_THAT(list("{\"cases\": [{}]}").err, HasSubstr("a case has no \"id\""));
  EXPECT_THAT(list("{\"cases\": [{\"id\": \"s\"}]}").err,
              HasSubstr("a case has no \"duration_ms\""));
  EXPECT_EQ(List({"--balance", Path("r.json")}).status, 2);
  EXPECT_EQ(List({"--shards", "2"}).status, 2);
}

TEST_F(ListTest, ValueThatIsWrongIsFoundWithoutReadingEveryCell) {
  Matrix("  a: {set: env.A, to: [x, y]}\n  c: {set: machine.cuda, to: [12.8, new]}\n");
  const Ran ran = List({});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("s.yaml:8:37: expected a CUDA version such as 12.8, got \"new\""));
}

// Peak memory of the child, as the kernel counted it.
TEST_F(ListTest, HundredThousandCellsTakeLittleMemory) {
  std::string matrix;
  for (const char* axis : {"a", "b", "c", "d", "e"})
    matrix += "  " + std::string(axis) + ": {set: env.V" + axis +
              ", to: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}\n";
  Matrix(matrix);
  for (const std::vector<std::string>& options : {std::vector<std::string>{},
                                                  {"--format", "json"},
                                                  {"--filter", "a=3", "--format", "names"},
                                                  {"--shard", "3/7", "--format", "names"}}) {
    std::vector<std::string> words = Words(options);
    words.insert(words.begin(), GPUSTAGE_PROGRAM);
    const pid_t child = Start(words, environment_, scratch_.path());
    int status = 0;
    rusage used = {};
    ASSERT_EQ(wait4(child, &status, 0, &used), child);
    EXPECT_EQ(status, 0) << WholeFile(Path("err"));
    const std::string out = WholeFile(Path("out"));
    const auto lines = std::count(out.begin(), out.end(), '\n');
    EXPECT_GE(lines, options.size() == 4 && options[0] != "--format" ? 10000 : 100000);
    EXPECT_LT(used.ru_maxrss, 100 * 1024) << "KiB";
    RecordProperty("peak_kib", static_cast<int>(used.ru_maxrss));
  }
}

}  // namespace
}  // namespace gpustage
