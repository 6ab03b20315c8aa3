// Totals, shards as one run, what changed since a baseline, and runs that were started more than once.
#include "tests/report/full_report.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReportedRun RunOf(const std::string& id, VerdictKind verdict) {
  ReportedRun run;
  run.id = id;
  run.run = "ggml";
  run.verdict = verdict;
  return run;
}
ReportedRun WithDevice(ReportedRun run, const std::string& uuid, const std::string& library, const std::string& path) {
  ReportedDevice device;
  device.uuid = uuid;
  device.library = library;
  device.library_path = path;
  if (!run.devices) run.devices.emplace();
  run.devices->push_back(device);
  return run;
}
Report Of(std::vector<ReportedRun> runs) {
  Report report;
  report.runs = std::move(runs);
  return report;
}
constexpr auto kPass = VerdictKind::kPass, kFail = VerdictKind::kFail, kSkip = VerdictKind::kSkip;

TEST(Totals, CountEveryKind) {
  const Totals totals = Count(FullReport().runs);
  EXPECT_EQ(totals, (Totals{1, 1, 2, 1, 1, 2, 1}));
  EXPECT_EQ(totals.All(), 9);
  EXPECT_TRUE(totals.Bad());
  EXPECT_FALSE(Count({}).Bad());
}

TEST(ExitStatus, IsThatOfTheVerdicts) {
  EXPECT_EQ(ExitStatus(Of({RunOf("a", kPass), RunOf("b", kSkip), RunOf("c", VerdictKind::kXfail)})), 0);
  EXPECT_EQ(ExitStatus(Of({RunOf("a", kSkip)})), 0);
  for (const auto bad : {kFail, VerdictKind::kXpass, VerdictKind::kError, VerdictKind::kFlaky}) EXPECT_EQ(ExitStatus(Of({RunOf("a", kPass), RunOf("b", bad)})), 1);
}

TEST(ExitStatus, TellsAMissingScannerFromARunOfNothing) {
  Report report = Of({RunOf("a", kSkip)});
  report.problems = {{"require", "ollama is required: no ollama here"}};
  EXPECT_EQ(ExitStatus(report), 77);
  report.runs.push_back(RunOf("b", kPass));
  EXPECT_EQ(ExitStatus(report), 1);
  report = Of({RunOf("a", kSkip)});
  report.problems = {{"deadline", "the deadline of 1 s passed"}};
  EXPECT_EQ(ExitStatus(report), 1);
}

TEST(ExitStatus, WithABaselineIsThatOfWhatGotWorse) {
  Report report = Of({RunOf("a", kFail)});
  report.baseline = ChangesSince({RunOf("a", kFail)}, "old.json", report.runs);
  EXPECT_EQ(ExitStatus(report), 0);
  report.baseline = ChangesSince({RunOf("a", kPass)}, "old.json", report.runs);
  EXPECT_EQ(ExitStatus(report), 1);
}

TEST(Merge, IsOneRunOfAllCases) {
  Report a = Of({RunOf("c", kPass), RunOf("a", kFail)}), b = Of({RunOf("b", kSkip)});
  a.seconds = 2;
  b.seconds = 3;
  const auto merged = Merge({{"a.json", a}, {"b.json", b}});
  ASSERT_THAT(merged, IsOk());
  std::vector<std::string> ids;
  for (const ReportedRun& run : merged->runs) ids.push_back(run.id);
  EXPECT_THAT(ids, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Count(merged->runs), (Totals{1, 1, 1}));
  EXPECT_EQ(merged->reports, 2);
  EXPECT_EQ(merged->seconds, 5);
  EXPECT_EQ(ExitStatus(*merged), 1);
}

TEST(Merge, OfMergedReportsCountsTheirShards) {
  const auto two = Merge({{"a", Of({RunOf("a", kPass)})}, {"b", Of({RunOf("b", kPass)})}});
  EXPECT_EQ(Merge({{"ab", *two}, {"c", Of({RunOf("c", kPass)})}})->reports, 3);
}

// Taking one of them would hide the other's verdict.
TEST(Merge, RefusesARunThatTwoReportsHave) {
  EXPECT_THAT(Merge({{"a.json", Of({RunOf("x", kPass)})}, {"b.json", Of({RunOf("x", kPass)})}}),
              FailsWith("x [ggml] is in a.json and in b.json: these are no shards of one run"));
}

TEST(Merge, KeepsEachProblemOnce) {
  Report a = Of({RunOf("a", kPass)}), b = Of({RunOf("b", kPass)});
  a.problems = b.problems = {{"require", "ollama is required: no ollama here"}};
  const auto merged = Merge({{"a", a}, {"b", b}});
  EXPECT_EQ(merged->problems, a.problems);
  EXPECT_EQ(ExitStatus(*merged), 1);
}

TEST(Merge, JoinsWhatShardsSayOfABaseline) {
  const std::vector<ReportedRun> before = {RunOf("a", kPass), RunOf("b", kFail), RunOf("c", kPass)};
  Report a = Of({RunOf("a", kFail)}), b = Of({RunOf("b", kPass)});
  a.baseline = ChangesSince(before, "old.json", a.runs);
  b.baseline = ChangesSince(before, "old.json", b.runs);
  const auto merged = Merge({{"a", a}, {"b", b}});
  EXPECT_EQ(*merged->baseline, ChangesSince(before, "old.json", {a.runs[0], b.runs[0]}));
  EXPECT_THAT(merged->baseline->not_run, ElementsAre("c [ggml]"));
  b.baseline.reset();
  EXPECT_THAT(Merge({{"a", a}, {"b", b}}), FailsWith("one of a and b was held against a baseline, and the other was not"));
}

