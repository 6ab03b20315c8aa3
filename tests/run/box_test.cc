// How a program in a box may behave, and what its start gives.
#include "tests/support/box.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/processes.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::Not;

constexpr int64_t kSecond = 1'000'000'000;

class RunInBoxTest : public BoxTest {};

TEST_F(RunInBoxTest, GivesTheExitStatus) {
  EXPECT_EQ(Act({"exit", "0"}).outcome, (Outcome{Outcome::Kind::kExited, 0, ""}));
  EXPECT_EQ(Act({"exit", "7"}).outcome, (Outcome{Outcome::Kind::kExited, 7, ""}));
  EXPECT_EQ(Act({"exit", "255"}).outcome, (Outcome{Outcome::Kind::kExited, 255, ""}));
}

TEST_F(RunInBoxTest, GivesTheSignalOfACrash) {
  EXPECT_EQ(Act({"crash"}).outcome, (Outcome{Outcome::Kind::kKilled, SIGSEGV, ""}));
  EXPECT_EQ(Act({"abort"}).outcome, (Outcome{Outcome::Kind::kKilled, SIGABRT, ""}));
  EXPECT_EQ(Act({"raise", "9"}).outcome, (Outcome{Outcome::Kind::kKilled, SIGKILL, ""}));
}

TEST_F(RunInBoxTest, KeepsWhatWasPrintedBeforeACrash) {
  EXPECT_EQ(Out(Act({"out", "last words", "crash"})), "last words");
}

TEST_F(RunInBoxTest, KeepsTheStreamsApart) {
  const RawRun run = Act({"out", "one\n", "err", "two\n", "out", "three", "err", "four"});
  EXPECT_EQ(Out(run), "one\nthree");
  EXPECT_EQ(Err(run), "two\nfour");
}

TEST_F(RunInBoxTest, KeepsBytesThatAreNoText) {
  EXPECT_EQ(Out(Act({"out", "\xff\x01\r\n\x1b[0m"})), "\xff\x01\r\n\x1b[0m");
}

TEST_F(RunInBoxTest, EndsAProgramThatHangs) {
  const std::string mark = UniqueWord();
  spec_.time_limit = std::chrono::milliseconds(300);
  const RawRun run = Act({"out", "before", "hang", mark});
  EXPECT_EQ(run.outcome, (Outcome{Outcome::Kind::kTimedOut, SIGKILL, "after 0.3 s"}));
  EXPECT_EQ(Out(run), "before");
  EXPECT_THAT(run.duration_ns, AllOf(Ge(3 * kSecond / 10), Lt(5 * kSecond)));
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
}

TEST_F(RunInBoxTest, EndsAProgramThatIgnoresSigterm) {
  const std::string mark = UniqueWord();
  spec_.time_limit = std::chrono::milliseconds(300);
  const RawRun run = Act({"ignore", "15", "ignore", "1", "ignore", "2", "hang", mark});
  EXPECT_EQ(run.outcome.kind, Outcome::Kind::kTimedOut);
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
}

TEST_F(RunInBoxTest, EndsAFlood) {
  spec_.output_limit = 64 << 10;
  const RawRun run = Act({"flood", "4096", "hang"});
  EXPECT_EQ(run.outcome, (Outcome{Outcome::Kind::kKilled, SIGKILL, "it printed more than 64 KiB"}));
  // One read more than the limit at most.
  EXPECT_THAT(Out(run).size(), AllOf(Ge(64u << 10), Lt(192u << 10)));
}

TEST_F(RunInBoxTest, TakesExactlyTheLimit) {
  spec_.output_limit = 64 << 10;
  const RawRun run = Act({"flood", "64"});
  EXPECT_EQ(run.outcome, (Outcome{Outcome::Kind::kExited, 0, ""}));
  EXPECT_EQ(Out(run).size(), 64u << 10);
}

TEST_F(RunInBoxTest, EndsADaemonThatOutlivesItsParent) {
  const std::string mark = UniqueWord();
  const RawRun run = Act({"daemon", "out", "gone", "exit", "3", mark});
  EXPECT_EQ(run.outcome, (Outcome{Outcome::Kind::kExited, 3, ""}));
  EXPECT_EQ(Out(run), "gone");
  EXPECT_EQ(run.left_over, 1);
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
}

