// gpustage shell on a terminal: what a person types, and what comes up. What a command prints is
// computed by the shell inside ($((40+2))), so that the echo of the typed line is no answer.
#include <gmock/gmock.h>

#include "tests/cli/cli_test.h"
#include "tests/support/pty.h"

namespace gpustage {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPrompt[] = "[s] /";
constexpr char kDriver[] = "/usr/lib/x86_64-linux-gnu/libcuda.so.1";

class ShellTest : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    environment_["TERM"] = "dumb";
    Write("s.yaml",
          std::string("claim: the driver counts\nmachine: {devices: [h100-80gb]}\n"
                      "layout: [nvidia-driver-debian]\nruns: [{scanner: dlopen, args: [") +
              kDriver + "]}]\nexpect:\n  - {devices: 1}\n");
  }

  std::vector<std::string> Words(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {GPUSTAGE_PROGRAM, "shell", Path("s.yaml")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Pty Shell(std::vector<std::string> more = {}) const {
    return Pty(Words(std::move(more)), environment_, {33, 101, 0, 0});
  }
};

TEST_F(ShellTest, PassesTheExitStatusThrough) {
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("exit 7\n");
  ASSERT_TRUE(shell.Shows("gpustage: exited 7 after")) << shell.seen();
  EXPECT_TRUE(shell.IsAsBefore());
  EXPECT_EQ(shell.Wait(), 7);
  EXPECT_THAT(FilesBelow(Path("tmp"), ""), IsOkAnd(IsEmpty()));
}

// The job starts no program: one stopped between its vfork and its exec leaves the shell that waits
// for it running, and no job stops.
TEST_F(ShellTest, StopsAJobAndContinuesIt) {
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type(
      "sh -c 'trap \"echo caught-\\$((40+2)); exit 9\" INT; trap \"echo continued-\\$((40+2))\" "
      "CONT; echo started-$((40+2)); while :; do :; "
      "done'\n");
  ASSERT_TRUE(shell.Shows("started-42")) << shell.seen();
  shell.Type("\x1a");
  ASSERT_TRUE(shell.Shows("Stopped")) << shell.seen();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("jobs; echo here-$((40+2)); fg\n");
  ASSERT_TRUE(shell.Shows("here-42")) << shell.seen();
  ASSERT_TRUE(shell.Shows("continued-42")) << shell.seen();
  shell.Type("\x03");
  ASSERT_TRUE(shell.Shows("caught-42")) << shell.seen();
  shell.Type("echo rc-$?; exit\n");
  EXPECT_TRUE(shell.Shows("rc-9")) << shell.seen();
  EXPECT_EQ(shell.Wait(), 0);
}

TEST_F(ShellTest, InterruptsAProgramAndNotItself) {
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("sh -c 'echo started-$((40+2)); exec sleep 1000'\n");
  ASSERT_TRUE(shell.Shows("started-42")) << shell.seen();
  shell.Type("\x03");
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("echo rc-$?; exit 3\n");
  EXPECT_TRUE(shell.Shows("rc-130")) << shell.seen();
  EXPECT_EQ(shell.Wait(), 3);
}

TEST_F(ShellTest, HasTheSizeOfTheWindowAndFollowsIt) {
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("stty size\n");
  ASSERT_TRUE(shell.Shows("33 101")) << shell.seen();
  shell.Type(
      "sh -c 'trap \"stty size; exit\" WINCH; echo started-$((40+2)); while :; do sleep 0.05; "
      "done'\n");
  ASSERT_TRUE(shell.Shows("started-42")) << shell.seen();
  shell.Resize({44, 122, 0, 0});
  EXPECT_TRUE(shell.Shows("44 122")) << shell.seen();
  shell.Type("exit 0\n");
  EXPECT_EQ(shell.Wait(), 0);
}

TEST_F(ShellTest, TellsOfAProgramThatCrashes) {
  Pty shell = Shell({"--user", "root"});
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("sh -c 'kill -SEGV $$'; echo rc-$?\n");
  ASSERT_TRUE(shell.Shows("rc-139")) << shell.seen();
  shell.Type("exit 0\n");
  EXPECT_EQ(shell.Wait(), 0);
}

TEST_F(ShellTest, EndsAsTheProgramThatItWasGiven) {
  Pty shell = Shell({"--", GPUSTAGE_ACTOR, "crash"});
  EXPECT_TRUE(shell.Shows("gpustage: killed by SIGSEGV after")) << shell.seen();
  EXPECT_EQ(shell.Wait(), 128 + SIGSEGV);
}

// The debugger is this machine's; loader and fakes are watched meanwhile.
TEST_F(ShellTest, LetsADebuggerStopInAFake) {
  if (access("/usr/bin/gdb", X_OK) != 0) GTEST_SKIP() << "no gdb here: install the package gdb";
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type(std::string("gdb -q -nx -ex 'set pagination off' -ex 'set style enabled off' -ex 'set "
                         "breakpoint pending on' "
                         "-ex 'break cuInit' -ex run --args /usr/local/bin/dlopen_probe ") +
             kDriver + "\n");
  ASSERT_TRUE(shell.Shows("Breakpoint 1, ")) << shell.seen();
  shell.Type("bt 1\n");
  ASSERT_TRUE(shell.Shows("cuInit")) << shell.seen();
  shell.Type("python print('py-%d' % (40+2))\n");
  EXPECT_TRUE(shell.Shows("py-42")) << shell.seen();
  shell.Type("continue\n");
  ASSERT_TRUE(shell.Shows("\"count\":1")) << shell.seen();
  ASSERT_TRUE(shell.Shows("exited normally")) << shell.seen();
  shell.Type("quit\n");
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("exit 0\n");
  EXPECT_EQ(shell.Wait(), 0);
  EXPECT_THAT(shell.seen(), ContainsRegex("[1-9][0-9]* loads, [1-9][0-9]* calls into fakes"));
  EXPECT_THAT(shell.seen(), HasSubstr("funnel"));
}

TEST_F(ShellTest, LeavesNothingWhenTheTerminalHangsUp) {
  const std::string mark = UniqueWord();
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  shell.Type("sh -c 'trap \"\" HUP TERM; echo started-$((40+2)); while :; do sleep 0.05; done' " +
             mark + "\n");
  ASSERT_TRUE(shell.Shows("started-42")) << shell.seen();
  EXPECT_FALSE(ProcessesWith(mark).empty());
  shell.HangUp();
  EXPECT_EQ(shell.Wait(), 128 + SIGHUP);
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
  EXPECT_THAT(FilesBelow(Path("tmp"), ""), IsOkAnd(IsEmpty()));
}

TEST_F(ShellTest, GivesTheTerminalBackWhenItIsToldToEnd) {
  const std::string mark = UniqueWord();
  Pty shell = Shell();
  ASSERT_TRUE(shell.Shows(kPrompt)) << shell.seen();
  EXPECT_FALSE(shell.IsAsBefore());  // it takes each key
  shell.Type("sh -c 'echo started-$((40+2)); exec sleep 1000' " + mark + "\n");
  ASSERT_TRUE(shell.Shows("started-42")) << shell.seen();
  kill(shell.pid(), SIGTERM);
  ASSERT_TRUE(shell.Shows("gpustage: killed by SIGTERM")) << shell.seen();
  EXPECT_TRUE(shell.IsAsBefore());
  EXPECT_EQ(shell.Wait(), 128 + SIGTERM);
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
}

TEST_F(ShellTest, ReadsCommandsFromAFileWhereThereIsNoTerminal) {
  Write("commands", "echo user-$(id -u); exit 5\n");
  std::string line;
  for (const std::string& word : Words({"--user", "nobody"})) line += "'" + word + "' ";
  const Ran ran = Finish(
      Start({"/bin/sh", "-c", line + "< " + Path("commands")}, environment_, scratch_.path()),
      scratch_.path());
  EXPECT_EQ(ran.status, 5) << ran.err;
  EXPECT_EQ(ran.out, "user-65534\n");
  EXPECT_THAT(ran.err, HasSubstr("gpustage: exited 5 after"));
}

TEST_F(ShellTest, SaysWhichCasesThereAre) {
  const Ran ran = Run({"shell", "first-steps/healthy"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err,
              HasSubstr("has 8 cases; name one:\n  first-steps/healthy@gpus=1,stack=ollama-12"));
}

}  // namespace
}  // namespace gpustage