TEST(Baseline, NamesWhatChanged) {
  const BaselineChanges changes = ChangesSince({RunOf("breaks", kPass), RunOf("heals", kFail), RunOf("stays", kFail), RunOf("goes", kPass), RunOf("skipped", kPass)},
                                               "old.json", {RunOf("breaks", kFail), RunOf("heals", kPass), RunOf("stays", VerdictKind::kFlaky), RunOf("new", kFail),
                                                            RunOf("skipped", kSkip), RunOf("fresh", kPass)});
  EXPECT_THAT(changes.newly_failing, ElementsAre("breaks [ggml]", "new [ggml]"));
  EXPECT_THAT(changes.newly_passing, ElementsAre("heals [ggml]"));
  EXPECT_THAT(changes.still_failing, ElementsAre("stays [ggml]"));
  EXPECT_THAT(changes.not_run, ElementsAre("goes [ggml]", "skipped [ggml]"));
  EXPECT_TRUE(changes.Worse());
}

TEST(Baseline, OfTheSameIsNoChange) {
  std::vector<ReportedRun> runs = FullReport().runs;  // two of the skips have the name of another run
  std::erase_if(runs, [](const ReportedRun& run) { return run.verdict == kSkip; });
  const BaselineChanges changes = ChangesSince(runs, "old.json", runs);
  EXPECT_THAT(changes.newly_failing, IsEmpty());
  EXPECT_THAT(changes.moved, IsEmpty());
  EXPECT_THAT(changes.newly_silent, IsEmpty());
  EXPECT_FALSE(changes.Worse());
}

TEST(Baseline, SeesADeviceThatAnotherBackendReports) {
  const ReportedRun cuda = WithDevice(RunOf("a", kPass), "GPU-1", "CUDA", "/v12/cuda.so");
  const ReportedRun other = WithDevice(RunOf("a", kPass), "GPU-1", "CUDA", "/v13/cuda.so");
  EXPECT_THAT(ChangesSince({cuda}, "old", {other}).moved, ElementsAre(MovedDevice{"a [ggml]", "GPU-1", "CUDA, /v12/cuda.so", "CUDA, /v13/cuda.so"}));
  // The order in which devices are reported is none of it, nor is a device that is gone: the expectation tells of that.
  const ReportedRun two = WithDevice(cuda, "GPU-2", "CUDA", "/v12/cuda.so");
  const ReportedRun turned = WithDevice(WithDevice(RunOf("a", kPass), "GPU-2", "CUDA", "/v12/cuda.so"), "GPU-1", "CUDA", "/v12/cuda.so");
  EXPECT_THAT(ChangesSince({two}, "old", {turned}).moved, IsEmpty());
  EXPECT_THAT(ChangesSince({two}, "old", {cuda}).moved, IsEmpty());
}

TEST(Baseline, SeesASilenceThatWasNone) {
  ReportedRun loud = RunOf("a", kPass), silent = RunOf("a", kPass);
  loud.silent_failure = false;
  silent.silent_failure = true;
  EXPECT_THAT(ChangesSince({loud}, "old", {silent}).newly_silent, ElementsAre("a [ggml]"));
  EXPECT_TRUE(ChangesSince({loud}, "old", {silent}).Worse());
  EXPECT_FALSE(ChangesSince({silent}, "old", {silent}).Worse());
  EXPECT_FALSE(ChangesSince({silent}, "old", {loud}).Worse());
}

TEST(Combine, OfTheSameAnswersIsThatAnswer) {
  ReportedRun run = RunOf("a", kPass);
  run.device_count = 1;
  const Repeated repeated = Combine({run, run, run});
  EXPECT_EQ(repeated.run.verdict, kPass);
  EXPECT_THAT(repeated.run.answers, ElementsAre(RepeatedAnswer{3, "pass", 1, std::nullopt}));
  EXPECT_THAT(Combine({run}).run, run);
}

TEST(Combine, SaysWhatDiffersAndHowOften) {
  ReportedRun good = RunOf("a", kPass), bad = RunOf("a", kFail);
  good.device_count = 1;
  bad.device_count = 0;
  bad.lost_at = "opened";
  const Repeated repeated = Combine({good, bad, good});
  EXPECT_EQ(repeated.run.verdict, VerdictKind::kFlaky);
  EXPECT_EQ(repeated.start, 1u);
  EXPECT_EQ(repeated.run.because,
            "in 3 starts the verdict, the number of devices and where a device is lost differ: 2 × pass, 1 device; 1 × fail, 0 devices, lost at \"opened\"");
}

// Both are as expected, and still something is left to chance.
TEST(Combine, TakesPassesThatDifferForFlaky) {
  ReportedRun one = RunOf("a", kPass), two = RunOf("a", kPass);
  one.device_count = 1;
  two.device_count = 2;
  EXPECT_EQ(Combine({one, two}).run.because, "in 2 starts the number of devices differs: 1 × pass, 1 device; 1 × pass, 2 devices");
}

TEST(Combine, LeavesOutWhatTheDeadlineKeptFromStarting) {
  const Repeated repeated = Combine({RunOf("a", kPass), RunOf("a", kSkip)});
  EXPECT_EQ(repeated.run.verdict, kPass);
  EXPECT_THAT(repeated.run.answers, IsEmpty());
  EXPECT_EQ(Combine({RunOf("a", kSkip), RunOf("a", kSkip)}).run.verdict, kSkip);
}

}  // namespace
}  // namespace gpustage
