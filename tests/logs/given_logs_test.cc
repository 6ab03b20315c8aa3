// Logs of which a wrong thing was said once (fixtures/logs/given), and sisters of each.
#include <re2/re2.h>

#include "harness/base/files.h"
#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string Given(const std::string& name) {
  const auto text = ReadFile(InSources(("/fixtures/logs/given/" + name + ".log").c_str()));
  EXPECT_THAT(text, IsOk());
  return *text;
}
std::string With(std::string text, const std::string& what, const std::string& instead) {
  EXPECT_NE(text.find(what), std::string::npos) << what;
  RE2::GlobalReplace(&text, RE2::QuoteMeta(what), instead);
  return text;
}

TEST(GivenLogs, BeforeTheRunnersAreReadByTheirOwnLines) {
  EXPECT_THAT(Explained(Given("before-0.12-healthy")).Text(),
              HasSubstr("1 device: Tesla T4 by cuda. Discovery is healthy."));
  const Explained lacks(Given("before-0.12-says-why"));
  EXPECT_TRUE(lacks.Names("driver-lacks-function"));
  EXPECT_THAT(lacks.Text(), HasSubstr("cuDeviceGetUuid"));
  const Explained mismatch(Given("release-of-2024"));
  EXPECT_TRUE(mismatch.Names("B4-mismatch"));
  // Sisters: another function; a healthy AMD GPU; a release that knows no such line.
  EXPECT_TRUE(Explained(With(Given("before-0.12-says-why"), "cuDeviceGetUuid", "cuCtxCreate_v3"))
                  .Names("driver-lacks-function"));
  EXPECT_THAT(Explained(With(Given("before-0.12-healthy"), "library=cuda variant=v12",
                             "library=rocm variant=\"\""))
                  .Text(),
              HasSubstr("by rocm. Discovery is healthy."));
  EXPECT_FALSE(Explained(With(Given("release-of-2024"), "version 0.5.4", "version 0.17.4"))
                   .Names("B4-mismatch"));
}

TEST(GivenLogs, OneGpuOfTwoDirectoriesIsNoCopyAtTheTop) {
  const std::string text = Explained(Given("counted-by-two-directories")).Flat();
  EXPECT_THAT(text, AllOf(HasSubstr("one GPU once by each directory: cuda_v12 and cuda_v13"),
                          Not(HasSubstr("copy of it in the top directory"))));
  EXPECT_THAT(Explained(With(Given("counted-by-two-directories"), "cuda_v13", "cuda_v12")).Flat(),
              HasSubstr("copy of it in the top directory"));
}

TEST(GivenLogs, AChildThatDidNotAnswerInTimeIsSlow) {
  for (const char* name : {"discovery-gave-up", "second-pass-too-slow"}) {
    const Explained log(Given(name));
    EXPECT_TRUE(log.Names("child-slow")) << name;
    EXPECT_EQ(log.explanation.named.size(), 1u) << name;
    EXPECT_THAT(log.Text(), Not(HasSubstr("TMPDIR")));
  }
  EXPECT_TRUE(
      Explained(With(Given("discovery-gave-up"), "failed to finish discovery before timeout",
                     "runner error: open /tmp/x.bin: read-only file system"))
          .Names("B7-no-answer"));
}

TEST(GivenLogs, TheUsualLevelRulesOutNoCauseOfAChild) {
  const Explained log(Given("info-level"));
  for (const char* cause : {"B1-no-libcudart", "B1-no-libcublasLt", "B2-other-release",
                            "B3-no-entry-point", "B4-no-device", "B6-abort-in-the-child"})
    EXPECT_TRUE(log.Leaves(cause)) << cause;
  EXPECT_TRUE(log.RulesOut("B7-no-answer"));
  EXPECT_THAT(log.Text(),
              AllOf(HasSubstr("OLLAMA_DEBUG=2"), HasSubstr("Of these it writes nothing")));
}

TEST(GivenLogs, AProgramWithoutItsFolderAsksItsOwn) {
  const Explained log(Given("program-without-its-folder"));
  ASSERT_EQ(log.explanation.named.size(), 1u);
  EXPECT_TRUE(log.Names("no-lib-folder"));
  EXPECT_THAT(log.Text(), HasSubstr("/srv/ai/bin"));
  const Explained empty(With(Given("program-without-its-folder"),
                             "OLLAMA_LIBRARY_PATH=[/srv/ai/bin]",
                             "OLLAMA_LIBRARY_PATH=[/srv/ai/lib/ollama]"));
  EXPECT_FALSE(empty.Names("no-lib-folder"));
  EXPECT_TRUE(empty.Names("no-gpu-libraries"));
}

TEST(GivenLogs, ADeviceThatWasCountedIsLostAfterThat) {
  const Explained three(Given("three-lines-of-a-device"));
  for (const char* cause : {"A1-unlistable", "A6-jetpack", "B5-hidden-by-an-empty-list"})
    EXPECT_FALSE(three.Leaves(cause)) << cause;
  EXPECT_TRUE(three.Leaves("S9-not-built-for-the-device"));
  const Explained amd(Given("removed-by-the-first-runner"));
  EXPECT_TRUE(amd.Names("gfx-unsupported"));
  EXPECT_FALSE(amd.Leaves("A1-unlistable"));
  EXPECT_THAT(amd.Text(), HasSubstr("gfx1103"));
}

TEST(GivenLogs, ASliceIsAskedForByItsParentsName) {
  const Explained log(Given("slice-asked-by-its-parents-name"));
  ASSERT_EQ(log.explanation.named.size(), 1u);
  EXPECT_TRUE(log.Names("mig-slice"));
  const Explained whole(With(Given("slice-asked-by-its-parents-name"), " MIG 1g.10gb", ""));
  EXPECT_FALSE(whole.Names("mig-slice") && whole.explanation.named.size() == 1);
}

TEST(GivenLogs, TheLogSaysWhyABackendWasNotLoaded) {
  const Explained log(Given("the-log-says-why"));
  ASSERT_EQ(log.explanation.named.size(), 1u);
  EXPECT_TRUE(log.Names("B1-no-libcublasLt"));
  EXPECT_THAT(log.Text(), ContainsRegex("the child does not find libcublasLt.so.12"));
  EXPECT_TRUE(Explained(With(Given("the-log-says-why"), "libcublasLt.so.12", "libcuda.so.1"))
                  .Names("B1-no-libcuda"));
}

TEST(GivenLogs, TheLastStartIsExplained) {
  const Explained log(Given("worked-yesterday"));
  EXPECT_EQ(log.explanation.outcome, LogOutcome::kNone);
  ASSERT_FALSE(log.explanation.left.empty());
  EXPECT_EQ(log.explanation.left.front().cause->id, "B5-hidden-by-a-list");
}

TEST(GivenLogs, DockersOwnFileIsRead) {
  EXPECT_THAT(Explained(Given("docker-json-file")).Flat(),
              HasSubstr("1 device: NVIDIA L4 by CUDA. Discovery is healthy."));
}

}  // namespace
}  // namespace gpustage
