// What the machine says after the run of a loss: who else refuses, where a library lies instead,
// and what is no loss at all.
#include "harness/evidence/path/places.h"

#include <cerrno>

#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr char kDriver[] = "/usr/lib/libcuda.so.1";

Evidence Of(HandMadeRun run, const Setting& setting,
            const std::vector<std::string>& candidates = {}) {
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  return Decode(run.Prints(Stream::kStdout, "0\n").Unload(7, 1), scanner, candidates, setting);
}
HandMadeRun Started(const std::string& environment = "A=1") {
  return HandMadeRun().Process(7, 1, "/bin/scan", "scan", environment);
}
Setting OneDevice(std::vector<std::string> libraries = {}) {
  Setting setting;
  setting.devices = 1;
  setting.libraries = std::move(libraries);
  return setting;
}
Looked There(const std::string& path) {
  Looked looked;
  looked.path = looked.end = path;
  return looked;
}
Looked Shut(const std::string& path) {
  Looked looked = There(path);
  looked.error = EACCES;
  return looked;
}
std::vector<std::string> Below(const FunnelRow& row) {
  std::vector<std::string> texts;
  for (const Fact& fact : row.loss->because) texts.push_back(FactText(fact));
  return texts;
}

TEST(Places, TheNodesBehindTheOneThatRefusesAreTold) {
  Evidence evidence = Of(Started()
                             .Search(7, 1, "libcuda.so.1")
                             .Search(7, 1, kDriver, LA_SER_CONFIG)
                             .Load(7, 50, kDriver)
                             .Symbol(7, 50, "cuInit")
                             .Asks(7, FileAct::kOpen, "/dev/nvidiactl", EACCES)
                             .Call(7, "cuInit", 999),
                         OneDevice());
  AfterRun after;
  after.looked = {Shut("/dev/nvidiactl"), Shut("/dev/nvidia0"), There("/dev/nvidia-uvm")};
  ASSERT_THAT(PathsToLook(evidence), Contains("/dev/nvidia-uvm"));
  AddPlaces(after, evidence);
  ASSERT_THAT(evidence.funnel, SizeIs(1));
  EXPECT_THAT(Below(evidence.funnel.front()),
              Contains("/dev/nvidia0 would be refused too: Permission denied"));
  EXPECT_THAT(Suggestions(evidence.funnel.front()), Contains("chmod o+rw /dev/nvidia0, too"));
}

// Two causes at once: whoever opens the node to all meets the one that is not there.
TEST(Places, ANodeThatIsNotThereIsToldBesideOneThatRefuses) {
  Evidence evidence = Of(Started()
                             .Search(7, 1, "libcuda.so.1")
                             .Search(7, 1, kDriver, LA_SER_CONFIG)
                             .Load(7, 50, kDriver)
                             .Symbol(7, 50, "cuInit")
                             .Asks(7, FileAct::kOpen, "/dev/nvidiactl", EACCES)
                             .Call(7, "cuInit", 100),
                         OneDevice());
  Looked gone = There("/dev/nvidia-uvm");
  gone.error = ENOENT;
  AfterRun after;
  after.looked = {Shut("/dev/nvidiactl"), There("/dev/nvidia0"), gone};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(evidence.funnel.front()), Contains("/dev/nvidia-uvm is not there"));
  EXPECT_THAT(Suggestions(evidence.funnel.front()), Contains("have /dev/nvidia-uvm there, too"));
}

TEST(Places, ACopyThatNothingLookedAtIsNamed) {
  const std::string copy = "/run/opengl-driver/lib/libcuda.so.1";
  Evidence evidence = Of(Started()
                             .Asks(7, FileAct::kOpen, "/etc/ld.so.cache")
                             .Search(7, 1, "libcuda.so.1")
                             .Search(7, 1, "/lib/libcuda.so.1", LA_SER_DEFAULT),
                         OneDevice({copy}));
  ASSERT_THAT(PathsToLook(evidence), Contains(copy));
  AfterRun after;
  after.looked = {There(copy)};
  AddPlaces(after, evidence);
  ASSERT_THAT(evidence.funnel, SizeIs(1));
  EXPECT_THAT(Below(evidence.funnel.front()),
              ElementsAre(HasSubstr("libcuda.so.1 is at " + copy + ", where nothing looked")));
  EXPECT_THAT(Suggestions(evidence.funnel.front()),
              Contains(HasSubstr("add /run/opengl-driver/lib to LD_LIBRARY_PATH")));
}

