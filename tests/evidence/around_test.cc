// What is told of a library that no process tried, and of several of one name.
#include "harness/evidence/path/around.h"

#include <cerrno>

#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/places.h"
#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";

Evidence Of(HandMadeRun run, const std::vector<std::string>& candidates,
            std::vector<std::string> libraries = {}) {
  ScannerSpec scanner;
  scanner.devices = {DeviceReader::Kind::kCount, "stdout", "^(?P<count>\\d+)$"};
  Setting setting;
  setting.devices = 1;
  setting.libraries = std::move(libraries);
  return Decode(run.Prints(Stream::kStdout, "0\n").Unload(7, 1), scanner, candidates, setting);
}
HandMadeRun Started(const std::string& environment = "PATH=/usr/bin:/bin") {
  return HandMadeRun().Process(7, 1, "/bin/scan", "scan", environment);
}
// Nobody tried it: as ExplainLosses leaves the row.
FunnelRow& Untried(Evidence& evidence, Cause cause) {
  FunnelRow& row = evidence.funnel.front();
  PathLoss& loss = row.loss ? *row.loss : row.loss.emplace();
  loss.cause = cause;
  loss.at = cause == Cause::kNeverListed ? Step::kListed : Step::kMatched;
  return row;
}
Looked At(const std::string& path, int error = 0) {
  Looked looked;
  looked.path = looked.end = path;
  looked.error = error;
  return looked;
}
std::vector<std::string> Below(const FunnelRow& row) {
  std::vector<std::string> texts;
  for (const Fact& fact : row.loss->because) texts.push_back(FactText(fact));
  return texts;
}

TEST(Around, AProgramThatNoFolderOfPathHasIsTold) {
  Evidence evidence = Of(Started("PATH=/usr/bin:/bin/:")
                             .Asks(7, FileAct::kLook, "/usr/bin/vulkaninfo", ENOENT)
                             .Asks(7, FileAct::kLook, "/bin/vulkaninfo", ENOENT)
                             .Asks(7, FileAct::kLook, "/usr/bin/sed", ENOENT)
                             .Asks(7, FileAct::kLook, "/bin/sed"),
                         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNeverListed);
  AddPlaces({}, evidence);
  EXPECT_THAT(Below(row),
              Contains(HasSubstr("the program vulkaninfo was looked for in 2 folders")));
  EXPECT_THAT(Below(row), Not(Contains(HasSubstr("sed"))));
  EXPECT_THAT(LastFact(row), HasSubstr("vulkaninfo"));
  EXPECT_THAT(Suggestions(row), Contains(HasSubstr("install the program vulkaninfo")));
}

// ld.so looks below a folder of LD_LIBRARY_PATH for these; one that is in PATH, too, makes them no
// programs.
TEST(Around, WhatOneFolderOfPathAloneWasAskedForIsNoProgram) {
  Evidence evidence = Of(Started("PATH=/usr/local/bin:/usr/bin")
                             .Asks(7, FileAct::kLook, "/usr/local/bin/tls", ENOENT)
                             .Asks(7, FileAct::kLook, "/usr/local/bin/x86_64", ENOENT)
                             .Asks(7, FileAct::kLook, "/usr/local/bin/build", ENOENT),
                         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNeverListed);
  AddPlaces({}, evidence);
  EXPECT_THAT(Below(row), Not(Contains(HasSubstr("the program"))));
}

