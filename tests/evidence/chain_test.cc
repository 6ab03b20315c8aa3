// What lies below a loss, down to the last fact that was seen; which family a library is of.
#include "harness/evidence/path/chain.h"

#include <cerrno>
#include <map>
#include <tuple>

#include "harness/evidence/path/families.h"
#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kDriver[] = "/usr/lib/libcuda.so.1";

HandMadeRun Started(const std::string& environment = "A=1") {
  return HandMadeRun().Process(7, 1, "/bin/scan", "scan", environment);
}
HandMadeRun Driver(const std::string& environment = "A=1") {
  return Started(environment)
      .Search(7, 1, "libcuda.so.1")
      .Search(7, 1, kDriver, LA_SER_CONFIG)
      .Load(7, 50, kDriver)
      .Symbol(7, 50, "cuInit");
}
Evidence Of(const HandMadeRun& run, const Setting& setting = {}) {
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  return Decode(HandMadeRun(run).Prints(Stream::kStdout, "0\n").Unload(7, 1), scanner, {}, setting);
}
FunnelRow Row(const HandMadeRun& run, const Setting& setting = {}) {
  const Evidence evidence = Of(run, setting);
  EXPECT_THAT(evidence.funnel, SizeIs(1));
  return evidence.funnel.empty() ? FunnelRow() : evidence.funnel.front();
}

TEST(Family, IsOfANameWhateverItsVersion) {
  for (const char* name : {"libcuda.so", "libcuda.so.1", "libcuda.so.580.159.04"})
    EXPECT_EQ(FamilyOfLibrary(name), Family::kDriver) << name;
  EXPECT_EQ(FamilyOfLibrary("libcudart-d0da41ae.so.11.0"), Family::kRuntime);
  EXPECT_EQ(FamilyOfLibrary("libnvidia-ml.so.1"), Family::kManagement);
  EXPECT_EQ(FamilyOfLibrary("libggml-hip.so"), Family::kBackend);
  EXPECT_EQ(FamilyOfLibrary("libvulkan.so.1"), Family::kVulkanLoader);
  for (const char* name : {"libc.so.6", "libcuda.txt", "libggml-base.so", "libm.so.6", ""})
    EXPECT_EQ(FamilyOfLibrary(name), Family::kNone) << name;
}

TEST(Family, IsOfAFunctionByItsLongestPrefix) {
  EXPECT_EQ(FamilyOfFunction("cuInit"), Family::kDriver);
  EXPECT_EQ(FamilyOfFunction("cudaGetDeviceCount"), Family::kRuntime);
  EXPECT_EQ(FamilyOfFunction("__cudaRegisterFatBinary"), Family::kRuntime);
  EXPECT_EQ(FamilyOfFunction("cublasCreate_v2"), Family::kBlas);
  EXPECT_EQ(FamilyOfFunction("nvmlInit_v2"), Family::kManagement);
  EXPECT_EQ(FamilyOfFunction("vkCreateInstance"), Family::kVulkanLoader);
}

TEST(Chain, EndsAtTheNodeThatTheKernelRefused) {
  const FunnelRow row = Row(Driver()
                                .Asks(7, FileAct::kOpen, "/dev/nvidiactl")
                                .Asks(7, FileAct::kOpen, "/dev/nvidia-uvm", ENOENT)
                                .Call(7, "cuInit", 999));
  ASSERT_THAT(row.loss->because, testing::Not(IsEmpty()));
  EXPECT_EQ(row.loss->because.front().kind, Fact::Kind::kNode);
  EXPECT_EQ(row.loss->because.front().subject, "/dev/nvidia-uvm");
  EXPECT_THAT(ReasonText(row), HasSubstr("cuInit gave 999 (CUDA_ERROR_UNKNOWN: unknown error), "
                                         "because /dev/nvidia-uvm is not there"));
  EXPECT_THAT(Suggestions(row), testing::Contains(HasSubstr("nvidia-uvm")));
}

