// What the kernel told, as events, processes and steps of the funnel.
#include <cerrno>
#include <csignal>

#include "harness/evidence/path/funnel.h"
#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/after_run.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kLibrary[] = "/lib/ollama/cuda_v12/libggml-cuda.so";

Evidence Of(const HandMadeRun& run) { return Decode(run, ScannerSpec(), {kLibrary}); }

std::vector<std::string> Of(const Evidence& evidence, EventKind kind) {
  std::vector<std::string> texts;
  for (const Event& event : evidence.events)
    if (event.kind == kind)
      texts.push_back(event.subject + (event.detail.empty() ? "" : " | " + DetailText(event)));
  return texts;
}

FileRecord Exec(const std::string& path, std::vector<std::string> argv, int parent = 1) {
  FileRecord record;
  record.act = FileAct::kExec;
  record.path = path;
  record.argv = std::move(argv);
  record.environment = {"A=1"};
  record.answered = true;
  record.parent = parent;
  return record;
}

FileRecord Writes(const std::string& to, const std::string& bytes) {
  FileRecord record;
  record.act = FileAct::kWrite;
  record.path = to;
  record.bytes = bytes;
  return record;
}

FileRecord Exit(int code, int signal) {
  FileRecord record;
  record.act = FileAct::kExit;
  record.answered = true;
  record.code = code;
  record.signal = signal;
  return record;
}

TEST(Files, OfOurOwnAreNoEvents) {
  const Evidence evidence = Of(HandMadeRun()
                                   .Asks(2, FileAct::kOpen, "/.gpustage/audit.so")
                                   .Asks(2, FileAct::kOpen, "/etc/ld.so.cache"));
  EXPECT_THAT(Of(evidence, EventKind::kOpen), testing::SizeIs(1));
  EXPECT_TRUE(evidence.files_observed);
}

TEST(Files, ADirectoryIsListedOnceUnderTheNameByWhichItWasOpened) {
  FileRecord open;
  open.path = "/lib/ollama";
  open.real = "/opt/ollama";
  open.answered = true;
  const Evidence evidence = Of(HandMadeRun()
                                   .Asks(2, open)
                                   .Asks(2, FileAct::kList, "/opt/ollama")
                                   .Asks(2, FileAct::kList, "/opt/ollama"));
  EXPECT_THAT(Of(evidence, EventKind::kList), testing::ElementsAre("/lib/ollama"));
}

TEST(Files, ALineIsHeardWhenTheLogHasIt) {
  const Evidence evidence = Of(HandMadeRun()
                                   .Process(2, 1, "/bin/serve", "serve")
                                   .Asks(3, Writes("pipe:[7]", "one\ntwo"))
                                   .Asks(3, Writes("/dev/null", "three\n"))
                                   .Prints(Stream::kStderr, "child says: one\n"));
  EXPECT_THAT(
      Of(evidence, EventKind::kOutput),
      testing::ElementsAre("one | stderr, passed on",
                           HasSubstr("twothree | stderr to another process, heard by nobody")));
}

TEST(Files, AStaticProgramIsAProcessWhoseLoaderNobodySaw) {
  const Evidence evidence =
      Of(HandMadeRun().Asks(2, Exec("/bin/static", {"static", "serve"})).Asks(2, Exit(0, SIGSEGV)));
  ASSERT_EQ(evidence.processes.size(), 1U);
  const Process& process = evidence.processes.front();
  EXPECT_EQ(process.role, "static serve");
  EXPECT_FALSE(process.loader_observed);
  EXPECT_FALSE(evidence.loader_observed);
  EXPECT_EQ(process.end, "killed by SIGSEGV");
  EXPECT_EQ(evidence.At(process.end_event).kind, EventKind::kExit);
}

TEST(Files, AnExecThatTheLoaderSawTooIsOneProcess) {
  const Evidence evidence = Of(HandMadeRun()
                                   .Asks(2, Exec("/bin/serve", {"serve"}))
                                   .Process(2, 1, "/bin/serve", "serve", "A=")
                                   .Asks(2, Exit(2, 0)));
  ASSERT_EQ(evidence.processes.size(), 1U);
  EXPECT_TRUE(evidence.processes.front().loader_observed);
  EXPECT_THAT(evidence.processes.front().environment,
              testing::ElementsAre("A=1"));  // the kernel's, which is whole
  EXPECT_EQ(evidence.processes.front().end, "exited 2");
}

TEST(Files, AnExecThatFailedStartsNothing) {
  FileRecord exec = Exec("/usr/bin/nvidia-smi", {"nvidia-smi"});
  exec.error = ENOENT;
  EXPECT_TRUE(Of(HandMadeRun().Asks(2, exec)).processes.empty());
}

// libggml-cuda.so is opened after its directory was listed, or the directory was refused.
TEST(Files, ShowWhoListedACandidate) {
  const Evidence evidence = Of(HandMadeRun()
                                   .Process(2, 1, "/bin/serve", "serve")
                                   .Asks(2, FileAct::kList, "/lib/ollama/cuda_v12")
                                   .Search(2, 0, kLibrary)
                                   .Load(2, 7, kLibrary));
  ASSERT_EQ(evidence.funnel.size(), 1U);
  EXPECT_EQ(evidence.funnel.front().steps.at(Step::kListed).state, StepState::kSeen);
  EXPECT_EQ(evidence.funnel.front().steps.at(Step::kMatched).state, StepState::kSeen);
  const Evidence by_name = Of(HandMadeRun()
                                  .Process(2, 1, "/bin/serve", "serve")
                                  .Search(2, 0, kLibrary)
                                  .Load(2, 7, kLibrary)
                                  .Asks(2, FileAct::kOpen, "/x"));
  EXPECT_EQ(by_name.funnel.front().steps.at(Step::kListed).state, StepState::kNotNeeded);
  EXPECT_EQ(by_name.funnel.front().steps.at(Step::kMatched).state, StepState::kNotNeeded);
}

TEST(Files, ShowTheListingThatWasRefused) {
  Evidence evidence = Of(HandMadeRun()
                             .Process(2, 1, "/bin/serve", "serve")
                             .Asks(2, FileAct::kOpen, "/lib/ollama/cuda_v12", EACCES));
  DlopenAnswer answer;
  answer.path = kLibrary;
  answer.list_error = EACCES;
  answer.kind = 'f';
  ExplainLosses({answer}, 65534, evidence);
  const FunnelRow& row = evidence.funnel.front();
  EXPECT_EQ(row.lost_at(), Step::kListed);
  EXPECT_EQ(evidence.At(row.event).kind, EventKind::kOpen);
  EXPECT_EQ(evidence.At(row.event).value, EACCES);
}

TEST(Files, ASilentLossQuotesWhatWasSaidToNobody) {
  const Evidence evidence = Of(HandMadeRun()
                                   .Process(2, 1, "/bin/serve", "serve")
                                   .Search(2, 0, kLibrary)
                                   .Load(2, 7, kLibrary)
                                   .Symbol(2, 7, "ggml_backend_init")
                                   .Call(2, "cuInit", 100)
                                   .Asks(2, Writes("/dev/null",
                                                   "ggml_cuda_init: failed to initialize CUDA: no "
                                                   "CUDA-capable device is detected\n")));
  EXPECT_THAT(SentenceOf(evidence.silent_because),
              HasSubstr("says so to nobody: ggml_cuda_init: failed to initialize CUDA"));
}

}  // namespace
}  // namespace gpustage
