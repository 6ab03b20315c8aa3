// The same for somebody who is not root: the tests of this program, started again as nobody.
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/process.h"
#include "harness/stage/shared_files.h"
#include "tests/hostile/hostile.h"
#include "tests/support/box.h"

namespace gpustage {
namespace {

TEST(HostileLevels, HoldForAnOrdinaryUserWithOneId) {
  if (geteuid() != 0) GTEST_SKIP() << "we are an ordinary user already";
  // Where nobody can reach it, with what it needs.
  const Result<ScratchDirectory> place = ScratchDirectory::Make();
  ASSERT_THAT(place, IsOk());
  const std::string program = place->path() + "/test", actor = place->path() + "/actor",
                    scanner = place->path() + "/scanner", temporary = place->path() + "/tmp";
  ASSERT_THAT(CopyFile("/proc/self/exe", program), IsOk());
  ASSERT_THAT(CopyFile(ActorProgram(), actor), IsOk());
  ASSERT_THAT(CopyFile(HostileScanner(), scanner), IsOk());
  ASSERT_EQ(chmod(place->path().c_str(), 0755), 0);
  ASSERT_EQ(mkdir(temporary.c_str(), 0700), 0);
  ASSERT_EQ(chown(temporary.c_str(), 65534, 65534), 0);
  const Result<ProgramOutput> ran =
      RunProgram({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i",
                  "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + temporary, "TMPDIR=" + temporary,
                  "GPUSTAGE_ACTOR=" + actor, "GPUSTAGE_HOSTILE=" + scanner, program,
                  "--gtest_filter=As/HostileBox.*/Root:HostileStart.*:Over/HostileTree.*"},
                 std::chrono::seconds(110));
  ASSERT_THAT(ran, IsOk());
  if (ran->out.find("this machine allows no private root") != std::string::npos)
    GTEST_SKIP() << "nobody gets no user namespace here";
  EXPECT_EQ(ran->exit_code, 0) << ran->out;
  EXPECT_THAT(ran->out, testing::HasSubstr("[  PASSED  ]"));
}

}  // namespace
}  // namespace gpustage