TEST(Chain, LeavesOutANodeThatCameOnASecondTry) {
  const FunnelRow row = Row(Driver()
                                .Asks(7, FileAct::kOpen, "/dev/nvidia0", ENOENT)
                                .Asks(7, FileAct::kOpen, "/dev/nvidia0")
                                .Call(7, "cuInit", 999));
  for (const Fact& fact : row.loss->because) EXPECT_NE(fact.kind, Fact::Kind::kNode);
}

TEST(Chain, LeavesOutANodeOfAnotherProcess) {
  const FunnelRow row = Row(Driver()
                                .Process(8, 7, "/bin/other", "other")
                                .Asks(8, FileAct::kOpen, "/dev/nvidia0", EACCES)
                                .Call(7, "cuInit", 999));
  for (const Fact& fact : row.loss->because) EXPECT_NE(fact.kind, Fact::Kind::kNode);
}

TEST(Chain, SaysThatNothingLiesBelowACode) {
  const FunnelRow row = Row(Driver().Asks(7, FileAct::kOpen, "/etc/hosts").Call(7, "cuInit", 802));
  ASSERT_THAT(row.loss->because, testing::Not(IsEmpty()));
  EXPECT_EQ(row.loss->because.front().kind, Fact::Kind::kNothing);
}

// ollama/ollama#1083: the memory of the GPU is known, and CUDA does not start.
TEST(Chain, SaysThatNvmlIsAnotherLibraryThanTheOneThatFails) {
  const HandMadeRun counted = Started()
                                  .Search(7, 1, "libnvidia-ml.so.1")
                                  .Load(7, 40, "/usr/lib/libnvidia-ml.so.1")
                                  .Symbol(7, 40, "nvmlInit_v2")
                                  .Call(7, "nvmlInit_v2", 0)
                                  .Counts(7, "nvmlDeviceGetCount_v2", 2);
  const Evidence evidence = Of(HandMadeRun(counted)
                                   .Search(7, 1, "libcuda.so.1")
                                   .Search(7, 1, kDriver, LA_SER_CONFIG)
                                   .Load(7, 50, kDriver)
                                   .Symbol(7, 50, "cuInit")
                                   .Asks(7, FileAct::kOpen, "/dev/nvidiactl")
                                   .Call(7, "cuInit", 3));
  const auto row = std::find_if(evidence.funnel.begin(), evidence.funnel.end(),
                                [](const FunnelRow& one) { return one.library == kDriver; });
  ASSERT_NE(row, evidence.funnel.end());
  ASSERT_TRUE(row->loss);
  const auto other =
      std::find_if(row->loss->because.begin(), row->loss->because.end(),
                   [](const Fact& fact) { return fact.kind == Fact::Kind::kOtherCounts; });
  ASSERT_NE(other, row->loss->because.end());
  EXPECT_EQ(other->number, 2);
  EXPECT_THAT(FactText(*other), HasSubstr("nvmlDeviceGetCount_v2 counted 2"));
}

TEST(Chain, SaysWhatWasGivenWhereNothingWasRefused) {
  const FunnelRow row =
      Row(Driver().Asks(7, FileAct::kOpen, "/dev/nvidiactl").Call(7, "cuInit", 802));
  ASSERT_THAT(row.loss->because, testing::Not(IsEmpty()));
  EXPECT_EQ(row.loss->because.front().kind, Fact::Kind::kOpened);
  EXPECT_THAT(row.loss->because.front().names, testing::ElementsAre("/dev/nvidiactl"));
  EXPECT_EQ(row.loss->code, 802);
}

TEST(Chain, SaysWhyOneOfTwoDevicesIsMissing) {
  Setting setting;
  setting.devices = 2;
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  const RawRun masked = Driver("CUDA_VISIBLE_DEVICES=1")
                            .Call(7, "cuInit", 0)
                            .Counts(7, "cuDeviceGetCount", 1)
                            .Prints(Stream::kStdout, "1\n");
  EXPECT_EQ(MissingText(Decode(masked, scanner, {}, setting)),
            "1 of the machine's 2 devices: CUDA_VISIBLE_DEVICES is \"1\" there, which leaves 1");
  const RawRun closed = Driver()
                            .Asks(7, FileAct::kOpen, "/dev/nvidia1", EACCES)
                            .Call(7, "cuInit", 0)
                            .Counts(7, "cuDeviceGetCount", 1)
                            .Prints(Stream::kStdout, "1\n");
  EXPECT_THAT(MissingText(Decode(closed, scanner, {}, setting)),
              HasSubstr("/dev/nvidia1 could not be opened: Permission denied"));
}

