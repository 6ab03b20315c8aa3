// Each claim held against evidence that was written by hand: the sentences are what users read.
#include "harness/verdict/checks.h"

#include "harness/evidence/records/decode.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kLibrary[] = "/opt/cuda_v12/libggml-cuda.so";

Evidence Decoded(const RawRun& run,
                 const DeviceReader& reader = {DeviceReader::Kind::kJson, "stdout", ""}) {
  ScannerSpec scanner;
  scanner.devices = reader;
  return Decode(run, scanner, {kLibrary});
}

HandMadeRun Started() { return HandMadeRun().Process(7, 1, "/bin/scan", "scan"); }

// Found, loaded, asked, and one H100 reported.
Evidence OneH100() {
  return Decoded(Started()
                     .Prints(Stream::kStderr, "loading\n")
                     .Search(7, 1, kLibrary)
                     .Load(7, 50, kLibrary)
                     .Symbol(7, 50, "ggml_backend_init")
                     .Call(7, "cudaGetDeviceCount", 0)
                     .Call(7, "cudaGetDeviceProperties", 0, 0)
                     .Prints(Stream::kStderr, "loaded CUDA backend\n")
                     .Prints(Stream::kStdout,
                             R"([{"name":"H100","library_path":"/opt/cuda_v12/libggml-cuda.so"}])")
                     .Unload(7, 1));
}
// The driver says no.
Evidence NoDevice() {
  return Decoded(Started()
                     .Search(7, 1, kLibrary)
                     .Load(7, 50, kLibrary)
                     .Symbol(7, 50, "ggml_backend_init")
                     .Call(7, "cuInit", 100)
                     .Prints(Stream::kStdout, "[]")
                     .Unload(7, 1));
}
Evidence Crashed() {
  return Decoded(Started().Prints(Stream::kStdout, "[").Ends({Outcome::Kind::kKilled, 11, ""}));
}

// Whichever it says, the proof exists.
void ExpectProof(const Check& check, const Evidence& evidence) {
  EXPECT_GE(check.event, 1);
  EXPECT_LE(check.event, evidence.outcome_event());
}
void ExpectOk(const Check& check, const Evidence& evidence, const std::string& seen) {
  EXPECT_TRUE(check.ok) << check.seen;
  EXPECT_FALSE(check.unknown);
  EXPECT_EQ(check.seen, seen);
  ExpectProof(check, evidence);
}
void ExpectNotOk(const Check& check, const Evidence& evidence, const std::string& seen) {
  EXPECT_FALSE(check.ok);
  EXPECT_FALSE(check.unknown) << check.seen;
  EXPECT_EQ(check.seen, seen);
  ExpectProof(check, evidence);
}
void ExpectUnknown(const Check& check, const Evidence& evidence, const std::string& why) {
  EXPECT_FALSE(check.ok);
  EXPECT_TRUE(check.unknown);
  EXPECT_EQ(check.seen, why);
  ExpectProof(check, evidence);
}

TEST(CheckDevices, CountsAndNamesThem) {
  const Evidence one = OneH100(), none = NoDevice(), crashed = Crashed();
  ExpectOk(CheckDevices(one, {{1, 1}}), one,
           "1 device: H100 through /opt/cuda_v12/libggml-cuda.so");
  ExpectOk(CheckDevices(one, {{0, std::nullopt}}), one,
           "1 device: H100 through /opt/cuda_v12/libggml-cuda.so");
  ExpectNotOk(CheckDevices(one, {{2, 2}}), one,
              "1 device: H100 through /opt/cuda_v12/libggml-cuda.so");
  ExpectNotOk(CheckDevices(none, {{1, 1}}), none,
              "0 devices, libggml-cuda.so lost at \"initialised\": cuInit gave 100 "
              "(CUDA_ERROR_NO_DEVICE: no CUDA-capable device is "
              "detected)");
  EXPECT_EQ(none.At(CheckDevices(none, {{1, 1}}).event).subject, "cuInit");
  ExpectUnknown(CheckDevices(crashed, {{0, 0}}), crashed,
                "the scanner was not done: killed by SIGSEGV");
}

