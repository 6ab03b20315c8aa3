// The fixture class and the matchers, as a C++ user has them: through the shared library, and
// against this GoogleTest.
#include "gpustage/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include "gpustage/matchers.h"
#include "harness/verdict/checks.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::StringMatchResultListener;

Stage WithOllama(int devices) {
  Stage stage;
  for (int i = 0; i < devices; ++i) stage.AddDevice("h100-80gb");
  stage.AddLayout("nvidia-driver-debian").AddLayout("ollama-cuda-12");
  return stage;
}

TEST(Stage, FindsWhatWasAdded) {
  const RunResult seen = WithOllama(2).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
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
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  EXPECT_THAT(seen, FindsDevices(0));
  EXPECT_THAT(seen, LosesDeviceAt(kListed));
  EXPECT_THAT(seen, LosesDeviceAt(kListed, "libggml-cuda.so"));
  EXPECT_THAT(seen, Not(LosesDeviceAt(kLoaded)));
}

// LD_LIBRARY_PATH names the directory in this layout; the driver is found by ld.so.cache.
TEST(Stage, SaysByWhichRuleALibraryWasFound) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
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
  GPUSTAGE_SKIP_UNLESS_RUN(before);
  stage.Remove("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_THAT(before, FindsDevices(1));
  EXPECT_THAT(stage.Run("ollama-model"), FindsDevices(0));
}

// fixtures/devices/h100-80gb.yaml names it so.
TEST(RunResult, HoldsPlainValues) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
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
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  ASSERT_EQ(seen.losses.size(), 1u) << seen.funnel;
  EXPECT_EQ(seen.losses[0].library, "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(seen.losses[0].at, kLoaded);
  EXPECT_EQ(seen.losses[0].cause, "missing-dependency");
  EXPECT_THAT(seen.funnel, HasSubstr("LOST at loaded"));
}

TEST(RunResult, ChecksAnyClaimOfAScenario) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
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

// A namespace is a thread's, and others would stage where nobody looks: a process of its own does
// it.
TEST(StageDeathTest, FirstRunAfterAThreadWasStartedFindsTheSame) {
  const RunResult seen = WithOllama(2).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::thread([] {
          Stage stage = WithOllama(2);
          stage.SetEnv("ODD", "a: {b}, 'c' #d \xff");
          const RunResult found = stage.Run("ollama-model");
          const RunResult wrong = WithOllama(1).AddDevice("no-such").Run("ollama-model");
          std::fprintf(stderr, "%d devices, %s, %s, %zu lines, %s\n",
                       found.device_count.value_or(-1), found.outcome.c_str(),
                       found.devices.at(1).name.c_str(), found.log.size(), wrong.error.c_str());
        }).join();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      "2 devices, exited 0, NVIDIA H100 80GB HBM3, [1-9][0-9]* lines, .*stage_test.cc:[0-9]+:");
}

// What EXPECT_THAT reports, with the lines that it says it of.
std::vector<testing::TestPartResult> Reported(const std::function<void()>& expect) {
  testing::TestPartResultArray array;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &array);
    expect();
  }
  std::vector<testing::TestPartResult> results;
  for (int i = 0; i < array.size(); ++i) results.push_back(array.GetTestPartResult(i));
  return results;
}

TEST(Matchers, SayTheAnswerFirstAndTheLogLast) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  const DevicesClaim claim = {{2, 2}};
  StringMatchResultListener said;
  EXPECT_FALSE(FindsDevices(2).MatchAndExplain(seen, &said));
  EXPECT_THAT(said.str(), StartsWith("for which \"devices: 2\" does not hold: " +
                                     CheckDevices(*seen.evidence, claim).seen + "\n"));
  const size_t log = said.str().find("  log ");
  ASSERT_NE(log, std::string::npos);
  EXPECT_GT(log, said.str().find(seen.funnel));
  std::istringstream lines(said.str().substr(log));
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LT(line.size(), 180u);
  EXPECT_LE(count, 13u);
  EXPECT_EQ(testing::DescribeMatcher<RunResult>(FindsDevices(2)),
            ToString(Claim{claim, false, {}}));
  EXPECT_EQ(testing::PrintToString(seen), "a run that exited 0");
}

TEST(Matchers, SayWhichOfSeveralDoesNotHold) {
  const RunResult seen = WithOllama(1).Run("ollama-model");
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  StringMatchResultListener said;
  const auto all = testing::AllOf(FindsDevices(1), Calls("cuCtxCreate_v2"), IsSilent());
  EXPECT_FALSE(testing::SafeMatcherCast<const RunResult&>(all).MatchAndExplain(seen, &said));
  EXPECT_THAT(said.str(), HasSubstr("\"calls: {function: cuCtxCreate_v2, count: at least 1}\" "
                                    "does not hold: 0 calls"));
  EXPECT_THAT(said.str(), Not(HasSubstr("silent: true")));
}

RunResult NotRunHere() {
  RunResult seen;
  seen.skipped = "no such part here";
  return seen;
}

// Of what did not run nothing is said to hold, and nothing not to: once, and where the test says
// it.
TEST(Matchers, WhatDidNotRunFailsOnceAtTheLineOfTheTestAlsoBelowNot) {
  const RunResult seen = NotRunHere();
  const int plain_line = __LINE__ + 1;
  const auto plain = Reported([&] { EXPECT_THAT(seen, FindsDevices(2)); });
  const auto negated = Reported([&] { EXPECT_THAT(seen, Not(FindsDevices(2))); });
  const int loads_line = __LINE__ + 2;
  const auto loads = Reported([&] {  // the line below
    EXPECT_THAT(seen, Not(Loads("libcuda.so.1", FoundBy(kCache))));
  });
  for (const auto& [results, line] :
       {std::pair(&plain, plain_line), std::pair(&negated, plain_line + 1),
        std::pair(&loads, loads_line)}) {
    ASSERT_EQ(results->size(), 1u);
    const testing::TestPartResult& result = results->front();
    EXPECT_THAT(result.file_name(), testing::EndsWith("stage_test.cc"));
    EXPECT_EQ(result.line_number(), line);
    EXPECT_THAT(result.message(), HasSubstr("the scanner did not run: no such part here"));
  }
}

void SkipsBody(const RunResult& seen) {
  GPUSTAGE_SKIP_UNLESS_RUN(seen);
  FAIL() << "it went on";
}
TEST(Matchers, OneMacroSkipsWhatCannotRunHere) {
  const auto results = Reported([] { SkipsBody(NotRunHere()); });
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(results[0].skipped());
  EXPECT_THAT(results[0].message(), HasSubstr("no such part here"));
}

}  // namespace
}  // namespace gpustage
