// gpustage list, show, exec and doctor.
#include "tests/cli/cli_test.h"

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

}  // namespace
}  // namespace gpustage
