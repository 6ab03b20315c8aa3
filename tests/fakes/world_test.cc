// What every fake does whatever library it stands in for: its stamp, its world, faults and the
// journal. Asked through libcuda.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "fakes/cuda_driver/api.h"
#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;
using world::FaultAction;
using world::Fidelity;

constexpr char kUnplaced[] = GPUSTAGE_FAKES_DIR "/cuda.so";

class Fake : public testing::Test {
 protected:
  Fake() {
    AddDevice(stage_.machine(), PlainDevice(0));
    AddDevice(stage_.machine(), PlainDevice(1));
    path_ = stage_.Place("cuda", "libcuda.so.1");
  }

  // cuInit, and what it said.
  Outcome Init(int limit_ms = 20000) {
    return stage_.Run(
        {}, [this](std::ostream& out) { out << FN(Library(path_), cuInit)(0); }, limit_ms);
  }

  FakeStage stage_;
  std::string path_;
};

TEST_F(Fake, HasADriverAndNoDeviceBeforeItIsPlaced) {
  const Outcome outcome = stage_.Run([](std::ostream& out) {
    const Library cuda(kUnplaced);
    int version = 0;
    out << FN(cuda, cuInit)(0) << ' ' << FN(cuda, cuDriverGetVersion)(&version) << ' ' << version;
  });
  EXPECT_EQ(outcome.said, "100 0 13000");
  EXPECT_THAT(stage_.Journal(), IsEmpty());
}

TEST_F(Fake, AnswersFromTheWorldOfItsOwnStamp) {
  world::World other = EmptyMachine();
  AddDevice(other, PlainDevice(5));
  const std::string second = stage_.PlaceIn("cuda", "other/libcuda.so.1", other);
  const Outcome outcome = stage_.Run([&](std::ostream& out) {
    for (const std::string& path : {path_, second}) {
      const Library cuda(path);
      int count = 0;
      FN(cuda, cuInit)(0);
      FN(cuda, cuDeviceGetCount)(&count);
      out << count;
    }
  });
  EXPECT_EQ(outcome.said, "21");
  EXPECT_THAT(stage_.Calls("cuInit"),
              ElementsAre(Field(&CallRecord::instance, 1), Field(&CallRecord::instance, 2)));
}

TEST_F(Fake, RefusesTheWorldOfAnotherFormat) {
  stage_.machine().bytes -= 8;
  EXPECT_EQ(Init().said, "100");
}

TEST_F(Fake, RecordsFunctionArgumentsResultAndDevice) {
  stage_.Run([this](std::ostream&) {
    const Library cuda(path_);
    int value = 0;
    FN(cuda, cuInit)(0);
    FN(cuda, cuDeviceGetAttribute)(&value, 75, 1);
    FN(cuda, cuDeviceGetByPCIBusId)(&value, "nowhere");
  });
  const std::vector<CallRecord> calls = stage_.Journal();
  ASSERT_THAT(calls, SizeIs(3));
  EXPECT_EQ(calls[0].function, "cuInit");
  EXPECT_EQ(calls[0].arguments, "flags=0");
  EXPECT_EQ(calls[0].device, -1);
  EXPECT_EQ(calls[1].arguments, "device=1, attrib=75");
  EXPECT_EQ(calls[1].device, 1);
  EXPECT_EQ(calls[1].result, 0);
  EXPECT_EQ(calls[1].fidelity, Fidelity::kModelled);
  EXPECT_EQ(calls[2].arguments, "bus_id=\"nowhere\"");
  EXPECT_EQ(calls[2].result, 1);
}

TEST_F(Fake, MarksStubsAndWhatIsAssumed) {
  stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    int value = 0;
    FN(cuda, cuInit)(0);
    FN(cuda, cuDeviceGetAttribute)(&value, 38, 0);  // PlainDevice has it from an H100
    out << reinterpret_cast<int (*)()>(cuda.Find("cuGraphCreate"))();
  });
  const std::vector<CallRecord> calls = stage_.Journal();
  ASSERT_THAT(calls, SizeIs(3));
  EXPECT_EQ(calls[1].fidelity, Fidelity::kAssumed);
  EXPECT_EQ(calls[2].function, "cuGraphCreate");
  EXPECT_EQ(calls[2].fidelity, Fidelity::kStub);
  EXPECT_EQ(calls[2].result, 801);
}

TEST_F(Fake, RecordsEveryCallOfManyThreads) {
  stage_.Run([this](std::ostream&) {
    const Library cuda(path_);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) FN(cuda, cuDriverGetVersion)(nullptr);
      });
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_THAT(stage_.Calls("cuDriverGetVersion"), SizeIs(4000));
  EXPECT_EQ(stage_.Dropped(), 0u);
}

TEST_F(Fake, RecordsAForkedChildUnderItsOwnPid) {
  stage_.Run([this](std::ostream&) {
    const Library cuda(path_);
    FN(cuda, cuInit)(0);
    if (fork() == 0) {
      FN(cuda, cuInit)(0);
      _exit(0);
    }
    wait(nullptr);
  });
  const std::vector<CallRecord> calls = stage_.Calls("cuInit");
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_NE(calls[0].pid, calls[1].pid);
}

