// The kernel no longer tells what the scanner asks for: the run is an error of ours, at once, and
// nothing of it stays.
#include <cerrno>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class BadListenerTest : public StagedCliTest {
 protected:
  // tests/subjects/bad_listener.c stands between gpustage and the kernel.
  void Plan(const std::string& plan) {
    environment_["LD_PRELOAD"] = GPUSTAGE_SUBJECTS "/libbad_listener.so";
    environment_["ASAN_OPTIONS"] = "verify_asan_link_order=0";
    environment_["BAD_LISTENER"] = plan;
  }

  // The actor would be ended after a minute, and hangs.
  void ExpectErrorAtOnce(const std::string& plan, const std::string& why) {
    Plan(plan);
    const std::string mark = UniqueWord();
    const auto start = std::chrono::steady_clock::now();
    const Ran ran = RunActor("list, /, hang, " + mark, "devices: 0");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out,
                AllOf(HasSubstr("ERROR"),
                      HasSubstr("gpustage could not watch the scanner any longer: " + why)));
    EXPECT_THAT(ProcessesWith(mark), IsEmpty());
    EXPECT_THAT(FilesBelow(Path("tmp"), ""), IsOkAnd(IsEmpty()));
  }
};

TEST_F(BadListenerTest, IsAnErrorWhereItNoLongerHears) {
  ExpectErrorAtOnce("recv 2 1000000 " + std::to_string(EFAULT),
                    "SECCOMP_IOCTL_NOTIF_RECV: Bad address");
}

TEST_F(BadListenerTest, IsAnErrorWhereItCannotAnswer) {
  ExpectErrorAtOnce("send 2 1000000 " + std::to_string(EINPROGRESS),
                    "SECCOMP_IOCTL_NOTIF_SEND: Operation now in progress");
}

// A signal may come in between: then nothing was taken or answered yet, and it is asked again.
TEST_F(BadListenerTest, GoesOnWhereACallWasInterrupted) {
  for (const std::string call : {"recv", "send"}) {
    Plan(call + " 2 1 " + std::to_string(EINTR));
    const Ran ran = RunActor("list, /, exit, \"0\"", "devices: 0");
    EXPECT_EQ(ran.status, 0) << call << ":\n" << ran.out << ran.err;
  }
}

}  // namespace
}  // namespace gpustage
