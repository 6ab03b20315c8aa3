#include "harness/verdict/verdict.h"

#include "harness/evidence/records/decode.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Evidence Devices(const std::string& json) {
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kJson, "stdout", ""};
  return Decode(HandMadeRun().Prints(Stream::kStdout, json), scanner, {});
}

Expectation Expects(int64_t devices) {
  return {std::nullopt, {}, {{DevicesClaim{{devices, devices}}, false, {"s.yaml", 9, 5}}}, {}};
}

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    run_.name = "ggml";
    case_.axes = {{"cuda", "12"}};
    case_.expect = {Expects(1)};
  }
  Verdict Judged(const std::string& json) { return Judge(case_, run_, Devices(json)); }

  Case case_;
  RunSpec run_;
};

TEST_F(JudgeTest, PassesWhenAllChecksAreOk) {
  const Verdict verdict = Judged("[{}]");
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  EXPECT_EQ(verdict.because, "1 device");
}

TEST_F(JudgeTest, FailsBecauseOfAnEventOfTheEvidence) {
  const Verdict verdict = Judged("[{},{}]");
  EXPECT_EQ(verdict.kind, VerdictKind::kFail);
  EXPECT_EQ(verdict.event, 1);
  EXPECT_EQ(verdict.because, "#1 stdout: [{},{}]");
}

TEST_F(JudgeTest, KeepsEveryCheckInTheOrderOfTheFile) {
  case_.expect.push_back(Expects(2));
  const Verdict verdict = Judged("[{},{}]");
  ASSERT_EQ(verdict.checks.size(), 2u);
  EXPECT_FALSE(verdict.checks[0].ok);
  EXPECT_TRUE(verdict.checks[1].ok);
}

TEST_F(JudgeTest, IsAnErrorWhatCouldNotBeObserved) {
  const Verdict verdict = Judged("no json");
  EXPECT_EQ(verdict.kind, VerdictKind::kError);
  EXPECT_EQ(verdict.because, "not observable: what it printed is not JSON with a list of devices");
}

// One unknown claim is enough, also beside one that fails: its fix may be that of the other.
TEST_F(JudgeTest, PutsWhatIsUnknownBeforeWhatFails) {
  case_.expect.push_back({std::nullopt, {}, {{OutcomeClaim{"exited", 1}, false, {}}}, {}});
  EXPECT_EQ(Judged("no json").kind, VerdictKind::kError);
}

TEST_F(JudgeTest, IsAnErrorWithoutAnExpectation) {
  case_.expect.clear();
  EXPECT_EQ(Judged("[{}]").because, "no expectation applies to this run");
  EXPECT_EQ(Judged("[{}]").kind, VerdictKind::kError);
}

TEST_F(JudgeTest, IsAnErrorWhatWasNotStarted) {
  Evidence evidence = Devices("[{}]");
  evidence.outcome = {Outcome::Kind::kNotStarted, 2,
                      "/bin/scan could not be executed: No such file or directory"};
  const Verdict verdict = Judge(case_, run_, evidence);
  EXPECT_EQ(verdict.kind, VerdictKind::kError);
  EXPECT_EQ(verdict.because,
            "not started: /bin/scan could not be executed: No such file or directory");
}

TEST_F(JudgeTest, ExpectsAKnownBugToFail) {
  case_.xfail = ExpectedFailure{"org/project#1", {}};
  EXPECT_EQ(Judged("[]").kind, VerdictKind::kXfail);
  const Verdict news = Judged("[{}]");
  EXPECT_EQ(news.kind, VerdictKind::kXpass);
  EXPECT_EQ(news.because, "expected to fail (org/project#1), and it passes");
  // What could not be seen did not fail.
  EXPECT_EQ(Judged("no json").kind, VerdictKind::kError);
}

TEST_F(JudgeTest, AppliesWhatNamesTheRunAndTheCell) {
  Expectation other_run = Expects(7), this_run = Expects(1), other_cell = Expects(7),
              this_cell = Expects(1);
  other_run.run = "by-hand";
  this_run.run = "ggml";
  other_cell.when = {{"cuda", {"13"}}};
  this_cell.when = {{"cuda", {"11", "12"}}};
  case_.expect = {other_run, this_run, other_cell, this_cell};
  EXPECT_THAT(ExpectationsFor(case_, run_), ElementsAre(&case_.expect[1], &case_.expect[3]));
  EXPECT_EQ(Judged("[{}]").kind, VerdictKind::kPass);
  EXPECT_EQ(Judged("[{}]").skip, SkipKind::kNone);
}

TEST(Verdict, OfASkipHasAReasonAndNoEvent) {
  const Verdict verdict = Skipped("needs an arm64 scanner");
  EXPECT_EQ(verdict.kind, VerdictKind::kSkip);
  EXPECT_EQ(verdict.because, "needs an arm64 scanner");
  EXPECT_EQ(verdict.event, 0);
  EXPECT_EQ(verdict.skip, SkipKind::kLacks);
  EXPECT_EQ(Skipped("later", SkipKind::kDeadline).skip, SkipKind::kDeadline);
}

TEST(Verdict, OfAnErrorSaysWhere) {
  EXPECT_EQ(Failed({"cannot remove /x", SourcePos{"s.yaml", 3, 5}}).because,
            "s.yaml:3:5: cannot remove /x");
  EXPECT_EQ(Failed({"no room", std::nullopt}).because, "no room");
}

TEST(IsBad, IsWhatMakesTheExitStatus1) {
  for (const VerdictKind bad : {VerdictKind::kFail, VerdictKind::kXpass, VerdictKind::kError})
    EXPECT_TRUE(IsBad(bad));
  for (const VerdictKind good : {VerdictKind::kPass, VerdictKind::kSkip, VerdictKind::kXfail})
    EXPECT_FALSE(IsBad(good));
}

}  // namespace
}  // namespace gpustage