// Ollama starts a runner more for each device that the first one counted, under a mask of its own
// making (0.32.14: CUDA_VISIBLE_DEVICES=GPU-…). That one hides nothing that was there before.
TEST(Chain, AMaskThatTheProgramSetAfterItHadCountedIsNoReason) {
  Setting setting;
  setting.devices = 2;
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  // Each starts a process under `first`, which counts so many, and then one under `then`.
  const auto started = [&](const std::string& own, const std::string& first, int counted,
                           const std::string& then) {
    HandMadeRun run = HandMadeRun().Process(6, 1, "/bin/serve", "serve", own);
    for (const auto& [pid, mask, count] : {std::tuple(7, first, counted), std::tuple(8, then, 1)})
      run.Process(pid, 6, "/bin/scan", "scan", mask)
          .Search(pid, 1, "libcuda.so.1")
          .Search(pid, 1, kDriver, LA_SER_CONFIG)
          .Load(pid, 50, kDriver)
          .Symbol(pid, 50, "cuInit")
          .Call(pid, "cuInit", 0)
          .Counts(pid, "nvmlDeviceGetCount_v2", 2)
          .Counts(pid, "cuDeviceGetCount", count);
    return MissingText(Decode(run.Prints(Stream::kStdout, "1\n"), scanner, {}, setting));
  };
  const auto said = [](const std::string& value) {
    return "CUDA_VISIBLE_DEVICES is \"" + value + "\" there, which leaves 1";
  };
  const std::string one = "1 of the machine's 2 devices: ", mask = "CUDA_VISIBLE_DEVICES=";
  EXPECT_EQ(started(mask + "0", mask + "0", 1, mask + "GPU-1"), one + said("0"));
  // A launcher's masks: behind a look at all, and one for each that it starts.
  EXPECT_EQ(started("A=1", "A=1", 2, mask + "1"), one + said("1"));
  EXPECT_EQ(started("A=1", mask + "0", 1, mask + "1"), one + said("0") + "; " + said("1"));
}

// Counted, and then nobody can work with it: no device is missing, and yet something failed.
TEST(Chain, SaysWhichCallFailedBehindTheCount) {
  Setting setting;
  setting.devices = 1;
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  const auto late = [&](const char* function, int64_t code) {
    return Decode(Driver()
                      .Call(7, "cuInit", 0)
                      .Counts(7, "cuDeviceGetCount", 1)
                      .Call(7, function, code)
                      .Prints(Stream::kStdout, "1\n"),
                  scanner, {}, setting);
  };
  const Evidence busy = late("cuCtxCreate_v2", 46);
  EXPECT_THAT(LateText(busy), HasSubstr("gave 46 (CUDA_ERROR_DEVICE_UNAVAILABLE"));
  EXPECT_THAT(SentenceOf(busy.silent_because),
              HasSubstr("that cuCtxCreate_v2 failed, no line says"));
  EXPECT_EQ(LateText(late("cuCtxCreate_v2", 0)), "");
  EXPECT_EQ(LateText(late("cuDeviceGetAttribute", 1)), "");
  EXPECT_EQ(MissingText(busy), "");
}

TEST(Chain, NamesBothVersionsOfAMismatch) {
  Setting setting;
  setting.versions[kDriver] = "560.35.05";
  setting.kernel_driver = "560.28.03";
  EXPECT_THAT(ReasonText(Row(Driver().Call(7, "cuInit", 803), setting)),
              HasSubstr("of version 560.35.05 and the kernel's module of 560.28.03"));
}

