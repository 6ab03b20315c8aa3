// Totals, shards as one run, what changed since a baseline, and runs that were started more than
// once.
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
ReportedRun WithDevice(ReportedRun run, const std::string& uuid, const std::string& library,
                       const std::string& path) {
  ReportedDevice device;
  device.uuid = uuid;
  device.library = library;
  device.library_path = path;
  if (!run.devices) run.devices.emplace();
  run.devices->push_back(device);
  return run;
}
WholeReport Of(std::vector<ReportedRun> runs) {
  WholeReport report;
  report.runs = std::move(runs);
  return report;
}
int ExitStatus(const WholeReport& report) { return gpustage::ExitStatus(report.Head()); }
Totals Count(const std::vector<ReportedRun>& runs) { return Of(runs).Head().tally.totals; }

struct NamedReport {
  std::string name;
  WholeReport report;
};
Result<WholeReport> Merge(const std::vector<NamedReport>& parts) {
  Merger merger;
  std::vector<ReportedRun> runs;
  for (const NamedReport& part : parts) {
    for (const ReportedRun& run : part.report.runs) {
      TRY(merger.AddRun(part.name, run));
      runs.push_back(run);
    }
    TRY(merger.AddReport(part.name, part.report.Head()));
  }
  WholeReport whole;
  for (const size_t number : merger.Order()) whole.runs.push_back(runs[number]);
  static_cast<Report&>(whole) = std::move(merger).Whole();
  return whole;
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
  EXPECT_EQ(ExitStatus(Of({RunOf("a", kPass), RunOf("b", kSkip), RunOf("c", VerdictKind::kXfail)})),
            0);
  EXPECT_EQ(ExitStatus(Of({RunOf("a", kSkip)})), 0);
  for (const auto bad : {kFail, VerdictKind::kXpass, VerdictKind::kError, VerdictKind::kFlaky})
    EXPECT_EQ(ExitStatus(Of({RunOf("a", kPass), RunOf("b", bad)})), 1);
}

TEST(ExitStatus, TellsAMissingScannerFromARunOfNothing) {
  WholeReport report = Of({RunOf("a", kSkip)});
  report.problems = {{"require", "ollama is required: no ollama here"}};
  EXPECT_EQ(ExitStatus(report), 77);
  report.runs.push_back(RunOf("b", kPass));
  EXPECT_EQ(ExitStatus(report), 1);
  report = Of({RunOf("a", kSkip)});
  report.problems = {{"deadline", "the deadline of 1 s passed"}};
  EXPECT_EQ(ExitStatus(report), 1);
}

TEST(ExitStatus, WithABaselineIsThatOfWhatGotWorse) {
  WholeReport report = Of({RunOf("a", kFail)});
  report.baseline = ChangesSince({RunOf("a", kFail)}, "old.json", report.runs);
  EXPECT_EQ(ExitStatus(report), 0);
  report.baseline = ChangesSince({RunOf("a", kPass)}, "old.json", report.runs);
  EXPECT_EQ(ExitStatus(report), 1);
}

TEST(Merge, IsOneRunOfAllCases) {
  WholeReport a = Of({RunOf("c", kPass), RunOf("a", kFail)}), b = Of({RunOf("b", kSkip)});
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
  WholeReport a = Of({RunOf("a", kPass)}), b = Of({RunOf("b", kPass)});
  a.problems = b.problems = {{"require", "ollama is required: no ollama here"}};
  const auto merged = Merge({{"a", a}, {"b", b}});
  EXPECT_EQ(merged->problems, a.problems);
  EXPECT_EQ(ExitStatus(*merged), 1);
}

class MergeShards : public testing::Test {
 protected:
  static NamedReport Part(int index, int total) {
    const std::string name = "shard-" + std::to_string(index);
    WholeReport report = Of({RunOf(name, kPass)});
    report.shards = {{index, total}};
    return {name + ".json", report};
  }
};

TEST_F(MergeShards, OfAllIsTheWhole) {
  const auto merged = Merge({Part(3, 3), Part(1, 3), Part(2, 3)});
  ASSERT_THAT(merged, IsOk());
  EXPECT_THAT(merged->shards,
              ElementsAre(ReportedShard{1, 3}, ReportedShard{2, 3}, ReportedShard{3, 3}));
  EXPECT_THAT(merged->problems, IsEmpty());
  EXPECT_EQ(ExitStatus(*merged), 0);
}

TEST_F(MergeShards, SaysWhichAreMissing) {
  const auto merged = Merge({Part(3, 4), Part(1, 4)});
  ASSERT_THAT(merged, IsOk());
  EXPECT_THAT(merged->problems,
              ElementsAre(Problem{"shard", "shards 2, 4 of 4 are in none of these reports"}));
  EXPECT_EQ(ExitStatus(*merged), 1);
  // And no longer, once they are there.
  const auto more = Merge({{"some.json", *merged}, Part(2, 4)});
  EXPECT_THAT(more->problems,
              ElementsAre(Problem{"shard", "shard 4 of 4 is in none of these reports"}));
  EXPECT_THAT(Merge({Part(4, 4), {"more.json", *more}})->problems, IsEmpty());
}