TEST(Around, AFolderOfItsNameThatIsElsewhereIsTold) {
  Evidence evidence =
      Of(Started().Asks(7, FileAct::kOpen, "/usr/bin/../lib/ollama", ENOENT), {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  AfterRun after;
  after.looked = {At(kBackend)};
  AddPlaces(after, evidence);
  EXPECT_THAT(LastFact(row), HasSubstr("/usr/lib/ollama was asked for, and is not there"));
  EXPECT_THAT(Suggestions(row), Contains("ln -s /usr/local/lib/ollama /usr/lib/ollama"));
}

// Whoever listed the library's own folder had found it.
TEST(Around, AFolderOfItsNameElsewhereIsNoReasonWhereItsOwnWasListed) {
  Evidence evidence = Of(Started()
                             .Asks(7, FileAct::kOpen, "/usr/bin/../lib/ollama", ENOENT)
                             .Asks(7, FileAct::kList, "/usr/local/lib/ollama/cuda_v12", 0),
                         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  AfterRun after;
  after.looked = {At(kBackend)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Not(Contains(HasSubstr("/usr/lib/ollama"))));
}

TEST(Around, AProgramThatIsALinkIsToldWhereItsLibrariesAreReckonedFromIt) {
  Evidence evidence =
      Of(Started().Asks(7, FileAct::kOpen, "/usr/bin/../lib/ollama", ENOENT), {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  ASSERT_THAT(PathsToLook(evidence), Contains("/usr/bin/ollama"));
  Looked link = At("/usr/bin/ollama");
  link.links = {{"/usr/bin/ollama", "../../opt/ollama/bin/ollama"}};
  link.end = "/opt/ollama/bin/ollama";
  AfterRun after;
  after.looked = {At(kBackend), link};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Contains("/usr/bin/ollama is a link to /opt/ollama/bin/ollama"));
  EXPECT_THAT(Suggestions(row), Contains("start /opt/ollama/bin/ollama, and not the link to it"));
}

TEST(Around, OfALibraryThatIsNotThereNoFolderIsMissed) {
  Evidence evidence =
      Of(Started().Asks(7, FileAct::kOpen, "/usr/bin/build/lib/ollama", ENOENT), {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNeverListed);
  AfterRun after;
  after.looked = {At(kBackend, ENOENT)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Not(Contains(HasSubstr("build/lib/ollama was asked for"))));
}

TEST(Around, ATryAboveTheLibrarysOwnFolderIsNoReason) {
  Evidence evidence =
      Of(Started().Asks(7, FileAct::kLook, "/usr/local/lib/ollama/libggml-cuda.so", ENOENT),
         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  AfterRun after;
  after.looked = {At(kBackend)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), IsEmpty());
}

TEST(Around, ALibraryThatTheLogNamesAndNobodyFoundIsTold) {
  const std::string stub = "/usr/local/cuda/lib64/stubs/libnvidia-ml.so";
  Evidence evidence = Of(
      Started().Prints(Stream::kStderr, "Searching for GPU management library libnvidia-ml.so\n"),
      {kBackend}, {stub});
  FunnelRow& row = Untried(evidence, Cause::kNeverListed);
  AddPlaces({}, evidence);
  EXPECT_THAT(LastFact(row), HasSubstr("the log speaks of libnvidia-ml.so"));
  EXPECT_THAT(LastFact(row), HasSubstr(stub + ": the toolkit's stub, and no driver"));
}

TEST(Around, WhatRefusedAScannerThatSaysSoIsTheReasonAndNotSilent) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kExited;
  outcome.code = 1;
  const std::string path = "/home/admin/ollama";
  Evidence evidence = Of(Started()
                             .Asks(7, FileAct::kLook, path, EACCES)
                             .Prints(Stream::kStderr, "Permission denied: '" + path + "'\n")
                             .Ends(outcome),
                         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  ASSERT_THAT(PathsToLook(evidence), Contains(path));
  AfterRun after;
  after.uid = 998;
  Looked looked = At(path, EACCES);
  looked.end = "/home/admin";
  looked.entering = true;
  looked.mode = 040700;
  looked.owner = "root:root";
  after.looked = {looked};
  AddPlaces(after, evidence);
  FindSilence(evidence);
  EXPECT_THAT(LastFact(row), HasSubstr("uid 998 may not enter /home/admin (0700 root:root)"));
  EXPECT_THAT(Suggestions(row), Contains("chmod o+x /home/admin"));
  EXPECT_EQ(evidence.silent_failure, false);
}

TEST(Around, TheLinkThatLedToARefusedPathIsTold) {
  const std::string path = "/home/admin/ollama";
  Outcome outcome;
  outcome.kind = Outcome::Kind::kExited;
  outcome.code = 1;
  Evidence evidence = Of(Started()
                             .Asks(7, FileAct::kLook, "/usr/bin/ollama")
                             .Asks(7, FileAct::kLook, "/home/admin")
                             .Asks(7, FileAct::kLook, path, EACCES)
                             .Prints(Stream::kStderr, "Permission denied: '" + path + "'\n")
                             .Ends(outcome),
                         {kBackend});
  FunnelRow& row = Untried(evidence, Cause::kNotTried);
  ASSERT_THAT(PathsToLook(evidence), Contains("/usr/bin/ollama"));
  AfterRun after;
  Looked link = At("/usr/bin/ollama", EACCES);
  link.links = {{"/usr/bin/ollama", path + "/bin/ollama"}};
  after.looked = {link, At(path, EACCES)};
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Contains("/usr/bin/ollama is a link to /home/admin/ollama/bin/ollama"));
  after.looked[0].links = {{"/usr/bin/ollama", "/opt/ollama/bin/ollama"}};
  row.loss->because.clear();
  AddPlaces(after, evidence);
  EXPECT_THAT(Below(row), Not(Contains(HasSubstr("is a link"))));
}

TEST(Around, ANameThatStandsForTheRealFolderElsewhereIsNoTwin) {
  const std::string built = "/src/llama.cpp/build/libggml-cuda.so";
  const std::string wanted = "/usr/lib/llama.cpp/libggml-cuda.so";
  Evidence evidence =
      Of(Started().Asks(7, FileAct::kList, "/usr/lib/llama.cpp", ENOENT), {built, wanted});
  for (FunnelRow& row : evidence.funnel) {
    row.loss.emplace();
    row.loss->cause = Cause::kNeverListed;
  }
  AfterRun after;
  after.looked = {At(built), At(wanted, ENOENT), At("/usr/lib/llama.cpp", ENOENT)};
  AddPlaces(after, evidence);
  for (const FunnelRow& row : evidence.funnel)
    EXPECT_THAT(Suggestions(row), Not(Contains("ln -s /src/llama.cpp /usr/lib/llama.cpp")));
}

TEST(Around, WhereItLiesInsteadIsToldOfALibraryThatIsNotThere) {
  const std::string copy = "/usr/lib/ollama/cuda_v12/libggml-cuda.so";
  Evidence evidence = Of(Started(), {kBackend, copy});
  for (FunnelRow& row : evidence.funnel) {
    row.loss.emplace();
    row.loss->cause = Cause::kNeverListed;
  }
  AfterRun after;
  after.looked = {At(kBackend, ENOENT), At("/usr/local/lib/ollama/cuda_v12", ENOENT), At(copy)};
  AddPlaces(after, evidence);
  const auto row = std::find_if(evidence.funnel.begin(), evidence.funnel.end(),
                                [](const FunnelRow& one) { return one.library == kBackend; });
  EXPECT_THAT(LastFact(*row), HasSubstr(copy + " is, and nobody tried it"));
  EXPECT_THAT(Suggestions(*row),
              Contains("ln -s /usr/lib/ollama/cuda_v12 /usr/local/lib/ollama/cuda_v12"));
}

TEST(Around, InAContainerItIsTheContainerThatIsMended) {
  const auto lost = [](const std::string& environment) {
    return Of(Started(environment)
                  .Search(7, 1, "libcuda.so.1")
                  .Search(7, 1, "/usr/lib/libcuda.so.1", LA_SER_CONFIG)
                  .Load(7, 50, "/usr/lib/libcuda.so.1")
                  .Symbol(7, 50, "cuInit")
                  .Asks(7, FileAct::kOpen, "/dev/nvidia-uvm", ENOENT)
                  .Call(7, "cuInit", 999),
              {});
  };
  Evidence host = lost("A=1"), pod = lost("KUBERNETES_SERVICE_HOST=10.96.0.1"),
           docker = lost("A=1");
  ASSERT_THAT(PathsToLook(docker), Contains("/.dockerenv"));
  AddPlaces({}, host);
  AddPlaces({}, pod);
  AfterRun after;
  after.looked = {At("/.dockerenv")};
  AddPlaces(after, docker);
  const auto texts = [](const Evidence& evidence) { return Below(evidence.funnel.front()); };
  EXPECT_THAT(texts(host), Not(Contains(HasSubstr("in a container or a sandbox"))));
  EXPECT_THAT(texts(pod), Contains(HasSubstr("or a sandbox: KUBERNETES_SERVICE_HOST is set")));
  EXPECT_THAT(texts(docker), Contains(HasSubstr("or a sandbox: /.dockerenv is there")));
  EXPECT_THAT(Suggestions(host.funnel.front()), Contains(HasSubstr("load the module nvidia-uvm")));
  EXPECT_THAT(Suggestions(docker.funnel.front()),
              Contains(HasSubstr("start the container with the node /dev/nvidia-uvm")));
  // What nvidia-ctk cdi generate writes sets the variable to that.
  Evidence cdi = lost("NVIDIA_VISIBLE_DEVICES=void");
  AddPlaces(after, cdi);
  EXPECT_THAT(texts(cdi), Contains(HasSubstr("its devices came by a CDI specification")));
  EXPECT_THAT(Suggestions(cdi.funnel.front()),
              Contains(HasSubstr("make the host's CDI specification anew")));
}

TEST(Around, WhatASnapMayNotReadIsItsSandboxFirst) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kExited;
  outcome.code = 1;
  const auto tried = [&](const std::string& environment) {
    Evidence evidence = Of(Started(environment)
                               .Asks(7, FileAct::kOpen, "/etc/vulkan/icd.d", EACCES)
                               .Prints(Stream::kStderr, "cannot read /etc/vulkan/icd.d\n")
                               .Ends(outcome),
                           {kBackend});
    FunnelRow& row = Untried(evidence, Cause::kNotTried);
    AfterRun after;
    Looked looked = At("/etc/vulkan/icd.d", EACCES);
    looked.end = "/etc/vulkan";
    looked.entering = true;
    looked.mode = 040700;
    after.looked = {looked};
    AddPlaces(after, evidence);
    const std::vector<std::string> tries = Suggestions(row);
    return tries.empty() ? "" : tries.front();
  };
  EXPECT_THAT(tried("SNAP=/snap/upscayl/x1"), testing::StartsWith("run the program outside"));
  EXPECT_THAT(tried("A=1"), testing::StartsWith("chmod o+x /etc/vulkan"));
}

TEST(Copies, ANameWithoutItsVersionIsTold) {
  const std::string taken = "/opt/cuda/lib64/libcublas.so";
  const std::string other = "/usr/local/lib/ollama/cuda_v12/libcublas.so.12";
  Evidence evidence = Of(Started()
                             .Search(7, 1, "libcublas.so")
                             .Search(7, 1, taken, LA_SER_LIBPATH)
                             .Asks(7, FileAct::kOpen, taken),
                         {}, {taken, other});
  ASSERT_FALSE(evidence.funnel.empty());
  FunnelRow& row = evidence.funnel.front();
  ASSERT_TRUE(row.linked);
  ASSERT_TRUE(row.loss);
  row.loss->cause = Cause::kMissingSymbol;
  AddPlaces({}, evidence);
  EXPECT_THAT(Below(row), Contains("it was asked for as libcublas.so, without a version; " + other +
                                   " is another one"));
  EXPECT_THAT(Suggestions(row), Contains("ask for libcublas.so.12, with its version"));
}

// Of a backend's libraries the one that needs what is nowhere is one of two.
TEST(Copies, AnotherCopyOfTheOneThatNeedsItIsTold) {
  const std::string taken = "/opt/cuda/lib64/libcublas.so.12";
  const std::string other = "/usr/local/lib/ollama/cuda_v12/libcublas.so.12";
  Evidence evidence = Of(Started("LD_LIBRARY_PATH=/opt/cuda/lib64")
                             .Search(7, 1, kBackend)
                             .Load(7, 50, kBackend)
                             .Search(7, 50, "libcublas.so.12")
                             .Search(7, 50, taken, LA_SER_LIBPATH)
                             .Load(7, 60, taken)
                             .Search(7, 60, "libnvJitLink.so.12")
                             .Search(7, 60, "/lib/libnvJitLink.so.12", LA_SER_DEFAULT)
                             .Unload(7, 60)
                             .Unload(7, 50),
                         {kBackend}, {taken, other});
  ASSERT_FALSE(evidence.funnel.empty());
  FunnelRow& row = evidence.funnel.front();
  ASSERT_TRUE(row.loss);
  row.loss->cause = Cause::kMissingDependency;
  AddPlaces({}, evidence);
  EXPECT_THAT(Below(row), Contains("another copy is " + other));
  EXPECT_THAT(Suggestions(row), Contains("take /opt/cuda/lib64 out of LD_LIBRARY_PATH, so that " +
                                         other + " answers"));
}

// ollama/ollama#15964: the user's OLLAMA_LIBRARY_PATH is another's for the runner.
TEST(Around, AVariableThatLeadsToItAndIsOverriddenIsTold) {
  const std::string there = "/opt/other/cuda_v12/libggml-cuda.so";
  Evidence evidence = Of(HandMadeRun()
                             .Process(7, 1, "/bin/scan", "scan", "OLLAMA_LIBRARY_PATH=/opt/other")
                             .Process(8, 7, "/bin/scan", "scan", "OLLAMA_LIBRARY_PATH=/usr/lib/o"),
                         {}, {there});
  FunnelRow row;
  row.library = "/usr/lib/o/cuda_v12/libggml-cuda.so";
  row.loss.emplace();
  Fact copy;
  copy.kind = Fact::Kind::kCopy;
  copy.subject = there;
  row.loss->because = {copy};
  AddIgnored(evidence, row);
  ASSERT_THAT(row.loss->because, testing::SizeIs(2));
  EXPECT_THAT(FactText(row.loss->because.back()),
              testing::AllOf(HasSubstr("OLLAMA_LIBRARY_PATH is \"/opt/other\" there"),
                             HasSubstr("was given \"/usr/lib/o\" instead")));
}

// Ollama 0.32.5's own line: SirUli/homeassistant-ollama-addon#319.
TEST(Around, TheVariableThatTheLogNamesIsWhatToTry) {
  Evidence evidence =
      Of(Started().Prints(Stream::kStderr,
                          "msg=\"dropping integrated GPU; to enable, set OLLAMA_IGPU_ENABLE=1\"\n"),
         {});
  FunnelRow row;
  row.loss.emplace();
  row.loss->cause = Cause::kDropped;
  evidence.funnel = {row, row};
  evidence.funnel.back().loss->cause = Cause::kNotTried;
  AddPlaces({}, evidence);
  EXPECT_THAT(Suggestions(evidence.funnel.front()),
              testing::ElementsAre("set OLLAMA_IGPU_ENABLE=1"));
  EXPECT_THAT(LastFact(evidence.funnel.front()),
              testing::AllOf(HasSubstr("dropped"), HasSubstr("OLLAMA_IGPU_ENABLE=1")));
  EXPECT_THAT(Suggestions(evidence.funnel.back()), Not(Contains(HasSubstr("OLLAMA_IGPU_ENABLE"))));
}

TEST(Ends, TheLineThatComplainsIsQuotedAndNotTheOneBehindIt) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kExited;
  outcome.code = 1;
  const Evidence evidence = Of(
      Started()
          .Prints(Stream::kStderr, "error: cannot get current path\nto show usage, run with -h\n")
          .Ends(outcome),
      {});
  EXPECT_THAT(LastLineText(evidence), HasSubstr("cannot get current path"));
}

}  // namespace
}  // namespace gpustage