// Of a system whose packages are patched to find the driver, one was missed.
TEST(Places, ARunpathThatOthersOfTheProcessHaveIsTold) {
  const std::string copy = "/run/opengl-driver/lib/libcuda.so.1";
  const std::string needy = "/opt/app/libneedy.so", patched = "/opt/app/libpatched.so";
  Evidence evidence = Of(Started()
                             .Load(7, 40, patched)
                             .Search(7, 1, needy)
                             .Load(7, 50, needy)
                             .Search(7, 50, "libcuda.so.1")
                             .Search(7, 50, "/lib/libcuda.so.1", LA_SER_DEFAULT),
                         OneDevice(), {needy});
  FunnelRow& row = evidence.funnel.front();
  ASSERT_TRUE(row.loss);
  row.loss->cause = Cause::kMissingDependency;
  evidence.linkage.own_paths = {{7, patched, "/run/opengl-driver/lib"}};
  EXPECT_THAT(SoughtInVain(evidence), Contains(testing::FieldsAre(7, "libcuda.so.1")));
  AfterRun after;
  after.looked = {There(copy)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Contains(patched + " has a RUNPATH that leads to " + copy +
                                   ", and libneedy.so has none that does"));
  EXPECT_THAT(Suggestions(row), Contains("patchelf --add-rpath /run/opengl-driver/lib " + needy));
}

// ollama/ollama#11519: the toolkit of a conda environment is taken for a driver.
TEST(Places, ARuntimeThatLiesElsewhereIsToldToBringNoDriver) {
  const auto below = [](const std::string& runtime) {
    Evidence evidence =
        Of(Started().Search(7, 1, "libcuda.so.1").Search(7, 1, "/lib/libcuda.so.1", LA_SER_DEFAULT),
           OneDevice({runtime}));
    AddPlaces({}, evidence);
    return Below(evidence.funnel.front());
  };
  EXPECT_THAT(below("/opt/conda/lib/libcudart.so.12"),
              Contains("/opt/conda/lib/libcudart.so.12 is CUDA's runtime, which brings no driver"));
  EXPECT_THAT(below("/opt/conda/lib/libssl.so.3"), Not(Contains(HasSubstr("no driver"))));
}

// A libstdc++ that no scenario placed is the system's own.
TEST(Copies, TheSystemsOwnIsTold) {
  const std::string taken = "/usr/lib64/libstdc++.so.6";
  const std::string own = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
  const std::string needy = "/opt/app/libneedy.so";
  Evidence evidence =
      Of(Started().Load(7, 40, taken).Search(7, 1, needy).Load(7, 50, needy).Unload(7, 50),
         OneDevice(), {needy});
  FunnelRow& row = evidence.funnel.front();
  ASSERT_TRUE(row.loss);
  row.loss->cause = Cause::kMissingVersion;
  evidence.linkage.gaps = {{7, needy, taken, {"GLIBCXX_3.4.30"}, {}}};
  ASSERT_THAT(PathsToLook(evidence), Contains(own));
  AfterRun after;
  after.looked = {There(taken), There(own)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Contains("another copy is " + own));
  EXPECT_THAT(Suggestions(row), Contains(HasSubstr("so that " + own + " answers")));
}

TEST(Places, ALoaderThatAsksNoCacheIsTold) {
  const std::string copy = "/usr/lib/x86_64-linux-gnu/libcuda.so.1";
  Evidence evidence = Of(Started()
                             .Asks(7, FileAct::kOpen, "/nix/store/glibc/etc/ld.so.cache")
                             .Search(7, 1, "libcuda.so.1")
                             .Search(7, 1, "/nix/lib/libcuda.so.1", LA_SER_DEFAULT),
                         OneDevice({copy}));
  AfterRun after;
  after.looked = {There(copy)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(evidence.funnel.front()), Contains(HasSubstr("asked no ld.so.cache")));
  EXPECT_THAT(Suggestions(evidence.funnel.front()), Not(Contains(HasSubstr("ldconfig"))));
}