TEST(Chain, NamesTheCopyThatAnsweredAndTheOneThatItShadows) {
  Setting setting;
  setting.libraries = {kDriver, "/opt/driver/libcuda.so.1"};
  const std::string reason = ReasonText(Row(Driver().Call(7, "cuInit", 34), setting));
  EXPECT_THAT(reason, HasSubstr("libcuda.so.1 is /usr/lib/libcuda.so.1, found by ld.so.cache"));
  EXPECT_THAT(reason, HasSubstr("another copy is /opt/driver/libcuda.so.1"));
}

TEST(Chain, LeadsToTheLibraryThatARuntimeDidNotFind) {
  const FunnelRow row = Row(Started()
                                .Search(7, 1, "/opt/libcudart.so.12")
                                .Load(7, 60, "/opt/libcudart.so.12")
                                .Symbol(7, 60, "cudaGetDeviceCount")
                                .Search(7, 60, "libcuda.so.1")
                                .Search(7, 60, kDriver, LA_SER_DEFAULT)
                                .Call(7, "cudaGetDeviceCount", 35));
  EXPECT_EQ(row.library, "/opt/libcudart.so.12");
  EXPECT_EQ(row.lost_at(), Step::kInitialised);
  EXPECT_THAT(ReasonText(row), HasSubstr("libcuda.so.1 was looked for in 1 place"));
}

TEST(Funnel, HasALibraryThatIsNowhereByItsName) {
  const FunnelRow row =
      Row(Started().Search(7, 1, "libnvidia-ml.so.1").Search(7, 1, "/lib/x", LA_SER_DEFAULT));
  EXPECT_EQ(row.library, "libnvidia-ml.so.1");
  EXPECT_EQ(row.lost_at(), Step::kLoaded);
  EXPECT_EQ(row.cause(), Cause::kNotFound);
}

TEST(Funnel, LosesAtTheFunctionThatIsMissing) {
  const FunnelRow row = Row(Driver().SymbolAsked(7, 50, "cuMemCreate"));
  EXPECT_EQ(row.lost_at(), Step::kEntryPoint);
  EXPECT_THAT(SentenceOf(row.loss->reason), HasSubstr("cuMemCreate"));
}

TEST(Funnel, LosesNothingForAFunctionThatAnotherMakesUpFor) {
  const FunnelRow row =
      Row(Driver().SymbolAsked(7, 50, "cuGetProcAddress_v2").Symbol(7, 50, "cuGetProcAddress"));
  EXPECT_EQ(row.lost_at(), std::nullopt);
}

TEST(Funnel, CountsByTheNumberThatAFunctionGave) {
  EXPECT_EQ(Row(Driver().Call(7, "cuInit", 0).Counts(7, "cuDeviceGetCount", 1)).reached,
            Step::kCounted);
  const FunnelRow none = Row(Driver().Call(7, "cuInit", 0).Counts(7, "cuDeviceGetCount", 0));
  EXPECT_EQ(none.lost_at(), Step::kCounted);
  EXPECT_EQ(none.cause(), Cause::kNoDevice);
}

// As Ollama before 0.5 tries each libcuda that its globs find.
TEST(Funnel, GivesEachCopyThatIsOpenedByItsPathItsOwnCalls) {
  const Evidence evidence = Of(Started()
                                   .Search(7, 1, "/old/libcuda.so.1")
                                   .Load(7, 50, "/old/libcuda.so.1")
                                   .Symbol(7, 50, "cuInit")
                                   .Call(7, "cuInit", 803)
                                   .Search(7, 1, "/new/libcuda.so.1")
                                   .Load(7, 60, "/new/libcuda.so.1")
                                   .Symbol(7, 60, "cuInit")
                                   .Call(7, "cuInit", 100));
  std::map<std::string, int64_t> codes;
  for (const FunnelRow& row : evidence.funnel) {
    ASSERT_TRUE(row.loss) << row.library;
    codes[row.library] = row.loss->code;
  }
  EXPECT_THAT(codes, testing::UnorderedElementsAre(testing::Pair("/old/libcuda.so.1", 803),
                                                   testing::Pair("/new/libcuda.so.1", 100)));
}

}  // namespace
}  // namespace gpustage
