// The fixture class and the matchers, as a C++ user has them: through the shared library, and
// against this GoogleTest.
#include "gpustage/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <thread>

#include "gpustage/matchers.h"
#include "harness/verdict/checks.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StringMatchResultListener;

Stage WithOllama(int devices) {
  Stage stage;
  for (int i = 0; i < devices; ++i) stage.AddDevice("h100-80gb");
  stage.AddLayout("nvidia-driver-debian").AddLayout("ollama-cuda-12");
  return stage;
}

TEST(Stage, FindsWhatWasAdded) {
  const RunResult seen = WithOllama(2).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, FindsDevices(2));
  EXPECT_THAT(seen, Not(FindsDevices(3)));
  EXPECT_THAT(seen, Loads("libcuda.so.1"));
  EXPECT_THAT(seen, Calls("cuInit"));
  EXPECT_THAT(seen, Logs(HasSubstr("inference compute")));
}

// As scenarios/first-steps/unlistable-directory has it.
TEST(Stage, ModeOfADirectoryLosesTheDevice) {
  Stage stage = WithOllama(1);
  stage.ChangeMode("/usr/local/lib/ollama/cuda_v12", "0711");
  const RunResult seen = stage.Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, FindsDevices(0));
  EXPECT_THAT(seen, LosesDeviceAt(kListed));
  EXPECT_THAT(seen, LosesDeviceAt(kListed, "libggml-cuda.so"));
  EXPECT_THAT(seen, Not(LosesDeviceAt(kLoaded)));
}

// LD_LIBRARY_PATH names the directory in this layout; the driver is found by ld.so.cache.
TEST(Stage, SaysByWhichRuleALibraryWasFound) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, Loads("libcudart.so.12", FoundBy(kLdLibraryPath)));
  EXPECT_THAT(seen, Not(Loads("libcudart.so.12", FoundBy(kRunpath))));
  const std::string path = "/lib/x86_64-linux-gnu/libcuda.so.1";  // as ld.so.cache has it
  EXPECT_THAT(seen, Loads("libcuda.so.1", FoundBy(kCache), From(path)));
  EXPECT_THAT(seen, Not(Loads("libcuda.so.1", From("/usr/lib/\"x\\y\""))));
}

TEST(Stage, MistakeIsNamedWithTheLineOfTheTest) {
  Stage stage;
  const int line = __LINE__ + 1;
  stage.AddDevice("h100-80g");
  const RunResult seen = stage.Run("dlopen");
  EXPECT_THAT(seen.error, HasSubstr("stage_test.cc:" + std::to_string(line) + ":"));
  EXPECT_THAT(seen.error, HasSubstr("h100-80gb"));  // the nearest name
}

TEST(Stage, MayBeRunAgainAndChangedBetween) {
  Stage stage = WithOllama(1);
  const RunResult before = stage.Run("ollama-model");
  if (!before.skipped.empty()) GTEST_SKIP() << before.skipped;
  stage.Remove("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_THAT(before, FindsDevices(1));
  EXPECT_THAT(stage.Run("ollama-model"), FindsDevices(0));
}

// fixtures/devices/h100-80gb.yaml names it so.
TEST(RunResult, HoldsPlainValues) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  ASSERT_EQ(seen.devices.size(), 1u);
  EXPECT_EQ(seen.device_count, 1);
  EXPECT_EQ(seen.devices[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_TRUE(seen.losses.empty());
  EXPECT_THAT(seen.log, testing::Contains(HasSubstr("inference compute")));
}

TEST(RunResult, NamesWhatWasLost) {
  Stage stage = WithOllama(1);
  stage.Remove("/usr/local/lib/ollama/cuda_v12/libcublasLt.so.12");
  const RunResult seen = stage.Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  ASSERT_EQ(seen.losses.size(), 1u) << seen.funnel;
  EXPECT_EQ(seen.losses[0].library, "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(seen.losses[0].at, kLoaded);
  EXPECT_EQ(seen.losses[0].cause, "missing-dependency");
  EXPECT_THAT(seen.funnel, HasSubstr("LOST at loaded"));
}

TEST(RunResult, ChecksAnyClaimOfAScenario) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_TRUE(seen.Check("{devices: 1, silent: false}").ok);
  const Finding finding = seen.Check("{silent: false, devices: 2}");
  EXPECT_FALSE(finding.ok);
  EXPECT_FALSE(finding.unknown);
  EXPECT_EQ(finding.seen, CheckDevices(*seen.evidence, {{2, 2}}).seen);
}

TEST(RunResult, ClaimThatCannotBeReadIsNamed) {
  const Finding finding = RunResult().Check("loads: {library: x, by: RUNPTH}");
  EXPECT_TRUE(finding.unknown);
  EXPECT_THAT(finding.seen, testing::AllOf(HasSubstr("claim:1:25: "), HasSubstr("RUNPATH")));
  EXPECT_THAT(RunResult().Check("{run: x, devices: 1}").seen, HasSubstr("has no \"run\""));
}

// A namespace is a thread's: another one would stage where nobody looks.
TEST(StageDeathTest, FirstRunAfterAThreadWasStartedIsAnError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::string error;
        std::thread([&error] { error = WithOllama(1).Run("ollama-model").error; }).join();
        std::fprintf(stderr, "%s", error.c_str());
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      "stage_test.cc:[0-9]+:[0-9]+: this process has started threads already");
}

TEST(Matchers, PrintTheSentenceOfTheCheck) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  const DevicesClaim claim = {{2, 2}};
  StringMatchResultListener said;
  EXPECT_FALSE(FindsDevices(2).MatchAndExplain(seen, &said));
  EXPECT_EQ(said.str(), CheckDevices(*seen.evidence, claim).seen);
  EXPECT_EQ(testing::DescribeMatcher<RunResult>(FindsDevices(2)),
            ToString(Claim{claim, false, {}}));
}

TEST(Matchers, WhatDidNotRunFailsAlsoBelowNot) {
  static const RunResult kNotRun = [] {
    RunResult seen;
    seen.skipped = "no such part here";
    return seen;
  }();
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(kNotRun, Not(FindsDevices(2))),
                          "the scanner did not run: no such part here");
}

}  // namespace
}  // namespace gpustage
