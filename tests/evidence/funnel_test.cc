// Where a library got to, step by step, and why no further.
#include "harness/evidence/path/funnel.h"

#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

constexpr char kLibrary[] = "/opt/cuda_v12/libggml-cuda.so";
constexpr int kPid = 7;

// A scanner that prints its devices as JSON.
Evidence Decoded(const RawRun& run, const std::vector<std::string>& candidates = {kLibrary}) {
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kJson, "stdout", ""};
  return Decode(run, scanner, candidates);
}
FunnelRow Row(const RawRun& run) {
  const Evidence evidence = Decoded(run);
  EXPECT_EQ(evidence.funnel.size(), 1u);
  return evidence.funnel.empty() ? FunnelRow() : evidence.funnel.front();
}

HandMadeRun Started() { return HandMadeRun().Process(kPid, 1, "/bin/scan", "scan\x1frunner"); }
HandMadeRun Opened() { return Started().Search(kPid, 1, kLibrary); }
HandMadeRun Loaded() { return Opened().Load(kPid, 50, kLibrary); }
HandMadeRun Entered() { return Loaded().Symbol(kPid, 50, "ggml_backend_init"); }
HandMadeRun Initialised() { return Entered().Call(kPid, "cudaGetDeviceCount", 0); }
HandMadeRun Counted() { return Initialised().Call(kPid, "cudaGetDeviceProperties", 0, 0); }
// Ends in order: the loader lets go of the program itself.
HandMadeRun Silent(HandMadeRun run) { return run.Prints(Stream::kStdout, "[]").Unload(kPid, 1); }
HandMadeRun Reporting(HandMadeRun run) {
  return run.Prints(Stream::kStdout, R"([{"name":"H100"}])");
}

void ExpectLost(const FunnelRow& row, Step at, std::optional<Step> reached,
                const std::string& reason) {
  ASSERT_TRUE(row.loss);
  EXPECT_EQ(row.loss->at, at) << SentenceOf(row.loss->reason);
  EXPECT_EQ(row.reached, reached);
  EXPECT_EQ(SentenceOf(row.loss->reason), reason);
  EXPECT_GT(row.event, 0);
}

TEST(BuildFunnel, SeesAReportedLibraryThroughAllSteps) {
  const FunnelRow row = Row(Reporting(Counted()));
  EXPECT_EQ(row.lost_at(), std::nullopt);
  EXPECT_THAT(row.reached, Optional(Step::kReported));
  EXPECT_EQ(row.role, "scan runner");
  EXPECT_EQ(row.pid, kPid);
  // What nothing of ours can see is derived, and is not claimed to be seen.
  for (const Step step : {Step::kListed, Step::kMatched})
    EXPECT_EQ(row.steps.at(step).state, StepState::kDerived);
  for (const Step step : {Step::kOpened, Step::kLoaded, Step::kEntryPoint, Step::kInitialised,
                          Step::kCounted, Step::kReported})
    EXPECT_EQ(row.steps.at(step).state, StepState::kSeen) << ToString(step);
}

TEST(BuildFunnel, LosesAnUntouchedLibraryBeforeItWasOpened) {
  const FunnelRow row = Row(Silent(Started()));
  ExpectLost(row, Step::kOpened, std::nullopt, "");
  EXPECT_EQ(row.pid, 0);
  EXPECT_EQ(row.steps.at(Step::kListed).state, StepState::kNotObservable);
}

TEST(BuildFunnel, LosesNothingThatItCouldNotObserve) {
  const FunnelRow row = Row(Silent(Started().WithoutLoader()));
  EXPECT_EQ(row.lost_at(), std::nullopt);
  EXPECT_EQ(row.reached, std::nullopt);
}

TEST(BuildFunnel, LosesAFileThatWasAskedForAndNotMapped) {
  ExpectLost(Row(Silent(Opened())), Step::kLoaded, Step::kOpened, "");
}

TEST(BuildFunnel, NamesTheMissingDependency) {
  const RawRun run = Silent(Loaded()
                                .Search(kPid, 50, "libcudart.so.12")
                                .Search(kPid, 50, "/usr/lib/libcudart.so.12", LA_SER_CONFIG)
                                .Load(kPid, 60, "/usr/lib/libcudart.so.12")
                                .Search(kPid, 60, "libcuda.so.1")
                                .Search(kPid, 60, "/lib/libcuda.so.1", LA_SER_DEFAULT)
                                .Search(kPid, 60, "/usr/lib/libcuda.so.1", LA_SER_DEFAULT)
                                .Unload(kPid, 50)
                                .Unload(kPid, 60));
  const FunnelRow row = Row(run);
  ExpectLost(row, Step::kLoaded, Step::kOpened,
             "libcuda.so.1, needed by /usr/lib/libcudart.so.12, was looked for in 2 places and not "
             "loaded");
  EXPECT_THAT(ToString(Decoded(run).At(row.event)), HasSubstr("looked for libcuda.so.1 as asked"));
}

TEST(BuildFunnel, LosesALibraryWithoutAnEntryPoint) {
  ExpectLost(
      Row(Silent(Loaded())), Step::kEntryPoint, Step::kLoaded,
      "it was loaded, and no entry point such as ggml_backend_init was looked up and found in it");
}

TEST(BuildFunnel, LosesALibraryWhoseProcessEndedWhileItWasLoaded) {
  ExpectLost(Row(Loaded().Ends({Outcome::Kind::kKilled, 7, ""})), Step::kLoaded, Step::kOpened,
             "its process ended in the middle of the load");
}

