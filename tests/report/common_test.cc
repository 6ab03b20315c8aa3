#include "harness/report/common.h"

#include <gmock/gmock.h>

#include "tests/report/whole_report.h"

namespace gpustage {
namespace {

struct Axes {
  const char* mask;
  const char* gpu;
  const char* driver;
};

ReportedRun Cell(const Axes& axes, bool bad) {
  ReportedRun run;
  run.scenario = "ci/cells";
  run.axes = {{"mask", axes.mask}, {"gpu", axes.gpu}, {"driver", axes.driver}};
  run.id = std::string("ci/cells@") + axes.mask + axes.gpu + axes.driver;
  run.run = "ggml";
  run.verdict = bad ? VerdictKind::kFail : VerdictKind::kPass;
  return run;
}

// All cells of three axes; those fail of which `fails` says so.
template <typename Fails>
std::vector<ReportedRun> Cells(Fails fails) {
  std::vector<ReportedRun> runs;
  for (const char* mask : {"0", "1", "none"})
    for (const char* gpu : {"one", "two"})
      for (const char* driver : {"535", "550", "580"})
        runs.push_back(Cell({mask, gpu, driver}, fails(Axes{mask, gpu, driver})));
  return runs;
}

std::vector<Common> In(const std::vector<ReportedRun>& runs) {
  const Result<std::vector<Common>> all = CommonOf(RunsInMemory(runs));
  return all ? *all : std::vector<Common>{};
}

template <typename Fails>
std::string SentenceOf(Fails fails) {
  const std::vector<Common> all = In(Cells(fails));
  return all.size() == 1 ? CommonSentence(all[0]) : "none";
}

bool Is(const char* a, std::string_view b) { return a == b; }

TEST(CommonOf, FindsTheOneValue) {
  EXPECT_EQ(SentenceOf([](const Axes& a) { return Is(a.mask, "1"); }),
            "all 6 failing runs have mask=1; none of the 12 others have");
}

TEST(CommonOf, FindsOneOfSeveralValues) {
  EXPECT_EQ(SentenceOf([](const Axes& a) { return Is(a.mask, "1") || Is(a.gpu, "two"); }),
            "all 12 failing runs have gpu=two, or mask=1; none of the 6 others have");
}

TEST(CommonOf, FindsTwoValuesTogether) {
  EXPECT_EQ(SentenceOf([](const Axes& a) { return Is(a.mask, "1") && Is(a.gpu, "two"); }),
            "all 3 failing runs have gpu=two and mask=1; none of the 15 others have");
}

TEST(CommonOf, SaysHowManyOthersHaveTheNearestValue) {
  int place = 0;  // every other one of one driver, and one more
  EXPECT_EQ(SentenceOf([&](const Axes& a) {
              ++place;
              return (Is(a.driver, "580") && !Is(a.mask, "0")) || place == 1;
            }),
            "4 of 5 failing runs have driver=580; 2 of the 13 others have");
}

TEST(CommonOf, DoesNotMakeAListOfTheCellsOutOfThem) {
  int place = 0;
  EXPECT_EQ(SentenceOf([&](const Axes&) {
              ++place;
              return place == 1 || place == 18;
            }),
            "none");
}

TEST(CommonOf, SaysNothingOfASingleFailure) {
  int place = 0;
  EXPECT_EQ(SentenceOf([&](const Axes&) { return ++place == 4; }), "none");
}

TEST(CommonOf, SaysThatAllFail) {
  EXPECT_EQ(SentenceOf([](const Axes&) { return true; }), "all 18 runs of it fail");
}

TEST(CommonOf, TakesTheRunForAnAxisAndLeavesSkipsOut) {
  std::vector<ReportedRun> runs = Cells([](const Axes&) { return false; });
  for (ReportedRun run : Cells([](const Axes&) { return true; })) {
    run.run = "ollama";
    runs.push_back(run);
  }
  runs.push_back(Cell({"1", "one", "skipped"}, false));
  runs.back().verdict = VerdictKind::kSkip;
  const std::vector<Common> all = In(runs);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(CommonSentence(all[0]),
            "all 18 failing runs have run=ollama; none of the 18 others have");
}

TEST(CommonOf, CountsTheLossThatMostOfThemHave) {
  std::vector<ReportedRun> runs = Cells([](const Axes& a) { return Is(a.mask, "1"); });
  for (ReportedRun& run : runs)
    if (run.verdict == VerdictKind::kFail && run.axes["gpu"] == "two") {
      run.lost_at = "loaded";
      run.funnel.push_back({"/usr/lib/libcuda.so.1", 2, "serve", "LOST at loaded", "opened",
                            "loaded", "it is not there", "not-found", "", false});
    }
  const std::vector<Common> all = In(runs);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(CommonText(all), testing::HasSubstr("3 of 6: libcuda.so.1 lost at \"loaded\""));
}

}  // namespace
}  // namespace gpustage