TEST(CheckDevices, SaysWhyADeviceIsMissing) {
  Evidence one = OneH100();
  one.setting.devices = 2;
  Fact mask;
  mask.kind = Fact::Kind::kMask;
  mask.subject = "CUDA_VISIBLE_DEVICES";
  mask.other = "0";
  one.missing = {mask};
  EXPECT_THAT(CheckDevices(one, {{2, 2}}).because,
              testing::StartsWith("1 of the machine's 2 devices: CUDA_VISIBLE_DEVICES is \"0\""));
  EXPECT_EQ(CheckDevices(one, {{2, 2}}).because, CheckDevice(one, {1, {{"name", "x"}}}).because);
  EXPECT_EQ(CheckDevices(one, {{1, 1}}).because, "");
}

TEST(CheckDevices, QuotesTheLastWordsOfOneThatDied) {
  Evidence crashed = Crashed();
  EventId said = 0;
  for (const Event& event : crashed.events)
    if (event.kind == EventKind::kLog) said = event.id;
  crashed.bad_end.emplace().said = said;
  const std::string because = CheckDevices(crashed, {{1, 1}}).because;
  EXPECT_THAT(because, testing::HasSubstr("killed by SIGSEGV. Its last line is \"[\" (#"));
  crashed.bad_end.reset();
  EXPECT_EQ(CheckDevices(crashed, {{1, 1}}).because, "");
}

TEST(CheckDevice, ComparesTheGivenFields) {
  const Evidence one = OneH100(), none = NoDevice();
  ExpectOk(CheckDevice(one, {0, {{"name", "H100"}}}), one,
           "H100 through /opt/cuda_v12/libggml-cuda.so");
  ExpectNotOk(CheckDevice(one, {0, {{"name", "A100"}}}), one, "name: H100");
  ExpectNotOk(CheckDevice(one, {1, {{"name", "H100"}}}), one,
              "no device 1: 1 device: H100 through /opt/cuda_v12/libggml-cuda.so");
  ExpectUnknown(CheckDevice(one, {0, {{"uuid", "x"}}}), one,
                "the scanner does not say a device's uuid");
  const Evidence counted = Decoded(HandMadeRun().Prints(Stream::kStdout, "count=1\n"),
                                   {DeviceReader::Kind::kCount, "any", "count=(?P<count>\\d+)"});
  ExpectUnknown(CheckDevice(counted, {0, {{"name", "x"}}}), counted,
                "the scanner counts devices and does not name them");
  ExpectNotOk(CheckDevice(none, {0, {{"name", "x"}}}), none,
              "no device 0: 0 devices, libggml-cuda.so lost at \"initialised\": cuInit gave 100 "
              "(CUDA_ERROR_NO_DEVICE: no CUDA-capable device is "
              "detected)");
}

// The line may be one of those that are gone: nobody can say that it is not there.
TEST(CheckLog, OfALogThatIsCutSaysNothingOfWhatIsNotInIt) {
  Evidence cut = OneH100();
  cut.cut_lines = 7;
  EXPECT_TRUE(CheckLog(cut, {{"CUDA backend", false}, true}).ok);
  for (const bool present : {true, false}) {
    const Check check = CheckLog(cut, {{"no such text", false}, present});
    EXPECT_TRUE(check.unknown);
    EXPECT_EQ(check.seen, "7 lines of the log are cut");
  }
  EXPECT_TRUE(CheckLogOrder(cut, {{{"no such text", false}}}).unknown);
}

TEST(CheckLog, FindsTextAndPatterns) {
  const Evidence one = OneH100();
  ExpectOk(CheckLog(one, {{"CUDA backend", false}, true}), one, "loaded CUDA backend");
  ExpectOk(CheckLog(one, {{"^loaded.*end$", true}, true}), one, "loaded CUDA backend");
  ExpectNotOk(CheckLog(one, {{"^CUDA", true}, true}), one, "no such line among 3");
  ExpectNotOk(CheckLog(one, {{"CUDA", false}, false}), one, "loaded CUDA backend");
  ExpectOk(CheckLog(one, {{"Vulkan", false}, false}), one, "no such line among 3");
  // A text is no pattern.
  EXPECT_FALSE(CheckLog(one, {{"loaded.*", false}, true}).ok);
}