TEST_F(Fake, CountsWhatTheJournalCannotHold) {
  stage_.set_journal_capacity(200);
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    for (int i = 0; i < 10; ++i) out << FN(cuda, cuInit)(0);
  });
  EXPECT_EQ(outcome.said, "0000000000");
  EXPECT_THAT(stage_.Journal(), SizeIs(3));  // 48 bytes and the texts: 64 a record
  EXPECT_EQ(stage_.Dropped(), 7u);
}

// Nothing can be written down, and that stands in the file: it is longer than it says.
TEST_F(Fake, SaysThatItsJournalCouldNotBeOpened) {
  const auto longer = [&] {
    struct stat found;
    return stat(stage_.Path("journal").c_str(), &found) == 0 &&
           found.st_size > static_cast<off_t>(sizeof(world::JournalHeader) + 200);
  };
  stage_.set_journal_capacity(200);
  stage_.Run([this](std::ostream&) { FN(Library(path_), cuInit)(0); });
  EXPECT_FALSE(longer());
  stage_.Run([this](std::ostream&) {
    const Library cuda(path_);
    const rlimit none = {3, 3};
    setrlimit(RLIMIT_NOFILE, &none);
    FN(cuda, cuInit)(0);
  });
  EXPECT_TRUE(longer());
}

TEST_F(Fake, ReturnsTheCodeOfAFault) {
  stage_.AddFault("cuInit", FaultAction::kReturn).code = 802;
  EXPECT_EQ(Init().said, "802");
  const std::vector<CallRecord> calls = stage_.Calls("cuInit");
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].result, 802);
  EXPECT_EQ(calls[0].fault, "fault: return 802");
}

TEST_F(Fake, ExitsWhenAFaultSaysSo) {
  stage_.AddFault("cuInit", FaultAction::kExit).code = 7;
  EXPECT_EQ(Init().exit_status, 7);
  ASSERT_THAT(stage_.Calls("cuInit"), SizeIs(1));
  EXPECT_EQ(stage_.Calls("cuInit")[0].result, world::kNoResult);
}

TEST_F(Fake, AbortsWhenAFaultSaysSo) {
  stage_.AddFault("cuInit", FaultAction::kAbort);
  EXPECT_EQ(Init().signal, SIGABRT);
  EXPECT_EQ(stage_.Calls("cuInit").at(0).fault, "fault: abort");
}

TEST_F(Fake, CrashesWhenAFaultSaysSo) {
  stage_.AddFault("cuInit", FaultAction::kSegfault);
  EXPECT_EQ(Init().signal, SIGSEGV);
  EXPECT_EQ(stage_.Calls("cuInit").at(0).fault, "fault: segfault");
}

TEST_F(Fake, HangsWhenAFaultSaysSoAndIsSeenToHaveBeenCalled) {
  stage_.AddFault("cuInit", FaultAction::kHang);
  EXPECT_EQ(Init(/*limit_ms=*/200).signal, SIGKILL);
  EXPECT_EQ(stage_.Calls("cuInit").at(0).fault, "fault: hang");
}

TEST_F(Fake, AnswersAfterADelay) {
  stage_.AddFault("cuInit", FaultAction::kDelay).milliseconds = 60;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Init().said, "0");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60));
  EXPECT_EQ(stage_.Calls("cuInit").at(0).fault, "fault: delay 60 ms");
}

TEST_F(Fake, FailsFromOneCallOnAndUpToAnother) {
  world::Fault& fault = stage_.AddFault("cuInit", FaultAction::kReturn);
  fault.code = 999;
  fault.first_call = 2;
  fault.last_call = 3;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    for (int i = 0; i < 4; ++i) out << FN(cuda, cuInit)(0) << ' ';
  });
  EXPECT_EQ(outcome.said, "0 999 999 0 ");
}

TEST_F(Fake, CountsTheCallsOfEachProcess) {
  stage_.AddFault("cuInit", FaultAction::kReturn).code = 999;
  stage_.machine().faults[0].last_call = 1;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    out << FN(cuda, cuInit)(0) << ' ' << FN(cuda, cuInit)(0) << ' ';
    const pid_t child = fork();
    if (child == 0) _exit(FN(cuda, cuInit)(0) == 999 ? 1 : 0);
    int status = 0;
    waitpid(child, &status, 0);
    out << WEXITSTATUS(status);
  });
  EXPECT_EQ(outcome.said, "999 0 1");
}

TEST_F(Fake, FailsForOneDeviceOnly) {
  world::Fault& fault = stage_.AddFault("cuDeviceGet", FaultAction::kReturn);
  fault.code = 101;
  fault.device = 1;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    CUdevice device = -1;
    FN(cuda, cuInit)(0);
    out << FN(cuda, cuDeviceGet)(&device, 0) << ' ' << FN(cuda, cuDeviceGet)(&device, 1);
  });
  EXPECT_EQ(outcome.said, "0 101");
}

TEST_F(Fake, FailsInProcessesOfOneCommandLineOnly) {
  world::Fault& other = stage_.AddFault("cuInit", FaultAction::kReturn);
  other.code = 999;
  strcpy(other.process_has, "ollama runner --no-such-test");
  EXPECT_EQ(Init().said, "0");
  strcpy(other.process_has, "fakes_test");  // this program
  EXPECT_EQ(Init().said, "999");
}

}  // namespace
}  // namespace gpustage::fakes_test