TEST_F(MergeShards, RefusesWhatAreNoneOfOneRun) {
  EXPECT_THAT(Merge({Part(1, 4), Part(2, 3)}),
              FailsWith("shard-1.json is shard 1 of 4, and shard-2.json is shard 2 of 3: these are "
                        "no shards of one run"));
  NamedReport again = Part(1, 4);
  again.name = "again.json";
  again.report.runs.clear();
  EXPECT_THAT(Merge({Part(1, 4), again}),
              FailsWith("shard-1.json and again.json are both shard 1 of 4"));
}

// Shards of other cases would be taken for a whole that nobody ever ran.
TEST_F(MergeShards, RefusesShardsOfOtherCases) {
  NamedReport one = Part(1, 2), two = Part(2, 2);
  one.report.selection = ReportedSelection{3, "aa"};
  two.report.selection = ReportedSelection{7, "bb"};
  EXPECT_THAT(Merge({one, two}), FailsWith("shard-1.json is a shard of 3 cases, and shard-2.json "
                                           "one of 7: these are no shards of one run"));
  two.report.selection = ReportedSelection{3, "bb"};
  EXPECT_THAT(Merge({one, two}),
              FailsWith("shard-1.json is a shard of 3 cases, and shard-2.json one of as many "
                        "others: these are no shards of one run"));
  two.report.selection = one.report.selection;
  EXPECT_EQ(Merge({one, two})->selection, one.report.selection);
}

TEST(Merge, SaysWhichReportWasInterrupted) {
  WholeReport a = Of({RunOf("a", kPass)}), b = Of({RunOf("b", kPass)});
  a.interrupted = "SIGTERM";
  a.problems = {{"interrupted", "interrupted by SIGTERM: 1 of 3 cases were done"}};
  EXPECT_EQ(ExitStatus(a), 143);
  const auto merged = Merge({{"a.json", a}, {"b.json", b}});
  EXPECT_THAT(merged->problems,
              ElementsAre(Problem{"interrupted",
                                  "a.json was interrupted by SIGTERM: 1 of 3 cases were done"}));
  EXPECT_EQ(ExitStatus(*merged), 1);
}

TEST(Merge, JoinsWhatShardsSayOfABaseline) {
  const std::vector<ReportedRun> before = {RunOf("a", kPass), RunOf("b", kFail), RunOf("c", kPass)};
  WholeReport a = Of({RunOf("a", kFail)}), b = Of({RunOf("b", kPass)});
  a.baseline = ChangesSince(before, "old.json", a.runs);
  b.baseline = ChangesSince(before, "old.json", b.runs);
  const auto merged = Merge({{"a", a}, {"b", b}});
  EXPECT_EQ(*merged->baseline, ChangesSince(before, "old.json", {a.runs[0], b.runs[0]}));
  EXPECT_THAT(merged->baseline->not_run, ElementsAre("c [ggml]"));
  b.baseline.reset();
  EXPECT_THAT(Merge({{"a", a}, {"b", b}}),
              FailsWith("one of a and b was held against a baseline, and the other was not"));
}

TEST(Baseline, NamesWhatChanged) {
  const BaselineChanges changes = ChangesSince(
      {RunOf("breaks", kPass), RunOf("heals", kFail), RunOf("stays", kFail), RunOf("goes", kPass),
       RunOf("skipped", kPass)},
      "old.json",
      {RunOf("breaks", kFail), RunOf("heals", kPass), RunOf("stays", VerdictKind::kFlaky),
       RunOf("new", kFail), RunOf("skipped", kSkip), RunOf("fresh", kPass)});
  EXPECT_THAT(changes.newly_failing, ElementsAre("breaks [ggml]", "new [ggml]"));
  EXPECT_THAT(changes.newly_passing, ElementsAre("heals [ggml]"));
  EXPECT_THAT(changes.still_failing, ElementsAre("stays [ggml]"));
  EXPECT_THAT(changes.not_run, ElementsAre("goes [ggml]", "skipped [ggml]"));
  EXPECT_TRUE(changes.Worse());
}

