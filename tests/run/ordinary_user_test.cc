// The same boxes for somebody who is not root: the tests of this program, started again as nobody.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "tests/support/box.h"

namespace gpustage {
namespace {

constexpr uid_t kNobody = 65534;

TEST(AsNobody, TheBoxKeepsItsPromises) {
  if (geteuid() != 0) GTEST_SKIP() << "we are an ordinary user already";
  // Where nobody can reach it, with what it needs.
  const Result<ScratchDirectory> place = ScratchDirectory::Make();
  ASSERT_THAT(place, IsOk());
  const std::string program = place->path() + "/run_test", actor = place->path() + "/actor",
                    temporary = place->path() + "/tmp";
  ASSERT_THAT(CopyFile("/proc/self/exe", program), IsOk());
  ASSERT_THAT(CopyFile(ActorProgram(), actor), IsOk());
  ASSERT_EQ(chmod(place->path().c_str(), 0755), 0);
  ASSERT_EQ(mkdir(temporary.c_str(), 0700), 0);
  ASSERT_EQ(chown(temporary.c_str(), kNobody, kNobody), 0);
  const Result<ProgramOutput> ran = RunProgram(
      {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i",
       "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + temporary, "TMPDIR=" + temporary,
       "GPUSTAGE_ACTOR=" + actor, program, "--gtest_filter=RunInBoxTest.*:InsideTheBox.*"});
  ASSERT_THAT(ran, IsOk());
  EXPECT_EQ(ran->exit_code, 0) << ran->out;
  if (ran->out.find("this machine allows no private root") != std::string::npos)
    GTEST_SKIP() << "nobody gets no user namespace here";
  EXPECT_THAT(ran->out, testing::HasSubstr("[  PASSED  ]"));
}

TEST(AsNobody, ALevelIsFoundByTrial) {
  if (geteuid() != 0) GTEST_SKIP() << "we are an ordinary user already";
  const pid_t child = fork();
  if (child == 0) {
    if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
      _exit(99);
    _exit(static_cast<int>(ProbeIsolation().level));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  // Never root's, whatever this machine allows.
  EXPECT_THAT(static_cast<IsolationLevel>(WEXITSTATUS(status)),
              testing::AnyOf(IsolationLevel::kUserTwoUids, IsolationLevel::kUserOneUid,
                             IsolationLevel::kNone));
}

TEST(ProbeIsolation, LeavesThisProcessAsItWas) {
  char before[256] = {}, after[256] = {};
  ASSERT_GT(readlink("/proc/self/ns/mnt", before, sizeof before - 1), 0);
  const Isolation isolation = ProbeIsolation();
  ASSERT_GT(readlink("/proc/self/ns/mnt", after, sizeof after - 1), 0);
  EXPECT_STREQ(before, after);
  ASSERT_FALSE(isolation.trials.empty());
  for (const Trial& trial : isolation.trials) EXPECT_EQ(trial.ok, trial.why.empty()) << trial.what;
}

}  // namespace
}  // namespace gpustage