TEST(CheckLogOrder, WantsOneAfterTheOther) {
  const Evidence one = OneH100();
  ExpectOk(CheckLogOrder(one, {{{"loading", false}, {"loaded", false}}}), one,
           "all of them, in order");
  ExpectNotOk(CheckLogOrder(one, {{{"loaded", false}, {"loading", false}}}), one,
              "no line with \"loading\" after the one before it");
  ExpectNotOk(CheckLogOrder(one, {{{"nothing", false}, {"loaded", false}}}), one,
              "no line with \"nothing\" at all");
  // The same line does not count twice.
  EXPECT_FALSE(CheckLogOrder(one, {{{"loading", false}, {"loading", false}}}).ok);
}

TEST(CheckOutcome, ComparesKindAndCode) {
  const Evidence one = OneH100(), crashed = Crashed();
  ExpectOk(CheckOutcome(one, {"exited", 0}), one, "exited 0");
  ExpectOk(CheckOutcome(one, {"exited", std::nullopt}), one, "exited 0");
  ExpectNotOk(CheckOutcome(one, {"exited", 1}), one, "exited 0");
  ExpectNotOk(CheckOutcome(one, {"killed", std::nullopt}), one, "exited 0");
  ExpectOk(CheckOutcome(crashed, {"killed", 11}), crashed, "killed by SIGSEGV");
  ExpectNotOk(CheckOutcome(crashed, {"timed_out", std::nullopt}), crashed, "killed by SIGSEGV");
}

TEST(CheckLoads, KnowsWhichFileWasMapped) {
  const Evidence one = OneH100();
  const std::string loaded = "#4 pid 7 loaded /opt/cuda_v12/libggml-cuda.so";
  ExpectOk(CheckLoads(one, {"libggml-cuda.so", std::nullopt, true}), one, loaded);
  ExpectOk(CheckLoads(one, {"cuda_v12/libggml-cuda.so", std::nullopt, true}), one, loaded);
  ExpectOk(CheckLoads(one, {"libggml-cuda.so", kLibrary, true}), one, loaded);
  ExpectNotOk(CheckLoads(one, {"libggml-cuda.so", "/elsewhere/libggml-cuda.so", true}), one,
              loaded);
  ExpectNotOk(CheckLoads(one, {"libggml-cuda.so", std::nullopt, false}), one, loaded);
  ExpectNotOk(CheckLoads(one, {"ggml-cuda.so", std::nullopt, true}), one,
              "no process loaded ggml-cuda.so");
  ExpectOk(CheckLoads(one, {"libcuda.so.1", std::nullopt, false}), one,
           "no process loaded libcuda.so.1");
  const Evidence unwatched = Decoded(HandMadeRun().WithoutLoader());
  ExpectUnknown(CheckLoads(unwatched, {"libcuda.so.1", std::nullopt, false}), unwatched,
                "loads: the program is not dynamic, or was started without the recorder");
}

TEST(CheckCalls, CountsCallsAndTheirResults) {
  const Evidence none = NoDevice();
  ExpectOk(CheckCalls(none, {"cuInit", {1, std::nullopt}, std::nullopt}), none, "1 call");
  ExpectOk(CheckCalls(none, {"cuInit", {1, 1}, 100}), none, "1 call");
  ExpectNotOk(CheckCalls(none, {"cuInit", {1, 1}, 0}), none, "0 calls");
  ExpectOk(CheckCalls(none, {"cudaMalloc", {0, 0}, std::nullopt}), none, "0 calls");
  RawRun torn = Started();
  torn.journal.resize(torn.journal.size() - 8);
  const Evidence part = Decoded(torn);
  ExpectUnknown(CheckCalls(part, {"cuInit", {0, 0}, std::nullopt}), part,
                "the journal of calls is not complete");
}

TEST(CheckLost, ComparesTheStepAndTheReason) {
  const Evidence one = OneH100(), none = NoDevice();
  const std::string lost =
      "lost at \"initialised\": cuInit gave 100 (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is "
      "detected)";
  ExpectOk(CheckLost(none, {"libggml-cuda.so", Step::kInitialised, std::nullopt}), none, lost);
  ExpectOk(CheckLost(none, {"cuda_v12/libggml-cuda.so", Step::kInitialised, "gave 100"}), none,
           lost);
  ExpectNotOk(CheckLost(none, {"libggml-cuda.so", Step::kLoaded, std::nullopt}), none, lost);
  ExpectNotOk(CheckLost(none, {"libggml-cuda.so", Step::kInitialised, "gave 35"}), none, lost);
  ExpectNotOk(CheckLost(one, {"libggml-cuda.so", Step::kLoaded, std::nullopt}), one,
              "it got as far as \"reported\"");
  ExpectUnknown(CheckLost(one, {"libother.so", Step::kLoaded, std::nullopt}), one,
                "libother.so is no candidate in this tree");
}