TEST(Baseline, OfTheSameIsNoChange) {
  std::vector<ReportedRun> runs =
      FullReport().runs;  // two of the skips have the name of another run
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
  EXPECT_THAT(
      ChangesSince({cuda}, "old", {other}).moved,
      ElementsAre(MovedDevice{"a [ggml]", "GPU-1", "CUDA, /v12/cuda.so", "CUDA, /v13/cuda.so"}));
  // The order in which devices are reported is none of it, nor is a device that is gone: the
  // expectation tells of that.
  const ReportedRun two = WithDevice(cuda, "GPU-2", "CUDA", "/v12/cuda.so");
  const ReportedRun turned =
      WithDevice(WithDevice(RunOf("a", kPass), "GPU-2", "CUDA", "/v12/cuda.so"), "GPU-1", "CUDA",
                 "/v12/cuda.so");
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
            "in 3 starts the verdict, the number of devices and where a device is lost differ: 2 × "
            "pass, 1 device; 1 × fail, 0 devices, lost at \"opened\"");
}

// What was found all the same was not lost, unless that is what differs.
TEST(Combine, SaysOfAPassWithDevicesNoLoss) {
  ReportedRun pass = RunOf("a", kPass), fail = RunOf("a", kFail), other = pass;
  pass.device_count = other.device_count = 1;
  pass.lost_at = "matched";
  fail.device_count = 0;
  fail.lost_at = "opened";
  EXPECT_THAT(Combine({pass, fail}).run.because,
              testing::HasSubstr("1 × pass, 1 device; 1 × fail, 0 devices, lost at \"opened\""));
  EXPECT_THAT(Combine({pass, other}).run.because,
              testing::HasSubstr("1 × pass, 1 device, lost at \"matched\"; 1 × pass, 1 device"));
}

// Both are as expected, and still something is left to chance.
TEST(Combine, TakesPassesThatDifferForFlaky) {
  ReportedRun one = RunOf("a", kPass), two = RunOf("a", kPass);
  one.device_count = 1;
  two.device_count = 2;
  EXPECT_EQ(Combine({one, two}).run.because,
            "in 2 starts the number of devices differs: 1 × pass, 1 device; 1 × pass, 2 devices");
}

class CombineAsStated : public testing::Test {
 protected:
  // `none` starts that found nothing, and `one` that found a device.
  Repeated Of(int none, int one, const char* lost_at = "opened") {
    ReportedRun found = RunOf("a", kPass), lost = found;
    found.device_count = 1;
    lost.device_count = 0;
    lost.lost_at = lost_at;
    std::vector<ReportedRun> starts(static_cast<size_t>(none), lost);
    starts.insert(starts.end(), static_cast<size_t>(one), found);
    return Combine(std::move(starts), {&even_});
  }
  const Claim even_{DistributionClaim{{{0, 0.5}, {1, 0.5}}}, false, {"s.yaml", 7, 5}};
};

TEST_F(CombineAsStated, Passes) {
  const ReportedRun run = Of(18, 22).run;
  EXPECT_EQ(run.verdict, kPass);
  EXPECT_EQ(run.because, "of 40 starts: 0 devices in 18, 1 device in 22");
  EXPECT_THAT(run.answers, ElementsAre(RepeatedAnswer{18, "pass", 0, "opened"},
                                       RepeatedAnswer{22, "pass", 1, std::nullopt}));
}

TEST_F(CombineAsStated, FailsWhereTheSharesAreOthers) {
  for (const ReportedRun& run : {Of(40, 0).run, Of(35, 5).run}) {
    EXPECT_EQ(run.verdict, kFail);
    ASSERT_EQ(run.unmet.size(), 1u);
    EXPECT_EQ(run.unmet[0].expected, "distribution: {0: 50%, 1: 50%}");
    EXPECT_EQ(run.unmet[0].file + std::to_string(run.unmet[0].line), "s.yaml7");
  }
}

// The number of devices is said to be left to chance, and nothing else.
TEST_F(CombineAsStated, IsFlakyWhereSomethingElseDiffers) {
  ReportedRun here = RunOf("a", kPass), there = here;
  here.device_count = there.device_count = 0;
  here.lost_at = "opened";
  there.lost_at = "loaded";
  EXPECT_EQ(Combine({here, there}, {&even_}).run.verdict, VerdictKind::kFlaky);
  there = here;
  there.verdict = kFail;
  there.device_count = 7;
  EXPECT_EQ(Combine({here, there}, {&even_}).run.verdict, VerdictKind::kFlaky);
}

TEST_F(CombineAsStated, SaysNothingOfOneStart) { EXPECT_EQ(Of(1, 0).run.because, ""); }

TEST(Combine, LeavesOutWhatTheDeadlineKeptFromStarting) {
  const Repeated repeated = Combine({RunOf("a", kPass), RunOf("a", kSkip)});
  EXPECT_EQ(repeated.run.verdict, kPass);
  EXPECT_THAT(repeated.run.answers, IsEmpty());
  EXPECT_EQ(Combine({RunOf("a", kSkip), RunOf("a", kSkip)}).run.verdict, kSkip);
}

}  // namespace
}  // namespace gpustage
