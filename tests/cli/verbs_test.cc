// gpustage list, show, exec and doctor.
#include "harness/evidence/store/recording.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class VerbsTest : public CliTest {};

TEST_F(VerbsTest, ListNamesCasesRunsAndClaims) {
  const Ran ran = Run({"list", Scenario("exit, 0", "devices: 0"), "--scanner", Path("actor.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "s  [actor]  the actor acts\n");
}

TEST_F(VerbsTest, ListTakesAllScenariosWhenNoneIsNamed) {
  const Ran ran = Run({"list"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("first-steps/healthy@"));
}

TEST_F(VerbsTest, ShowPrintsTheResolvedCase) {
  const Ran ran = Run({"show", "first-steps/healthy@gpus=1,stack=ggml-12"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("first-steps/healthy@gpus=1,stack=ggml-12\n  claim  "));
  EXPECT_THAT(ran.out, HasSubstr("  axis   gpus = 1\n  axis   stack = ggml-12\n"));
  EXPECT_THAT(ran.out, HasSubstr("symlink /usr/lib/x86_64-linux-gnu/libcuda.so.1 -> "));
  EXPECT_THAT(ran.out, HasSubstr("every run: devices: 1    "));
  EXPECT_THAT(ran.out, Not(HasSubstr("devices: 2")));
}

TEST_F(VerbsTest, ShowOfNothingIsAnError) {
  EXPECT_EQ(Run({"show", "first-steps/healthy@gpus=7"}).status, 2);
  EXPECT_EQ(Run({"show"}).status, 2);
}

TEST_F(VerbsTest, DoctorSaysWhatThisMachineCanDo) {
  const Ran ran = Run({"doctor"});
  EXPECT_EQ(ran.status, CanStage() ? 0 : 3);
  EXPECT_THAT(ran.out, StartsWith("isolation  "));
  EXPECT_THAT(ran.out, HasSubstr("\nparts\n"));
  EXPECT_THAT(ran.out, HasSubstr("ok  audit"));
}

class ExecTest : public StagedCliTest {
 protected:
  Ran Exec(std::vector<std::string> words, std::vector<std::string> options = {}) const {
    std::vector<std::string> all = {"exec"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"first-steps/healthy@gpus=1,stack=ggml-12", "--", GPUSTAGE_ACTOR});
    all.insert(all.end(), words.begin(), words.end());
    return Run(all);
  }
};

TEST_F(ExecTest, PassesTheExitStatusThrough) {
  EXPECT_EQ(Exec({"exit", "0"}).status, 0);
  EXPECT_EQ(Exec({"exit", "7"}).status, 7);
  EXPECT_EQ(Exec({"crash"}).status, 139);
  EXPECT_EQ(Exec({"raise", "15"}).status, 143);
}

TEST_F(ExecTest, PassesBothStreamsThrough) {
  const Ran ran = Exec({"out", "to stdout", "err", "to stderr"});
  EXPECT_EQ(ran.out, "to stdout");
  EXPECT_EQ(ran.err, "to stderr");
}

TEST_F(ExecTest, RunsInTheTreeOfTheCase) {
  EXPECT_THAT(Exec({"list", "/usr/local/lib/ollama"}).out, HasSubstr("entry cuda_v12\n"));
  EXPECT_THAT(Exec({"open", "/home/user"}).out, HasSubstr("open ok\n"));
  EXPECT_THAT(Exec({"open", scratch_.path()}).out, HasSubstr("open ENOENT\n"));
}

TEST_F(ExecTest, RunsAsTheGivenUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a second uid";
  EXPECT_THAT(Exec({"who"}).out, StartsWith("uid 65534 "));
  EXPECT_THAT(Exec({"who"}, {"--user", "root"}).out, StartsWith("uid 0 "));
  EXPECT_EQ(Exec({"who"}, {"--user", "mallory"}).status, 2);
}

TEST_F(ExecTest, SaysThatAProgramIsNowhere) {
  const Ran ran =
      Run({"exec", "first-steps/healthy@gpus=1,stack=ggml-12", "--", "no-such-program"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: no program \"no-such-program\" in the tree or on this machine\n");
}

TEST_F(ExecTest, WantsOneCase) {
  const Ran ran = Run({"exec", "first-steps/healthy", "--", "true"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err,
              HasSubstr("first-steps/healthy has 8 cases; name one:\n  first-steps/healthy@"));
}

// The logs are those of Ollama 0.17.4 in the cases of the report.
class ExplainLogTest : public CliTest {
 protected:
  Ran Explain(const std::string& cell, const std::string& verb = "explain") {
    const auto json = ReadFile(
        InSources("/fixtures/recordings/ollama-0.17.4/scanner-not-loading/the-report.json"));
    EXPECT_THAT(json, IsOk());
    const auto recordings = ParseRecordings(*json);
    EXPECT_THAT(recordings, IsOk());
    std::string log;
    for (const std::string& line :
         recordings->of.at("scanner-not-loading/the-report@cause=" + cell).log)
      log += (line.starts_with("level=") ? "time=2026-02-26T09:23:07.417Z " : "") + line + "\n";
    Write("ollama.log", log);
    return Run({verb, Path("ollama.log")});
  }
};

TEST_F(ExplainLogTest, NamesTheCauseThatOllamaHad) {
  for (const char* cause : {"A1-unlistable", "B1-no-libcudart", "B4-unknown-error",
                            "B5-hidden-by-a-list", "B7-no-answer"}) {
    const Ran ran = Explain(cause + std::string(" debug=1"));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out.substr(0, ran.out.find("Ruled out")),
                testing::ContainsRegex(std::string("\n +") + cause + "[ \n]"));
  }
}

TEST_F(ExplainLogTest, NamesOneAloneWhereTheChildsOutputSaysSo) {
  const Ran ran = Explain("S2-unversioned-libcudart debug=2");
  EXPECT_THAT(ran.out, HasSubstr("\nThe log names the cause:\n  S2-unversioned-libcudart\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("B1-")));
}

TEST_F(ExplainLogTest, IsKnownByItsOldName) {
  EXPECT_EQ(Explain("B1-no-libcudart debug=1", "explain-log").out,
            Explain("B1-no-libcudart debug=1").out);
}

TEST_F(ExplainLogTest, RefusesWhatIsNoLog) {
  Write("notes.txt", "hello\n");
  const Ran ran = Run({"explain", Path("notes.txt")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err,
              HasSubstr("no line of a program that is known here: expected lines such as"));
  EXPECT_EQ(Run({"explain", Path("nowhere.txt")}).status, 2);
  EXPECT_EQ(Run({"explain"}).status, 2);
}

TEST_F(ExplainLogTest, TellsEachOfSeveralFiles) {
  Write("a.txt", "Failed to initialize NVML: Driver/library version mismatch\n");
  Write("b.txt", "load_backend: failed to find ggml_backend_init in ./libggml-cuda.so\n");
  const Ran ran = Run({"explain", Path("a.txt"), Path("b.txt")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::AllOf(
                           HasSubstr("== " + Path("a.txt") + "\n"), HasSubstr("B4-mismatch"),
                           HasSubstr("\n== " + Path("b.txt") + "\n"), HasSubstr("no-entry-point")));
}

TEST_F(ExplainLogTest, HasWrittenThePageOfTheScenario) {
  const auto page = ReadFile(InSources("/scenarios/scanner-not-loading/README.md"));
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(Run({"explain", "--page"}).out, *page);
}

}  // namespace
}  // namespace gpustage