TEST(CheckReached, IsUnknownWhereTheStepWasNotObserved) {
  const Evidence one = OneH100(), none = NoDevice();
  ExpectOk(CheckReached(one, {"libggml-cuda.so", Step::kCounted}), one,
           "it got as far as \"reported\"");
  ExpectOk(CheckReached(none, {"libggml-cuda.so", Step::kListed}), none,
           "it got as far as \"entry point\"");
  ExpectNotOk(CheckReached(none, {"libggml-cuda.so", Step::kCounted}), none,
              "it got as far as \"entry point\"");
  const Evidence untouched = Decoded(Started().Prints(Stream::kStdout, "[]"));
  ExpectUnknown(CheckReached(untouched, {"libggml-cuda.so", Step::kListed}), untouched,
                "whether it was listed could not be observed");
  ExpectNotOk(CheckReached(untouched, {"libggml-cuda.so", Step::kOpened}), untouched,
              "nothing was seen of it");
  const Evidence unwatched = Decoded(HandMadeRun().WithoutLoader());
  ExpectUnknown(CheckReached(unwatched, {"libggml-cuda.so", Step::kLoaded}), unwatched,
                "whether it was loaded could not be observed");
}

// A child that was started with a variable, beside the server.
Evidence Served() {
  return Decoded(HandMadeRun()
                     .Process(2, 1, "/bin/ollama", "ollama\x1fserve")
                     .Process(7, 2, "/bin/ollama", "ollama\x1frunner",
                              "GGML_CUDA_INIT=1\x1f"
                              "LD_LIBRARY_PATH=/a:/opt/cuda_v12")
                     .Search(7, 1, kLibrary)
                     .Load(7, 50, kLibrary)
                     .Search(7, 50, "libcuda.so.1")
                     .Search(7, 50, "/opt/cuda_v12/libcuda.so.1", LA_SER_LIBPATH)
                     .Load(7, 60, "/opt/cuda_v12/libcuda.so.1")
                     .Symbol(7, 50, "ggml_backend_init")
                     .Call(7, "cuInit", 100)
                     .Prints(Stream::kStdout, "[]")
                     .Unload(7, 1));
}

TEST(CheckCalls, CountsThoseOfAProcess) {
  const Evidence served = Served();
  ExpectOk(CheckCalls(served, {"cuInit", {1, 1}, std::nullopt, "ollama runner"}), served,
           "1 call in 1 process");
  ExpectOk(CheckCalls(served, {"cuInit", {0, 0}, std::nullopt, "serve"}), served,
           "0 calls in 1 process");
  ExpectNotOk(CheckCalls(served, {"cuInit", {1, 1}, std::nullopt, "serve"}), served,
              "0 calls in 1 process");
}

TEST(CheckCalls, TellsOrdinalsAndArguments) {
  const Evidence asked = Decoded(HandMadeRun()
                                     .Process(7, 1, "/bin/a", "a")
                                     .Call(7, "cuDeviceGetName", 0, 1, "device=1, bytes=64"));
  CallsClaim claim;
  claim.function = "cuDeviceGetName";
  claim.device = 1;
  claim.arguments = "bytes=64";
  EXPECT_TRUE(CheckCalls(asked, claim).ok);
  claim.device = 0;
  EXPECT_FALSE(CheckCalls(asked, claim).ok);
  claim.device = std::nullopt;
  claim.arguments = "bytes=65";
  EXPECT_FALSE(CheckCalls(asked, claim).ok);
}

// A static program, or one that was started without the recorder, may have called whatever it
// liked.
TEST(CheckCalls, SaysNoneOfNoProcessThatWasNotSeen) {
  const Evidence served = Served(), unwatched = Decoded(HandMadeRun().WithoutLoader()),
                 nobody = Decoded(HandMadeRun());
  ExpectUnknown(CheckCalls(served, {"cuInit", {0, 0}, std::nullopt, "python3"}), served,
                "calls of cuInit: no process \"python3\" was seen");
  for (const Evidence& evidence : {unwatched, nobody})
    ExpectUnknown(
        CheckCalls(evidence, {"cuInit", {0, 0}, std::nullopt}), evidence,
        "calls of cuInit: the program is not dynamic, or was started without the recorder");
}

