// When a failure is silent: what failed, and what a line must have to say so.
#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::Optional;

constexpr char kLibrary[] = "/opt/cuda_v12/libggml-cuda.so";

Evidence Decoded(const RawRun& run, const std::vector<std::string>& candidates = {kLibrary}) {
  ScannerSpec scanner;
  scanner.log_format = LogFormat::kSlog;
  scanner.devices = {DeviceReader::Kind::kLines, "stdout", "^GPU(?: (?P<library_path>\\S+))?"};
  return Decode(run, scanner, candidates);
}
HandMadeRun Loaded() {
  return HandMadeRun()
      .Process(7, 1, "/bin/scan", "scan")
      .Search(7, 1, kLibrary)
      .Load(7, 50, kLibrary);
}
HandMadeRun Refused() { return Loaded().Symbol(7, 50, "ggml_backend_init").Call(7, "cuInit", 802); }
// It needs libcuda.so.1, and that is nowhere.
HandMadeRun Lacking() {
  return Loaded()
      .Search(7, 50, "libcuda.so.1")
      .Search(7, 50, "/lib/libcuda.so.1", LA_SER_DEFAULT)
      .Unload(7, 50);
}
std::optional<bool> Silent(HandMadeRun run, const std::string& line) {
  return Decoded(run.Prints(Stream::kStderr, line + "\n").Unload(7, 1)).silent_failure;
}

TEST(Silence, IsBrokenByALineThatNamesTheLibraryAndComplains) {
  EXPECT_THAT(Silent(Refused(), "load_backend: failed to load /opt/cuda_v12/libggml-cuda.so"),
              Optional(false));
  EXPECT_THAT(Silent(Refused(), "time=x level=WARN msg=look libDir=/opt/cuda_v12"),
              Optional(false));
  EXPECT_THAT(Silent(Refused(),
                     "time=x level=DEBUG msg=\"skipping available library\" libDir=/opt/cuda_v12"),
              Optional(false));
  EXPECT_THAT(
      Silent(Refused(), "time=x level=INFO msg=done libDir=/opt/cuda_v12 error=\"runner gone\""),
      Optional(false));
}

// Its texts are its own: "The operating system has blocked the request to the device".
TEST(Silence, IsBrokenByTheErrorOfNvidiasPythonClient) {
  const char* const library = "/lib/libnvidia-ml.so.1";
  const auto silent = [&](const char* line) {
    HandMadeRun run = HandMadeRun().Process(7, 1, "/bin/scan", "scan").Search(7, 1, library);
    run.Load(7, 50, library).Symbol(7, 50, "nvmlInit_v2").Call(7, "nvmlInit_v2", 17);
    return Decoded(run.Prints(Stream::kStderr, line).Unload(7, 1), {}).silent_failure;
  };
  EXPECT_THAT(silent("NVMLError_OperatingSystem: it was blocked\n"), Optional(false));
  EXPECT_THAT(silent("NVMLError_NoPermission: it was blocked\n"), Optional(true));
}

// Go's and a shell's words have the signal's name: that of this loss, and not of another.
TEST(Silence, IsBrokenByTheSignalThatKilledTheProcess) {
  const auto silent = [](const char* fault, const char* line) {
    HandMadeRun run = Loaded().Symbol(7, 50, "ggml_backend_init");
    return Silent(run.Call(7, "cuInit", world::kNoResult, -1, fault), line);
  };
  EXPECT_THAT(silent("fault: segfault", "it failed: SIGSEGV"), Optional(false));
  EXPECT_THAT(silent("fault: abort", "it failed: SIGABRT"), Optional(false));
  EXPECT_THAT(silent("fault: abort", "it failed: SIGSEGV"), Optional(true));
}

// Ollama 0.17.4 skips directories below the one that a top-level link stands in, and other files of
// the same name.
TEST(Silence, IsNotBrokenByALineAboutAnotherDirectory) {
  EXPECT_THAT(
      Silent(Refused(),
             "time=x level=DEBUG msg=\"skipping available library\" libDir=/opt/cuda_v12/old"),
      Optional(true));
  EXPECT_THAT(
      Silent(Refused(),
             "time=x level=DEBUG msg=\"skipping available library\" libDir=/opt/cuda_v12.bak"),
      Optional(true));
  EXPECT_THAT(Silent(Refused(), "load_backend: failed to load /opt/cuda_v13/libggml-cuda.so"),
              Optional(true));
  EXPECT_THAT(Silent(Refused(), "load_backend: failed to load libggml-cuda.so"), Optional(false));
  EXPECT_THAT(Silent(Refused(), "time=x level=WARN msg=look dirs=\"[/opt /opt/cuda_v12]\""),
              Optional(false));
}

TEST(Silence, IsToldOfTheRowThatGotFurthest) {
  const Evidence evidence =
      Decoded(Refused().Unload(7, 1), {"/opt/cuda_v11/libggml-cuda.so", kLibrary});
  EXPECT_THAT(SentenceOf(evidence.silent_because),
              testing::HasSubstr("was lost at \"initialised\""));
}

