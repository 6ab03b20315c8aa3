// The parts of a matrix are the whole: every case in one of them, and the same verdicts.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/process.h"
#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

// 10,000 in ten minutes: GPUSTAGE_CELLS=10000 .build/tests/cli/cli_test --gtest_filter='*Shards*'
int Cells() {
  const char* cells = std::getenv("GPUSTAGE_CELLS");
  return cells == nullptr ? 60 : std::max(std::atoi(cells), 10);
}

class Shards : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    WriteMatrix(60);
  }
  // Of every ten cells seven pass, one fails, one fails as expected and one passes unexpectedly;
  // each skips a run, too.
  void WriteMatrix(int cells) const {
    Write("gone.yaml",
          "scanner: gone\nabout: it is not here\nprogram: {path: ./gone}\nat: /bin/gone\nargv: "
          "[/bin/gone]\nfits: nothing\n");
    std::string text =
        "claim: parts are the whole\nmachine: {devices: [h100-80gb]}\nlayout: []\n"
        "runs: [{name: x, scanner: actor}, {name: y, scanner: gone}]\nmatrix:\n  n: {set: env.N, "
        "to: [";
    for (int i = 0; i < cells / 10; ++i) text += (i == 0 ? "" : ", ") + std::to_string(i);
    text += "]}\n  a:\n    set: runs.x.args\n    to:\n";
    for (const char* a : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
      text += std::string("      - {as: ") + a + ", value: [out, " +
              (*a == '7' || *a == '8' ? "nothing" : "GPU") + "]}\n";
    text += "xfail: {reason: a test, when: {a: [8, 9]}}\nexpect: [{devices: 1}]\n";
    Write("s.yaml", text);
  }

  Ran Part(const std::string& report, std::vector<std::string> options) {
    std::vector<std::string> words = {
        "run",       Path("s.yaml"),    "--scanner", Path("actor.yaml"),
        "--scanner", Path("gone.yaml"), "--report",  "json=" + Path(report)};
    words.insert(words.end(), options.begin(), options.end());
    return Run(words);
  }
  json Report(const std::string& name) const { return json::parse(*ReadFile(Path(name))); }
  // (id, run) -> verdict
  static std::map<std::pair<std::string, std::string>, std::string> Verdicts(const json& report) {
    std::map<std::pair<std::string, std::string>, std::string> verdicts;
    for (const json& run : report["cases"]) {
      const bool is_new = verdicts.emplace(std::pair(run["id"], run["run"]), run["verdict"]).second;
      EXPECT_TRUE(is_new) << run["id"];
    }
    return verdicts;
  }
};

TEST_F(Shards, OfAMatrixHaveTheVerdictsOfOneRun) {
  WriteMatrix(Cells());
  EXPECT_EQ(Part("whole.json", {}).status, 1);
  const json whole = Report("whole.json");
  const int cells = Cells() / 10 * 10;
  EXPECT_EQ(whole["totals"]["pass"], cells / 10 * 7);
  EXPECT_EQ(whole["totals"]["fail"], cells / 10);
  EXPECT_EQ(whole["totals"]["xfail"], cells / 10);
  EXPECT_EQ(whole["totals"]["xpass"], cells / 10);
  EXPECT_EQ(whole["totals"]["skip"], cells);

  auto missing = Verdicts(whole);
  std::map<std::string, int> totals;
  for (int i = 1; i <= 4; ++i) {
    const std::string shard = std::to_string(i) + "/4";
    const Ran ran = Part("part" + std::to_string(i) + ".json", {"--shard", shard});
    EXPECT_THAT(ran.out, StartsWith("shard " + std::to_string(i) + " of 4: "));
    const json part = Report("part" + std::to_string(i) + ".json");
    for (const auto& [run, verdict] : Verdicts(part)) {
      const auto same = missing.find(run);
      ASSERT_NE(same, missing.end()) << run.first << " ran in two shards, or is none of the cases";
      EXPECT_EQ(same->second, verdict) << run.first;
      missing.erase(same);
    }
    for (const auto& [verdict, count] : part["totals"].items()) totals[verdict] += count.get<int>();
  }
  EXPECT_TRUE(missing.empty()) << missing.begin()->first.first << " ran in no shard";
  const Ran merged = Run({"merge", Path("part1.json"), Path("part2.json"), Path("part3.json"),
                          Path("part4.json"), "--report", "json=" + Path("merged.json")});
  EXPECT_EQ(merged.status, 1) << merged.err;
  EXPECT_EQ(Verdicts(Report("merged.json")), Verdicts(whole));
  EXPECT_EQ(Report("merged.json")["totals"], whole["totals"]);
  for (const auto& [verdict, count] : whole["totals"].items())
    EXPECT_EQ(totals[verdict], count) << verdict;
}

// A report says how long each case took; the shards of the next run are divided by it.
TEST_F(Shards, AreBalancedByAnEarlierReport) {
  json before = {{"version", 1}, {"cases", json::array()}};
  for (int n = 0; n < 4; ++n)
    for (int a = 0; a < 10; ++a)
      before["cases"].push_back({{"id", "s@a=" + std::to_string(a) + ",n=" + std::to_string(n)},
                                 {"run", "x"},
                                 {"duration_ms", a == 0 && n == 0 ? 1000 : 1}});
  Write("before.json", before.dump());
  std::multiset<size_t> sizes;
  for (const char* shard : {"1/2", "2/2"}) {
    const Ran ran = Run({"list", Path("s.yaml"), "--scanner", Path("actor.yaml"), "--scanner",
                         Path("gone.yaml"), "--format", "names", "--shard", shard, "--balance",
                         Path("before.json")});
    EXPECT_THAT(ran.err, HasSubstr("balanced by " + Path("before.json") +
                                   " (20 of the cases are not in it)"));
    sizes.insert(static_cast<size_t>(std::count(ran.out.begin(), ran.out.end(), '\n')));
  }
  EXPECT_EQ(sizes, (std::multiset<size_t>{1, 59}))
      << "the long one alone, since all others together are shorter";
}

TEST_F(Shards, AnEmptyOneIsNoError) {
  const Ran ran = Run({"run", Path("s.yaml"), "--scanner", Path("actor.yaml"), "--scanner",
                       Path("gone.yaml"), "--filter", "s@a=0,n=0 x", "--shard", "1/2"});
  const Ran other = Run({"run", Path("s.yaml"), "--scanner", Path("actor.yaml"), "--scanner",
                         Path("gone.yaml"), "--filter", "s@a=0,n=0 x", "--shard", "2/2"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_THAT(ran.out + other.out, HasSubstr(": 0 of 1 cases\n"));
  EXPECT_THAT(ran.out + other.out, HasSubstr(": 1 of 1 cases\n"));
}

// A value that is wrong only beside another is found before anything runs.
TEST_F(Shards, NothingRunsWhereACombinationIsWrong) {
  Write("s.yaml",
        "claim: c\nlayout: []\nmachine: {devices: [h100-80gb]}\nruns: [{name: x, scanner: actor, "
        "args: [out, GPU]}]\nmatrix:\n"
        "  d: {set: machine.devices, to: [{as: two, value: [h100-80gb, {profile: h100-80gb}]}, "
        "{as: one, value: [h100-80gb]}]}\n"
        "  m: {set: machine.devices.1.memory_total, to: [1024, 2048]}\n  exclude: [{d: one, m: "
        "1024}]\nexpect: [{devices: 1}]\n");
  const Ran ran = Run({"run", Path("s.yaml"), "--scanner", Path("actor.yaml")});
  EXPECT_EQ(ran.status, 2) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("s.yaml:"));
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace gpustage