TEST_F(RunInBoxTest, CountsNothingLeftOverOfAQuietProgram) {
  EXPECT_EQ(Act({"exit", "0"}).left_over, 0);
}

TEST_F(RunInBoxTest, EndsARunawayOfForks) {
  const std::string mark = UniqueWord();
  const RawRun run = Act({"forks", "2000", "exit", "0", mark});
  EXPECT_EQ(run.outcome.kind, Outcome::Kind::kExited);
  EXPECT_THAT(run.outcome.note, HasSubstr("it had as many processes as a box may, 512"));
  EXPECT_EQ(Out(run), "forks some EAGAIN\n");
  EXPECT_THAT(run.left_over, AllOf(Ge(100), Lt(512)));
  EXPECT_THAT(ProcessesWith(mark), IsEmpty());
}

TEST_F(RunInBoxTest, StopsAtTheLineThatSaysDone) {
  std::vector<std::string> asked;
  spec_.done_when = [&](std::string_view line) {
    asked.emplace_back(line);
    return line == "ready";
  };
  const RawRun run = Act({"out", "starting\nrea", "out", "dy\nmore\n", "hang"});
  EXPECT_EQ(run.outcome.kind, Outcome::Kind::kStopped);
  EXPECT_THAT(asked, testing::ElementsAre("starting", "ready"));
}

TEST_F(RunInBoxTest, WaitsForTheExitWhenNoLineSaysDone) {
  spec_.done_when = [](std::string_view line) { return line == "ready"; };
  EXPECT_EQ(Act({"out", "ready", "exit", "4"}).outcome, (Outcome{Outcome::Kind::kExited, 4, ""}));
}

TEST_F(RunInBoxTest, SaysWhyItWasNotStarted) {
  spec_.argv = {"/no/such/program"};
  const RawRun missing = RunInBox(spec_, isolation());
  EXPECT_EQ(missing.outcome,
            (Outcome{Outcome::Kind::kNotStarted, ENOENT,
                     "/no/such/program could not be executed: No such file or directory"}));
  spec_.working_directory = "/gone";
  EXPECT_EQ(Act({}).outcome, (Outcome{Outcome::Kind::kNotStarted, ENOENT,
                                      "no working directory /gone: No such file or directory"}));
}

// A character device of the tree can be seen and not opened: here one that would end at once.
TEST_F(RunInBoxTest, OpensNoDeviceOfItsTree) {
  if (geteuid() != 0) GTEST_SKIP() << "only root makes a character device";
  const std::string node = spec_.root + "/null";
  ASSERT_EQ(mknod(node.c_str(), S_IFCHR | 0666, makedev(1, 3)), 0) << strerror(errno);
  ASSERT_EQ(chmod(node.c_str(), 0666), 0);
  const Fd outside(open(node.c_str(), O_RDONLY));
  EXPECT_TRUE(outside) << "it is a device outside";
  EXPECT_THAT(Out(Act({"open", "/null"})), HasSubstr("open EACCES"));
}

TEST_F(RunInBoxTest, IsNotStartedWithoutARoot) {
  spec_.root += "/gone";
  const Outcome outcome = Act({}).outcome;
  EXPECT_EQ(outcome.kind, Outcome::Kind::kNotStarted);
  EXPECT_THAT(outcome.note, HasSubstr("/gone: No such file or directory"));
}

TEST_F(RunInBoxTest, LeavesNothingMounted) {
  const std::string before = WholeFile("/proc/self/mountinfo");
  Act({"out", "x"});
  EXPECT_EQ(WholeFile("/proc/self/mountinfo"), before);
  EXPECT_THAT(before, Not(HasSubstr(spec_.root)));
}

TEST_F(RunInBoxTest, LeavesNoDescriptorOpen) {
  const auto descriptors = [] {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
  };
  const int before = descriptors();
  Act({"out", "x"});
  spec_.argv = {"/missing"};
  RunInBox(spec_, isolation());
  EXPECT_EQ(descriptors(), before);
}

TEST_F(RunInBoxTest, TimesEveryChunkWithinTheRun) {
  const RawRun run = Act({"out", "a", "err", "b"});
  for (const OutputChunk& chunk : run.output)
    EXPECT_THAT(chunk.time_ns, AllOf(Ge(0), testing::Le(run.duration_ns)));
}

}  // namespace
}  // namespace gpustage
