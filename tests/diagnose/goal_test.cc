// What is wanted is not always a number of devices: a line, an outcome, which device it is.
#include "harness/diagnose/goal.h"

#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kMachine[] =
    "machine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian]\nenv: {AA_TRIED_FIRST: a, "
    "A_MODE: slow}\n";

class GoalTest : public DiagnoseTest {
 protected:
  // A program that always counts one device, and is otherwise as A_MODE says.
  std::string Program(const std::string& shell) const {
    return std::string(kMachine) + "runs:\n  - scanner: script\n    args: ['" + shell + "']\n";
  }
  WhyReport WhyNot(const std::string& shell, const std::string& goal) const {
    WhyOptions options;
    options.weigh = false;
    options.goal = GoalOf(goal);
    return WhyOf(FlatOf(WholeCaseOf(Program(shell))), options);
  }
  static Goal GoalOf(const std::string& yaml) {
    const Result<Goal> goal = ReadGoal(yaml, FindCatalog({}));
    EXPECT_THAT(goal, IsOk());
    return goal ? *goal : Goal{};
  }
  static std::string ErrorOf(const std::string& yaml) {
    const Result<Goal> goal = ReadGoal(yaml, FindCatalog({}));
    return goal ? "" : ToString(*goal.error().pos) + ": " + goal.error().message;
  }
};

TEST_F(GoalTest, ALineThatIsToBeGoneGoes) {
  const WhyReport report =
      WhyNot("echo \"GPU 0: all\"; [ -z \"$A_MODE\" ] || echo \"runs slowly\"; exit 0",
             "{log: {lacks: [runs slowly]}}");
  EXPECT_EQ(FirstOf(report), "unset A_MODE");
  EXPECT_THAT(WhyText(report, 1), HasSubstr("wanted: log: {lacks: \"runs slowly\"}\n"));
  EXPECT_THAT(WhyText(report, 1), HasSubstr("it is not so -> it is so with "));
  EXPECT_THAT(WhyJson(report), HasSubstr("\"wanted\": \"log: {lacks: \\\"runs slowly\\\"}\""));
}

TEST_F(GoalTest, AnOutcomeThatIsWantedComes) {
  EXPECT_EQ(FirstOf(WhyNot("echo \"GPU 0: all\"; [ -z \"$A_MODE\" ] || exit 3",
                           "{outcome: {exited: 0}}")),
            "unset A_MODE");
}

TEST_F(GoalTest, WhichDeviceItIsMayBeWanted) {
  EXPECT_EQ(FirstOf(WhyNot("echo \"GPU 0: ${A_MODE:-fast}\"", "{device: {index: 0, name: fast}}")),
            "unset A_MODE");
}

TEST_F(GoalTest, WhatIsSoAlreadyIsHealthy) {
  const WhyReport report = WhyNot("echo \"GPU 0: all\"", "{log: {lacks: [runs slowly]}}");
  EXPECT_TRUE(report.healthy);
  EXPECT_TRUE(report.answers.empty());
  EXPECT_THAT(WhyText(report, 1), HasSubstr("\nIt is so.\n"));
}

// Its author saw that after the fix. What was changed for it is not told to `why`.
TEST_F(GoalTest, WhereNoDeviceIsLostWhatTheFixShowsIsWanted) {
  const Case c =
      CaseWith(Program("echo \"GPU 0: all\"; [ -z \"$A_MODE\" ] || echo \"runs slowly\"; exit 0") +
               "expect: [{devices: 1, log: {has: [runs slowly]}}]\n"
               "fix: {env: {A_MODE: {unset: true}}, expect: [{log: {lacks: [runs slowly]}}]}\n");
  WhyOptions options;
  options.weigh = false;
  SayWhatIsExpected(c, c.runs.front(), options);
  const WhyReport report = WhyOf(FlatOf(c), options);
  EXPECT_EQ(ToString(report.goal), "log: {lacks: \"runs slowly\"}");
  EXPECT_EQ(FirstOf(report), "unset A_MODE");
}

TEST_F(GoalTest, AnAnnouncedCauseIsHeldAgainstIt) {
  WhyOptions options;
  options.weigh = false;
  options.goal = GoalOf("{log: {lacks: [runs slowly]}}");
  const FlatCase flat = FlatOf(WholeCaseOf(
      Program("echo \"GPU 0: all\"; [ -z \"$A_MODE\" ] || echo \"runs slowly\"; exit 0")));
  const WhyReport report = WhyOf(flat, options);
  const Held wrong =
      Hold(*ReadAnnouncement("A_MODE=fast must be set"), flat, report, TheRunner(), options);
  EXPECT_FALSE(wrong.brings_back);
  EXPECT_THAT(HeldText(wrong),
              HasSubstr("refuted    with it log: {lacks: \"runs slowly\"} in 0 of 3 starts\n"));
  EXPECT_TRUE(Hold(*ReadAnnouncement("A_MODE must not be set"), flat, report, TheRunner(), options)
                  .brings_back);
}

TEST_F(GoalTest, ALossIsNotWanted) {
  EXPECT_THAT(ErrorOf("{lost: {library: libggml-cuda.so, at: loaded}}"),
              HasSubstr("is not to be wanted: it says why a device is lost"));
  EXPECT_THAT(ErrorOf("many"), HasSubstr("--want:1:1: what is wanted is a number of devices, or "));
  EXPECT_THAT(ErrorOf("{lgo: {lacks: [x]}}"), HasSubstr("did you mean \"log\"?"));
}

// What a loader refuses it takes without the flag.
TEST_F(GoalTest, TheFlagOfAnExecutableStackIsCleared) {
  FlatCase flat = FlatOf(
      CaseOf("tree: [{library: /opt/l.so, fake: cudart-12, broken: {stack: executable}}]\n"));
  SeenByRun looked;
  looked.paths = {"/opt/l.so", "/usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90"};
  std::vector<Intervention> all, again;
  ProposeStacks(flat, looked, all);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(ToString(all.front()), "let /opt/l.so not ask for an executable stack");
  EXPECT_EQ(CommandsFor(all.front(), flat, "").undo, "sudo patchelf --set-execstack /opt/l.so");
  ASSERT_TRUE(Apply(all.front(), flat));
  ProposeStacks(flat, looked, again);
  EXPECT_TRUE(again.empty());
}

TEST_F(GoalTest, ABuildWithoutABackendIsGivenThatOfAnotherWithWhatItNeeds) {
  if (TheKnowledge().packages.Backends().empty()) GTEST_SKIP() << "no real backend is here";
  const FlatCase flat =
      FlatOf(WholeCaseOf("machine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian]\n"
                         "tree: [{file: /opt/app/libggml-base.so.0, content: a}]\n"
                         "runs: [{scanner: script, args: [\"exit 0\"]}]\n"));
  SeenByRun looked;
  looked.listed = {"/opt/app", "/opt"};
  std::vector<Intervention> all;
  ProposeBackends(flat, looked, TheKnowledge().packages, all);
  ASSERT_FALSE(all.empty());
  for (const Intervention& change : all) {
    EXPECT_EQ(change.subject, "/opt/app");
    EXPECT_EQ(change.entries.count("/opt/app/libcuda.so.1"), 0U) << ToString(change);
    EXPECT_TRUE(change.entries.count("/opt/app/libggml-cuda.so") != 0 ||
                change.entries.count("/opt/app/libggml-hip.so") != 0)
        << ToString(change);
    EXPECT_GT(change.entries.size(), 1U) << ToString(change);
  }
}

}  // namespace
}  // namespace gpustage