TEST(BuildFunnel, TakesNoSymbolOfAnotherLibraryForTheEntryPoint) {
  const RawRun run =
      Silent(Loaded().Load(kPid, 60, "/opt/other.so").Symbol(kPid, 60, "ggml_backend_init"));
  EXPECT_THAT(Row(run).lost_at(), Optional(Step::kEntryPoint));
}

TEST(BuildFunnel, LosesTheDevicesThatTheDriverRefuses) {
  ExpectLost(Row(Silent(Entered().Call(kPid, "cuInit", 100))), Step::kInitialised,
             Step::kEntryPoint,
             "cuInit gave 100 (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected)");
  ExpectLost(Row(Silent(Entered().Call(kPid, "cudaGetDeviceCount", 35))), Step::kInitialised,
             Step::kEntryPoint,
             "cudaGetDeviceCount gave 35 (cudaErrorInsufficientDriver: CUDA driver version is "
             "insufficient for CUDA runtime version)");
}

TEST(BuildFunnel, LosesACountedDeviceThatIsNotReported) {
  ExpectLost(Row(Silent(Counted())), Step::kReported, Step::kCounted,
             "scan runner (pid 7) counted a device, and the scanner reported none of it; its last "
             "call was cudaGetDeviceProperties");
}

TEST(BuildFunnel, TakesADeviceForTheLibraryThatItNames) {
  const auto row = [](const std::string& path) {
    return Row(Counted().Prints(Stream::kStdout, R"([{"library_path":")" + path + R"("}])"));
  };
  EXPECT_THAT(row(kLibrary).reached, Optional(Step::kReported));
  EXPECT_THAT(row("/opt/../opt/cuda_v12/libggml-cuda.so").reached, Optional(Step::kReported));
  EXPECT_THAT(row("ollama,cuda_v12").reached, Optional(Step::kReported));
  EXPECT_THAT(row("/opt/cuda_v13/libggml-cuda.so").lost_at(), Optional(Step::kReported));
}

TEST(BuildFunnel, CannotSayWhatWasReportedWhenItIsUnreadable) {
  const FunnelRow row = Row(Counted().Prints(Stream::kStdout, "[{"));
  EXPECT_EQ(row.lost_at(), std::nullopt);
  EXPECT_EQ(row.steps.at(Step::kReported).state, StepState::kNotObservable);
}

TEST(BuildFunnel, HasARowForEachProcess) {
  const Evidence evidence = Decoded(Opened()
                                        .Process(8, kPid, "/bin/scan", "scan\x1frunner")
                                        .Search(8, 1, kLibrary)
                                        .Load(8, 50, kLibrary)
                                        .Unload(8, 1));
  ASSERT_EQ(evidence.funnel.size(), 2u);
  EXPECT_EQ(evidence.funnel[0].pid, 7);
  EXPECT_THAT(evidence.funnel[0].lost_at(), Optional(Step::kLoaded));
  EXPECT_EQ(evidence.funnel[1].pid, 8);
  EXPECT_THAT(evidence.funnel[1].lost_at(), Optional(Step::kEntryPoint));
}

TEST(BuildFunnel, FindsBackendsThatNobodyPlaced) {
  const Evidence evidence = Decoded(
      Started().Search(kPid, 1, "/x/../x/libggml-vulkan.so").Load(kPid, 2, "/usr/lib/libother.so"),
      {});
  ASSERT_EQ(evidence.funnel.size(), 1u);
  EXPECT_EQ(evidence.funnel.front().library, "/x/libggml-vulkan.so");
}

TEST(BuildFunnel, ForgetsALoadThatWasTriedAgain) {
  const RawRun run =
      Silent(Loaded().Unload(kPid, 50).Search(kPid, 1, kLibrary).Load(kPid, 70, kLibrary));
  EXPECT_THAT(Row(run).lost_at(), Optional(Step::kEntryPoint));
}

// "cuda_v1" is in "cuda_v12", and "ollama" in the path of all.
TEST(BuildFunnel, BelievesADeviceOnlyOfItsOwnFolder) {
  for (const char* library :
       {"/usr/lib/ollama/cuda_v1/libggml-cuda.so", "/usr/lib/ollama/libggml-cuda.so"}) {
    const HandMadeRun counted = Started()
                                    .Search(kPid, 1, library)
                                    .Load(kPid, 50, library)
                                    .Symbol(kPid, 50, "ggml_backend_init")
                                    .Call(kPid, "cudaGetDeviceCount", 0)
                                    .Call(kPid, "cudaGetDeviceProperties", 0, 0);
    for (const char* from : {"ollama,cuda_v12", "/usr/lib/ollama/cuda_v12/libggml-cuda.so",
                             "/usr/lib/ollama/cuda_v12"})
      EXPECT_EQ(
          Decoded(HandMadeRun(counted).Prints(
                      Stream::kStdout, std::string(R"([{"library_path":")") + from + R"("}])"),
                  {library})
              .funnel.front()
              .lost_at(),
          Step::kReported)
          << library << " " << from;
  }
}

TEST(IsBackendName, TakesWhatGgmlTakes) {
  for (const char* name :
       {"libggml-cuda.so", "libggml-cuda.so.1", "libggml-hip.so", "libggml-vulkan.so"})
    EXPECT_TRUE(IsBackendName(name)) << name;
  for (const char* name :
       {"libggml-cpu.so", "libggml-base.so", "libggml.so", "libcuda.so", "libggml-cuda.txt", ""})
    EXPECT_FALSE(IsBackendName(name)) << name;
}

}  // namespace
}  // namespace gpustage