TEST(Silence, IsBrokenByTheCodesTextOrName) {
  EXPECT_THAT(Silent(Refused(), "failed to initialize CUDA: system not yet initialized"),
              Optional(false));
  EXPECT_THAT(Silent(Refused(), "error: CUDA_ERROR_SYSTEM_NOT_READY"), Optional(false));
}

TEST(Silence, IsBrokenByTheNameOfWhatWasMissing) {
  EXPECT_THAT(Silent(Lacking(), "libcuda.so.1: cannot open shared object file"), Optional(false));
  EXPECT_THAT(Silent(Lacking(), "libcublas.so.12: cannot open shared object file"), Optional(true));
}

TEST(Silence, IsNotBrokenByALineThatSaysTheSameOfSuccess) {
  for (const char* line :
       {"", "load_backend: loaded CUDA backend from /opt/cuda_v12/libggml-cuda.so",
        "time=x level=DEBUG msg=\"bootstrap discovery took\" OLLAMA_LIBRARY_PATH=/opt/cuda_v12",
        "time=x level=DEBUG msg=subprocess LD_LIBRARY_PATH=/opt/cuda_v12 ERROR_LOG=/x",
        "time=x level=DEBUG msg=\"evaluating which, if any, devices to filter out\" "
        "initial_count=0"})
    EXPECT_THAT(Silent(Refused(), line), Optional(true)) << line;
}

TEST(Silence, IsNotBrokenByAnErrorOfSomethingElse) {
  EXPECT_THAT(Silent(Refused(), "time=x level=ERROR msg=\"listen failed\""), Optional(true));
  EXPECT_THAT(Silent(Refused(), "code 802"), Optional(true));
}

TEST(Silence, IsNoneWhereNothingFailed) {
  const Evidence evidence = Decoded(Loaded()
                                        .Symbol(7, 50, "ggml_backend_init")
                                        .Call(7, "cuInit", 0)
                                        .Call(7, "cuDeviceGet", 0, 0)
                                        .Prints(Stream::kStdout, "GPU\n")
                                        .Unload(7, 1));
  EXPECT_THAT(evidence.silent_failure, Optional(false));
  EXPECT_EQ(SentenceOf(evidence.silent_because), "nothing failed");
}

// The caller of a program sees how it ended.
TEST(Silence, IsBrokenByTheScannersOwnDeath) {
  EXPECT_THAT(Decoded(Loaded().Ends({Outcome::Kind::kKilled, 7, ""})).silent_failure,
              Optional(false));
  EXPECT_THAT(Decoded(Refused().Ends({Outcome::Kind::kTimedOut, 9, "after 30 s"})).silent_failure,
              Optional(false));
}

TEST(Silence, IsNotKnownWhereNothingCouldBeObserved) {
  const Evidence evidence =
      Decoded(HandMadeRun().WithoutLoader().Prints(Stream::kStderr, "no GPU\n"));
  EXPECT_EQ(evidence.silent_failure, std::nullopt);
  EXPECT_EQ(SentenceOf(evidence.silent_because),
            "what it loaded and called could not be observed, so nor could a failure");
}

// Somebody who hides a device or leaves a file aside has what they asked for, as long as there is
// another device.
TEST(Silence, IsNoneOfWhatNobodyTriedBesideADevice) {
  const HandMadeRun good =
      Loaded().Symbol(7, 50, "ggml_backend_init").Call(7, "cuInit", 0).Call(7, "cuDeviceGet", 0, 0);
  const std::vector<std::string> both = {kLibrary, "/opt/x/libggml-cuda.so"};
  EXPECT_THAT(
      Decoded(HandMadeRun(good).Prints(Stream::kStdout, "GPU\n").Unload(7, 1), both).silent_failure,
      Optional(false));
  EXPECT_THAT(Decoded(HandMadeRun(good).Unload(7, 1), both).silent_failure, Optional(true));
}

TEST(Silence, PointsAtTheLineThatSaysSo) {
  const Evidence evidence = Decoded(
      Refused().Prints(Stream::kStderr, "CUDA failed: system not yet initialized\n").Unload(7, 1));
  ASSERT_EQ(evidence.funnel.size(), 1u);
  EXPECT_TRUE(evidence.funnel.front().failed());
  EXPECT_EQ(evidence.At(evidence.funnel.front().loss->said).subject,
            "CUDA failed: system not yet initialized");
  EXPECT_EQ(SentenceOf(evidence.silent_because),
            "#6 says: CUDA failed: system not yet initialized");
}

// llama.cpp, ggml-backend-reg.cpp: "search path %s does not exist".
TEST(Silence, IsBrokenByALineThatSaysOfItsFolderThatItIsNotThere) {
  RawRun run =
      HandMadeRun()
          .Process(7, 1, "/bin/scan", "scan", "A=1")
          .Prints(Stream::kStderr, "search path " + ParentOf(kLibrary) + " does not exist\n")
          .Prints(Stream::kStdout, "0\n")
          .Unload(7, 1);
  Evidence evidence = Decoded(run);
  FunnelRow& row = evidence.funnel.front();
  row.loss.emplace();
  row.loss->cause = Cause::kUnlistable;
  row.loss->failed = true;
  FindSilence(evidence);
  EXPECT_EQ(evidence.silent_failure, false);
}

}  // namespace
}  // namespace gpustage