TEST(Places, ADriverWithoutItsComputeLibraryIsToldByItsSibling) {
  const std::string nvml = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1";
  Evidence evidence = Of(Started("NVIDIA_DRIVER_CAPABILITIES=utility")
                             .Search(7, 1, "libcuda.so.1")
                             .Search(7, 1, "/lib/libcuda.so.1", LA_SER_DEFAULT),
                         OneDevice({nvml}));
  AfterRun after;
  after.looked = {There(nvml)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(evidence.funnel.front()),
              ElementsAre(nvml + " of the same driver is there, and no libcuda.so.1 is anywhere",
                          "NVIDIA_DRIVER_CAPABILITIES is \"utility\" there"));
  EXPECT_THAT(Suggestions(evidence.funnel.front()),
              Contains("set NVIDIA_DRIVER_CAPABILITIES=compute,utility for the container"));
}

TEST(Funnel, ANameThatWasATryBeforeAnotherIsNoLoss) {
  const Evidence evidence = Of(Started()
                                   .Search(7, 1, "libcuda.so")
                                   .Search(7, 1, "/lib/libcuda.so", LA_SER_DEFAULT)
                                   .Search(7, 1, "libcuda.so.1")
                                   .Search(7, 1, kDriver, LA_SER_CONFIG)
                                   .Load(7, 50, kDriver)
                                   .Symbol(7, 50, "cuInit")
                                   .Call(7, "cuInit", 0),
                               OneDevice());
  ASSERT_THAT(evidence.funnel, SizeIs(1));
  EXPECT_EQ(evidence.funnel.front().library, kDriver);
}

TEST(Funnel, ABackendIsNoLossOfAProgramThatWantedTheDriverAlone) {
  const HandMadeRun run = Started()
                              .Search(7, 1, "libcuda.so.1")
                              .Search(7, 1, kDriver, LA_SER_CONFIG)
                              .Load(7, 50, kDriver)
                              .Symbol(7, 50, "cuInit")
                              .Call(7, "cuInit", 0);
  const std::string backend = "/opt/ollama/cuda_v12/libggml-cuda.so";
  EXPECT_THAT(
      Of(HandMadeRun(run).Asks(7, FileAct::kOpen, "/etc/hosts"), OneDevice(), {backend}).funnel,
      SizeIs(1));
  // Whoever lists the folder wants what is in it.
  EXPECT_THAT(
      Of(HandMadeRun(run).Asks(7, FileAct::kList, "/opt/ollama/cuda_v12"), OneDevice(), {backend})
          .funnel,
      SizeIs(2));
}

// A program may start itself anew under a loader that was told not to ask the cache.
TEST(Places, TheCacheIsThatOfTheLastProgramOfAProcess) {
  const auto lost = [](bool anew) {
    HandMadeRun run = Started().Asks(7, FileAct::kOpen, "/etc/ld.so.cache");
    if (anew) run.Asks(7, FileAct::kExec, "/lib64/ld-linux-x86-64.so.2");
    Evidence evidence = Of(run.Process(7, 1, "/bin/scan", "scan", "A=1")
                               .Search(7, 1, "libcuda.so.1")
                               .Search(7, 1, kDriver, LA_SER_DEFAULT),
                           OneDevice({"/opt/nvidia/libcuda.so.1"}));
    AfterRun after;
    after.looked = {There("/opt/nvidia/libcuda.so.1")};
    AddPlaces(after, evidence);
    return Below(evidence.funnel.front());
  };
  EXPECT_THAT(lost(false), Contains(HasSubstr("ld.so.cache does not have it")));
  EXPECT_THAT(lost(true), Contains(HasSubstr("asked no ld.so.cache")));
}

}  // namespace
}  // namespace gpustage
