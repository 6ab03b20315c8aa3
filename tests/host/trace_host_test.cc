// trace --host, on the machine that the test runs on: the chain is right whatever is broken, and
// nothing is left behind.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TraceHost : public CliTest {
 protected:
  // A library of this kind as libcuda.so.1 in a directory of its own, which is looked into first.
  std::string Put(const char* library, const std::string& folder, size_t bytes = SIZE_MAX) {
    const std::string path = Path(folder);
    mkdir(path.c_str(), 0755);
    const std::string image = *ReadFile(library);
    EXPECT_THAT(WriteFile(path + "/libcuda.so.1", image.substr(0, bytes)), IsOk());
    environment_["LD_LIBRARY_PATH"] = path;
    return path + "/libcuda.so.1";
  }
  Ran Trace(std::vector<std::string> words = {GPUSTAGE_OPEN}) const {
    std::vector<std::string> all = {"trace", "--host", "--"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = Run(all);
    // Its own directory for temporary files is empty again.
    EXPECT_TRUE(std::filesystem::is_empty(Path("tmp")));
    return ran;
  }
};

TEST_F(TraceHost, ALibraryThatIsNowhereIsLostAtLoaded) {
  environment_["LD_LIBRARY_PATH"] = Path("nowhere");
  const Ran ran = Trace({GPUSTAGE_OPEN, "libcuda-of-nobody.so.1"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(InOneLine(ran.err), HasSubstr("cannot open shared object file"));
  const Ran driver = Trace();
  if (driver.out.find("was looked for in") == std::string::npos)
    GTEST_SKIP() << "this machine has a libcuda.so.1";
  EXPECT_THAT(InOneLine(driver.out),
              AllOf(HasSubstr("libcuda.so.1 was lost at \"loaded\""),
                    HasSubstr("and was not found"), HasSubstr("cannot open shared object file")));
}

TEST_F(TraceHost, AStubThatStandsFirstIsNamedWithWhatItAnswers) {
  const std::string stub = Put(GPUSTAGE_STUB, "stubs");
  const std::string out = InOneLine(Trace().out);
  EXPECT_THAT(out, AllOf(HasSubstr(stub), HasSubstr("lost at \"initialised\""),
                         HasSubstr("cuInit answers 34 (CUDA_ERROR_STUB_LIBRARY")));
}

TEST_F(TraceHost, AMaskIsNamedBesideTheAnswer) {
  Put(GPUSTAGE_DRIVER, "driver");
  environment_["CUDA_VISIBLE_DEVICES"] = "-1";
  const std::string out = InOneLine(Trace().out);
  EXPECT_THAT(out, AllOf(HasSubstr("lost at \"initialised\""),
                         HasSubstr("cuInit answers 100 (CUDA_ERROR_NO_DEVICE"),
                         HasSubstr("CUDA_VISIBLE_DEVICES=-1")));
}

TEST_F(TraceHost, ADriverThatAnswersLosesNothing) {
  Put(GPUSTAGE_DRIVER, "driver");
  const Ran ran = Trace();
  EXPECT_THAT(ran.out, Not(HasSubstr("lost")));
  EXPECT_THAT(ran.err, HasSubstr("cuInit 0"));
}

TEST_F(TraceHost, ALibraryThatWasCutShortIsLostAtLoaded) {
  Put(GPUSTAGE_DRIVER, "cut", 3000);
  EXPECT_THAT(InOneLine(Trace().out), HasSubstr("libcuda.so.1 was lost at \"loaded\""));
}

TEST_F(TraceHost, ALibraryThatMayNotBeReadIsLostAtOpened) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const std::string path = Put(GPUSTAGE_DRIVER, "closed");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  EXPECT_THAT(InOneLine(Trace({GPUSTAGE_OPEN, path}).out), HasSubstr("Permission denied"));
}

TEST_F(TraceHost, TheMachineIsAsItWas) {
  const std::string path = Put(GPUSTAGE_DRIVER, "driver");
  struct stat before, after;
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  Trace();
  ASSERT_EQ(stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(TraceHost, WhatIsWrongWithItsWordsIsSaid) {
  EXPECT_EQ(Run({"trace", "--host"}).status, 2);
  const Ran none = Run({"trace", "--host", "--", "no-such-program-of-anybody"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("no program \"no-such-program-of-anybody\" is here"));
  EXPECT_EQ(Run({"trace"}).status, 2);
}

// A program that has opened a driver, and waits.
class TracePid : public TraceHost {
 protected:
  void Begin(const std::map<std::string, std::string>& more = {}) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ours_ = Fd(ends[0]);
    const Fd its(ends[1]);
    fcntl(ours_.get(), F_SETFD, FD_CLOEXEC);
    ASSERT_EQ(mkdir(Path("waits").c_str(), 0755), 0);
    std::map<std::string, std::string> environment = environment_;
    for (const auto& [name, value] : more) environment[name] = value;
    pid_ =
        Start({GPUSTAGE_OPEN, "libcuda.so.1", std::to_string(ends[1])}, environment, Path("waits"));
    fcntl(its.get(), F_SETFD, FD_CLOEXEC);
    char ready = 0;
    ASSERT_EQ(read(ours_.get(), &ready, 1), 1);
  }
  void TearDown() override {
    ours_.Close();
    if (pid_ > 0) Finish(pid_, Path("waits"));
  }
  Ran TraceIt(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"trace", "--host", "--pid", std::to_string(pid_)});
    return Run(more);
  }
  pid_t pid_ = 0;
  Fd ours_;
};

TEST_F(TracePid, WhatIsMappedIsNamedWithWhatItAnswersNow) {
  const std::string stub = Put(GPUSTAGE_STUB, "stubs");
  Begin();
  const std::string out = InOneLine(TraceIt().out);
  EXPECT_THAT(out, AllOf(HasSubstr("mapped " + stub + " (NVIDIA's driver)"),
                         HasSubstr("cuInit of " + stub + " answers 34 (CUDA_ERROR_STUB_LIBRARY"),
                         HasSubstr("LD_LIBRARY_PATH=" + Path("stubs")),
                         HasSubstr("gpustage trace --host -- " GPUSTAGE_OPEN " libcuda.so.1 ")));
}

TEST_F(TracePid, AMaskIsNamedBesideTheAnswer) {
  Put(GPUSTAGE_DRIVER, "driver");
  Begin({{"CUDA_VISIBLE_DEVICES", "-1"}});
  EXPECT_THAT(InOneLine(TraceIt().out),
              AllOf(HasSubstr("answers 100 (CUDA_ERROR_NO_DEVICE"),
                    HasSubstr("it was started with CUDA_VISIBLE_DEVICES=-1"),
                    HasSubstr("hides every device from it")));
}

// An update of the driver under a program that runs.
TEST_F(TracePid, ALibraryThatWasReplacedIsNamed) {
  const std::string path = Put(GPUSTAGE_DRIVER, "driver");
  Begin();
  ASSERT_EQ(unlink(path.c_str()), 0);
  const Ran ran = TraceIt({"--json"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr(path + " was replaced since it was started"),
                             HasSubstr("\"replaced\": true")));
}

TEST_F(TracePid, WhoHasNoLibraryOfAGpuIsToldSo) {
  const Ran ran = Run({"trace", "--host", "--pid", std::to_string(getpid())});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("no library of a GPU is mapped by it now."));
}

TEST_F(TracePid, WhatIsWrongWithItsWordsIsSaid) {
  const Ran none = Run({"trace", "--host", "--pid", "4000000"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no process 4000000"));
  EXPECT_EQ(Run({"trace", "--pid", "1"}).status, 2);
  EXPECT_EQ(Run({"trace", "--host", "--pid", "1", "--", "true"}).status, 2);
}

}  // namespace
}  // namespace gpustage
