// What a program in a box finds around itself.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/root.h"
#include "harness/stage/build.h"
#include "tests/support/box.h"
#include "tests/support/processes.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

class InsideTheBox : public BoxTest {
 protected:
  void MakeFile(const std::string& path, const std::string& content, mode_t mode) {
    const Result<Root> root = Root::Open(spec_.root);
    ASSERT_THAT(root->WriteFile(path, content, mode), IsOk());
  }
  void SetMode(const std::string& path, mode_t mode) {
    ASSERT_EQ(chmod((spec_.root + path).c_str(), mode), 0);
  }
};

TEST_F(InsideTheBox, TheUserIsTheGivenOne) {
  const std::string who = Out(Act({"who"}));
  EXPECT_THAT(who, HasSubstr(OneUid() ? "uid 0 gid 0" : "uid 65534 gid 65534 groups 0\n"));
}

TEST_F(InsideTheBox, AnOrdinaryUserHasNoCapability) {
  if (OneUid()) GTEST_SKIP() << "the scanner is root of its user namespace";
  const std::string status = Out(Act({"cat", "/proc/self/status"}));
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_EQ(Out(Act({"setuid", "0"})), "setuid EPERM\n");
}

TEST_F(InsideTheBox, RootMayTouchFilesAndNothingElse) {
  spec_.uid = spec_.gid = 0;
  MakeFile("/secret", "x", 0000);
  EXPECT_EQ(Out(Act({"open", "/secret"})), "open ok\n");
  EXPECT_EQ(Out(Act({"mount", "/"})), "mount EPERM\n");
  // CAP_CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID: bits 0 to 7 but for
  // DAC_READ_SEARCH.
  EXPECT_THAT(Out(Act({"cat", "/proc/self/status"})), HasSubstr("CapEff:\t00000000000000fb\n"));
}

TEST_F(InsideTheBox, TheEnvironmentIsTheGivenOne) {
  spec_.environment = {"ONE=1", "EMPTY=", "ODD=\xff = x"};
  EXPECT_THAT(Out(Act({"who"})), testing::EndsWith("env ONE=1\nenv EMPTY=\nenv ODD=\xff = x\n"));
  spec_.environment = {};
  EXPECT_THAT(Out(Act({"who"})), Not(HasSubstr("env ")));
}

TEST_F(InsideTheBox, TheWorkingDirectoryIsTheGivenOne) {
  ASSERT_EQ(mkdir((spec_.root + "/deep").c_str(), 0755), 0);
  spec_.working_directory = "/deep";
  EXPECT_THAT(Out(Act({"who"})), HasSubstr("cwd /deep\n"));
}

TEST_F(InsideTheBox, OnlyTheThreeStreamsAreOpen) {
  const Fd ours(open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  EXPECT_EQ(Out(Act({"fds"})), "fd 0\nfd 1\nfd 2\n");
}

TEST_F(InsideTheBox, TheRootIsTheTreeAndNothingOfTheHost) {
  const std::string listed = Out(Act({"list", "/"}));
  EXPECT_THAT(listed, HasSubstr("entry actor\n"));
  for (const char* host : {"home", "etc", "usr", "boot"})
    EXPECT_THAT(listed, Not(HasSubstr(std::string("entry ") + host)));
  std::istringstream mounts(Out(Act({"cat", "/proc/self/mountinfo"})));
  std::vector<std::string> points;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, within, point;
    fields >> id >> parent >> device >> within >> point;
    if (!point.starts_with("/dev/") && !point.starts_with("/proc/")) points.push_back(point);
  }
  EXPECT_THAT(points, testing::UnorderedElementsAre("/", "/proc"));
}

TEST_F(InsideTheBox, TheDeviceNodesWork) {
  EXPECT_EQ(Out(Act({"create", "/dev/null"})), "open ok\n");
  EXPECT_EQ(Out(Act({"open", "/dev/urandom"})), "open ok\n");
}

TEST_F(InsideTheBox, OtherProcessesAreNotToBeSeen) {
  if (!isolation().fresh_proc) GTEST_SKIP() << "this machine does not let a box have its own /proc";
  EXPECT_THAT(Out(Act({"who"})), HasSubstr("pid 2\n"));
  EXPECT_THAT(Out(Act({"list", "/proc/" + std::to_string(getpid())})),
              testing::AnyOf("list ENOENT\n", HasSubstr("entry")));
  EXPECT_THAT(Out(Act({"list", "/proc"})), Not(HasSubstr("entry 3\n")));
}

TEST_F(InsideTheBox, ThereIsNoNetwork) {
  EXPECT_EQ(Out(Act({"socket", std::to_string(AF_INET)})), "socket EAFNOSUPPORT\n");
  EXPECT_EQ(Out(Act({"socket", std::to_string(AF_INET6)})), "socket EAFNOSUPPORT\n");
  EXPECT_EQ(Out(Act({"socket", std::to_string(AF_UNIX)})), "socket ok\n");
}

// What it opens would pass by every filter, and by who watches.
TEST_F(InsideTheBox, ThereIsNoIoUring) {
  if (syscall(SYS_io_uring_setup, 1, nullptr) < 0 && errno == ENOSYS)
    GTEST_SKIP() << "this kernel has no io_uring";
  EXPECT_EQ(Out(Act({"io_uring"})), "io_uring ENOSYS\n");
}

TEST_F(InsideTheBox, LoopbackIsThereWhenItIsAskedFor) {
  if (!isolation().network_namespace) GTEST_SKIP() << "this machine allows no network namespace";
  spec_.loopback = true;
  EXPECT_EQ(Out(Act({"socket", std::to_string(AF_INET)})), "socket ok\n");
  EXPECT_THAT(Out(Act({"cat", "/proc/net/fib_trie"})), HasSubstr("127.0.0.1"));
}

// The flagship of the whole program: a directory that others may enter and not list.
TEST_F(InsideTheBox, ADirectoryCanBeEnteredAndNotListed) {
  if (OneUid()) GTEST_SKIP() << "needs a second uid";
  MakeFile("/dir/file", "x", 0644);
  SetMode("/dir", 0711);
  EXPECT_EQ(Out(Act({"list", "/dir", "open", "/dir/file"})), "list EACCES\nopen ok\n");
  SetMode("/dir", 0700);
  EXPECT_EQ(Out(Act({"list", "/dir", "open", "/dir/file"})), "list EACCES\nopen EACCES\n");
  SetMode("/dir", 0755);
  EXPECT_EQ(Out(Act({"list", "/dir", "open", "/dir/file"})), "list ok\nentry file\nopen ok\n");
}

TEST_F(InsideTheBox, HostDirectoriesAreShownAndCannotBeWritten) {
  spec_.host_directories = {"/usr/share"};
  spec_.uid = spec_.gid = 0;
  EXPECT_EQ(Out(Act({"open", "/usr/share", "create", "/usr/share/gpustage-was-here"})),
            "open ok\nopen EROFS\n");
  EXPECT_FALSE(FileExists("/usr/share/gpustage-was-here"));
}

}  // namespace
}  // namespace gpustage