TEST(CheckLoads, KnowsTheRule) {
  const Evidence served = Served();
  const std::string loaded = "#7 pid 7 loaded /opt/cuda_v12/libcuda.so.1 by LD_LIBRARY_PATH[2]";
  ExpectOk(CheckLoads(served, {"libcuda.so.1", std::nullopt, true, "LD_LIBRARY_PATH"}), served,
           loaded);
  ExpectNotOk(CheckLoads(served, {"libcuda.so.1", std::nullopt, true, "cache"}), served, loaded);
}

TEST(CheckProcess, ComparesRoleAndEnvironment) {
  const Evidence served = Served(), nobody = Decoded(HandMadeRun());
  ExpectOk(CheckProcess(served, {"ollama", {2, 2}, {}}), served, "2 such processes");
  ExpectOk(CheckProcess(served, {"runner", {1, 1}, {"GGML_CUDA_INIT=1", "LD_LIBRARY_PATH"}}),
           served, "1 such process");
  ExpectNotOk(CheckProcess(served, {"runner", {1, 1}, {"GGML_CUDA_INIT=2"}}), served,
              "0 such processes");
  ExpectNotOk(CheckProcess(served, {"runner", {1, 1}, {"GGML_CUDA"}}), served, "0 such processes");
  ProcessClaim words{"runner", {1, 1}, {}};
  words.argv = "ollama runner";
  ExpectOk(CheckProcess(served, words), served, "1 such process");
  words.argv = "ollama serve";
  ExpectNotOk(CheckProcess(served, words), served, "0 such processes");
  ExpectUnknown(CheckProcess(nobody, {"runner", {0, 0}, {}}), nobody,
                "processes: the program is not dynamic, or was started without the recorder");
}

TEST(CheckSilent, WantsALineThatSaysSo) {
  const Evidence served = Served(), one = OneH100(),
                 unwatched = Decoded(HandMadeRun().WithoutLoader());
  ExpectOk(CheckSilent(served, {true}), served,
           "silent: libggml-cuda.so was lost at \"initialised\", and the one line that was printed "
           "does not say so");
  ExpectNotOk(CheckSilent(served, {false}), served,
              "silent: libggml-cuda.so was lost at \"initialised\", and the one line that was "
              "printed does not say so");
  ExpectOk(CheckSilent(one, {false}), one, "not silent: nothing failed");
  ExpectUnknown(CheckSilent(unwatched, {true}), unwatched,
                "what it loaded and called could not be observed, so nor could a failure");
}

TEST(CheckLost, ComparesTheCause) {
  const Evidence none = NoDevice();
  EXPECT_TRUE(
      CheckLost(none, {"libggml-cuda.so", Step::kInitialised, std::nullopt, "init-error"}).ok);
  const Check other =
      CheckLost(none, {"libggml-cuda.so", Step::kInitialised, std::nullopt, "masked"});
  EXPECT_FALSE(other.ok);
  EXPECT_THAT(other.seen, StartsWith("lost at \"initialised\" (init-error): cuInit gave 100"));
}

TEST(CheckClaim, TurnsAnInvertedClaimRound) {
  const Evidence one = OneH100(), crashed = Crashed();
  Claim claim{DevicesClaim{{1, 1}}, false, {"s.yaml", 4, 5}};
  EXPECT_TRUE(CheckClaim(one, claim).ok);
  EXPECT_EQ(CheckClaim(one, claim).expected, "devices: 1");
  EXPECT_EQ(CheckClaim(one, claim).pos, claim.pos);
  claim.inverted = true;
  EXPECT_FALSE(CheckClaim(one, claim).ok);
  EXPECT_EQ(CheckClaim(one, claim).expected, "not devices: 1");
  // What nobody saw is not seen by asking the other way round.
  EXPECT_TRUE(CheckClaim(crashed, claim).unknown);
  EXPECT_FALSE(CheckClaim(crashed, claim).ok);
}

}  // namespace
}  // namespace gpustage
