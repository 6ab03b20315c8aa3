// The fixture class and the matchers, as a C++ user has them: through the shared library, and against this GoogleTest.
#include "harness/embed/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "harness/embed/matchers.h"

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
  const Seen seen = WithOllama(2).Run("ollama-model");
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
  const Seen seen = stage.Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, FindsDevices(0));
  EXPECT_THAT(seen, LosesDeviceAt(Step::kListed));
  EXPECT_THAT(seen, LosesDeviceAt(Step::kListed, "libggml-cuda.so"));
  EXPECT_THAT(seen, Not(LosesDeviceAt(Step::kLoaded)));
}

// LD_LIBRARY_PATH names the directory in this layout; the driver is found by ld.so.cache.
TEST(Stage, SaysByWhichRuleALibraryWasFound) {
  const Seen seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, Loads("libcudart.so.12", FoundBy(kLdLibraryPath)));
  EXPECT_THAT(seen, Not(Loads("libcudart.so.12", FoundBy(kRunpath))));
}

TEST(Stage, MistakeIsNamedWithTheLineOfTheTest) {
  Stage stage;
  stage.AddDevice("h100-80g"); const int line = __LINE__;
  const Seen seen = stage.Run("dlopen");
  EXPECT_THAT(seen.error, HasSubstr("stage_test.cc:" + std::to_string(line) + ":"));
  EXPECT_THAT(seen.error, HasSubstr("h100-80gb"));  // the nearest name
}

TEST(Matchers, PrintTheSentenceOfTheCheck) {
  const Seen seen = WithOllama(1).Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  const DevicesClaim claim = {{2, 2}};
  StringMatchResultListener said;
  EXPECT_FALSE(FindsDevices(2).MatchAndExplain(seen, &said));
  EXPECT_EQ(said.str(), CheckDevices(seen.evidence, claim).seen);
  EXPECT_EQ(testing::DescribeMatcher<Seen>(FindsDevices(2)), ToString(Claim{claim, false, {}}));
}

TEST(Matchers, WhatDidNotRunFailsAlsoBelowNot) {
  static const Seen kNotRun = {{}, "no such part here", ""};
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(kNotRun, Not(FindsDevices(2))), "the scanner did not run: no such part here");
}

}  // namespace
}  // namespace gpustage
