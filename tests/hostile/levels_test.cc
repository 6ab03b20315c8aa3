// The same for somebody who is not root: the tests of this program, started again as nobody.
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/process.h"
#include "harness/stage/shared_files.h"
#include "tests/hostile/hostile.h"
#include "tests/support/box.h"

namespace gpustage {
namespace {

// Lends nobody 65536 ids, in a mount namespace that ends with the command.
constexpr char kLendIds[] = R"(
  mount --make-rprivate /
  printf 'nobody:200000:65536\n' >"$0/ids"
  for file in /etc/subuid /etc/subgid; do
    [ -e "$file" ] || exit 77
    mount --bind "$0/ids" "$file"
  done
  exec "$@")";

class HostileLevels : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "we are an ordinary user already";
    // Where nobody can reach it, with what it needs.

    ASSERT_THAT(place_, IsOk());
    ASSERT_THAT(CopyFile("/proc/self/exe", In("test")), IsOk());
    ASSERT_THAT(CopyFile(ActorProgram(), In("actor")), IsOk());
    ASSERT_THAT(CopyFile(HostileScanner(), In("scanner")), IsOk());
    ASSERT_EQ(chmod(place_->path().c_str(), 0755), 0);
    ASSERT_EQ(mkdir(In("tmp").c_str(), 0700), 0);
    ASSERT_EQ(chown(In("tmp").c_str(), 65534, 65534), 0);
  }

  std::string In(const char* name) const { return place_->path() + "/" + name; }

  // The tests that `filter` names, as nobody, `before` in front of the command.
  Result<ProgramOutput> AsNobody(std::vector<std::string> before, const std::string& filter) {
    for (const std::string& word : std::vector<std::string>{
             "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + In("tmp"), "TMPDIR=" + In("tmp"),
             "GPUSTAGE_ACTOR=" + In("actor"), "GPUSTAGE_HOSTILE=" + In("scanner"), In("test"),
             "--gtest_filter=" + filter + ":HostileStart.*:Over/HostileTree.*"})
      before.push_back(word);
    return RunProgram(before, std::chrono::seconds(110));
  }

  static void ExpectAllPassed(const ProgramOutput& ran) {
    EXPECT_EQ(ran.exit_code, 0) << ran.out;
    EXPECT_THAT(ran.out, testing::HasSubstr("[  PASSED  ]"));
  }

 private:
  const Result<ScratchDirectory> place_ = ScratchDirectory::Make();
};

TEST_F(HostileLevels, HoldForAnOrdinaryUserWithOneId) {
  const Result<ProgramOutput> ran = AsNobody({}, "As/HostileBox.*/Root");
  ASSERT_THAT(ran, IsOk());
  if (ran->out.find("this machine allows no private root") != std::string::npos)
    GTEST_SKIP() << "nobody gets no user namespace here";
  ExpectAllPassed(*ran);
}

TEST_F(HostileLevels, HoldForAnOrdinaryUserWithLentIds) {
  const Result<ProgramOutput> tool = RunProgram({"sh", "-c", "command -v newuidmap newgidmap"});
  if (!tool || tool->exit_code != 0) GTEST_SKIP() << "there is no newuidmap here (uidmap)";
  const Result<ProgramOutput> ran =
      AsNobody({"unshare", "--mount", "bash", "-ec", kLendIds, In("tmp/..")}, "As/HostileBox.*");
  ASSERT_THAT(ran, IsOk());
  if (ran->exit_code == 77) GTEST_SKIP() << "there is no /etc/subuid to be covered";
  if (ran->out.find("this machine allows no private root") != std::string::npos)
    GTEST_SKIP() << "nobody gets no user namespace here";
  EXPECT_THAT(ran->out, testing::HasSubstr("As/HostileBox.ThreadsAreCountedToo/Nobody"));
  ExpectAllPassed(*ran);
}

}  // namespace
}  // namespace gpustage
