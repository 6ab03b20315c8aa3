// What is asked of the system after a run, and the sentence that its answer makes.
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

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr char kLibrary[] = "/opt/cuda_v12/libggml-cuda.so";

Evidence Decoded(const RawRun& run, LogFormat format = LogFormat::kPlain) {
  ScannerSpec scanner;
  scanner.log_format = format;
  return Decode(run, scanner, {kLibrary});
}
HandMadeRun Started() {
  return HandMadeRun().Process(7, 1, "/bin/scan", "scan",
                               "LD_LIBRARY_PATH=/x\x1f"
                               "A=1");
}
HandMadeRun Opened() { return Started().Search(7, 1, kLibrary); }

FunnelRow Explained(const RawRun& run, const DlopenAnswer& answer,
                    LogFormat format = LogFormat::kPlain) {
  Evidence evidence = Decoded(run, format);
  ExplainLosses({answer}, 65534, evidence);
  return evidence.funnel.front();
}

TEST(OpenQuestions, AsksInTheEnvironmentOfTheProcessThatTried) {
  const std::vector<Question> questions = OpenQuestions(Decoded(Opened()));
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_THAT(questions.front().paths, ElementsAre(kLibrary));
  EXPECT_THAT(questions.front().environment, ElementsAre("LD_LIBRARY_PATH=/x", "A=1"));
}

TEST(OpenQuestions, AsksInTheRunsEnvironmentWhenNobodyTried) {
  const std::vector<Question> questions = OpenQuestions(Decoded(Started()));
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_THAT(questions.front().environment, IsEmpty());
}

TEST(OpenQuestions, HasNoneWhereTheEvidenceSaysWhy) {
  EXPECT_THAT(OpenQuestions(Decoded(Opened().Load(7, 5, kLibrary).Unload(7, 1))), IsEmpty());
}

TEST(ExplainLosses, SaysThatADirectoryCannotBeListed) {
  const FunnelRow entered = Explained(Started(), {kLibrary, EACCES, 0, 0, ""});
  EXPECT_THAT(entered.lost_at(), Optional(Step::kListed));
  EXPECT_EQ(SentenceOf(entered.loss->reason),
            "/opt/cuda_v12 could not be listed by uid 65534: Permission denied; files in it can be "
            "opened by name");
  const FunnelRow shut = Explained(Started(), {kLibrary, EACCES, EACCES, 0, "x"});
  EXPECT_EQ(SentenceOf(shut.loss->reason),
            "/opt/cuda_v12 could not be listed by uid 65534: Permission denied; nor can files in "
            "it be opened by name");
}

TEST(ExplainLosses, SaysThatAListedFileCannotBeOpened) {
  const FunnelRow row = Explained(Started(), {kLibrary, 0, EACCES, 0, "", 0, 'f'});
  EXPECT_THAT(row.lost_at(), Optional(Step::kMatched));
  EXPECT_EQ(SentenceOf(row.loss->reason),
            "libggml-cuda.so is listed but cannot be opened by uid 65534: Permission denied");
}

// What is not there is not listed either.
TEST(ExplainLosses, SaysThatNoNameIsTheLibrarys) {
  Evidence evidence = Decoded(Started());
  AfterRun after;
  after.answered = {{{}, {{kLibrary, 0, ENOENT, 0, ""}}}};
  after.looked = {{"/opt/cuda_v12"}};
  ExplainLosses(after, evidence);
  EXPECT_EQ(SentenceOf(evidence.funnel.front().loss->reason),
            "/opt/cuda_v12 is empty: there is no file in it");
  EXPECT_EQ(evidence.funnel.front().cause(), Cause::kNoNameMatches);
}

TEST(ExplainLosses, SaysThatNobodyTried) {
  const FunnelRow row = Explained(Started(), {kLibrary, 0, 0, 0, ""});
  EXPECT_THAT(row.lost_at(), Optional(Step::kMatched));
  EXPECT_EQ(SentenceOf(row.loss->reason),
            "it can be listed and opened, and no process opened any backend");
  // It was asked for after the run: derived, and so is how far it got.
  EXPECT_EQ(row.steps.at(Step::kListed).state, StepState::kDerived);
  EXPECT_THAT(row.reached, Optional(Step::kListed));
}

TEST(ExplainLosses, QuotesTheLogWhereItSaysWhyADirectoryWasPassedOver) {
  const RawRun run = Started().Prints(Stream::kStderr,
                                      "time=1 level=DEBUG msg=\"skipping available library at "
                                      "user's request\" libDir=/opt/cuda_v12\n");
  const Evidence evidence = Decoded(run, LogFormat::kSlog);
  const FunnelRow row = Explained(run, {kLibrary, 0, 0, 0, ""}, LogFormat::kSlog);
  EXPECT_EQ(SentenceOf(row.loss->reason),
            "the scanner passed /opt/cuda_v12 over: skipping available library at user's request");
  EXPECT_EQ(evidence.At(row.event).kind, EventKind::kLog);
}

// envconfig of Ollama: strconv.ParseBool, and what that does not know is true.
TEST(ExplainLosses, SaysThatAVariableTurnsTheFolderOfVulkanOff) {
  constexpr char kVulkan[] = "/opt/ollama/vulkan/libggml-vulkan.so";
  const auto with = [&](const std::string& variable, const char* library) {
    ScannerSpec scanner;
    Evidence evidence =
        Decode(HandMadeRun().Process(7, 1, "/usr/bin/ollama", "ollama\x1fserve", variable), scanner,
               {library});
    ExplainLosses({{library, 0, 0, 0, ""}}, 65534, evidence);
    return evidence.funnel.front();
  };
  for (const char* no : {"OLLAMA_VULKAN=0", "OLLAMA_VULKAN=false", "OLLAMA_VULKAN=F"}) {
    const FunnelRow row = with(no, kVulkan);
    EXPECT_EQ(row.cause(), Cause::kFiltered) << no;
    EXPECT_THAT(SentenceOf(row.loss->reason),
                testing::AllOf(testing::StartsWith("OLLAMA_VULKAN is"),
                               testing::HasSubstr("/opt/ollama/vulkan passed over")));
    EXPECT_THAT(Suggestions(row), testing::Contains("unset OLLAMA_VULKAN"));
  }
  for (const char* yes : {"OLLAMA_VULKAN=1", "OLLAMA_VULKAN=enabled", "A=1"})
    EXPECT_EQ(with(yes, kVulkan).cause(), Cause::kNotTried) << yes;
  EXPECT_EQ(with("OLLAMA_VULKAN=0", kLibrary).cause(), Cause::kNotTried) << "another folder";
}

TEST(ExplainLosses, SaysWhatTheLoaderSays) {
  const FunnelRow row =
      Explained(Opened(), {kLibrary, 0, 0, 0, "libcuda.so.1: cannot open shared object file"});
  EXPECT_THAT(row.lost_at(), Optional(Step::kLoaded));
  EXPECT_EQ(SentenceOf(row.loss->reason), "ld.so refuses libcuda.so.1, which it needs");
  EXPECT_EQ(row.loss->loader_says, "libcuda.so.1: cannot open shared object file");
}

TEST(ExplainLosses, KeepsTheMissingDependencyBesideTheLoadersWords) {
  const RawRun run = Opened()
                         .Load(7, 5, kLibrary)
                         .Search(7, 5, "libx.so")
                         .Search(7, 5, "/lib/libx.so", LA_SER_DEFAULT)
                         .Unload(7, 5);
  const FunnelRow row = Explained(run, {kLibrary, 0, 0, 0, "libx.so: no"});
  EXPECT_EQ(SentenceOf(row.loss->reason),
            "libx.so, needed by " + std::string(kLibrary) + ", was found and cannot be loaded: no");
  EXPECT_EQ(row.loss->loader_says, "libx.so: no");
}

TEST(ExplainLosses, SaysThatALoadKills) {
  EXPECT_EQ(SentenceOf(Explained(Opened(), {kLibrary, 0, 0, SIGBUS, ""}).loss->reason),
            "loading it kills the process: SIGBUS, as a file does that was cut short");
  EXPECT_EQ(SentenceOf(Explained(Opened(), {kLibrary, 0, 0, 40, ""}).loss->reason),
            "loading it kills the process: SIG40");
}

TEST(ExplainLosses, SaysThatItLoadsWhenAskedAgain) {
  EXPECT_EQ(SentenceOf(Explained(Opened(), {kLibrary, 0, 0, 0, ""}).loss->reason),
            "it loads when asked again, and the scanner found no entry point such as "
            "ggml_backend_init in it");
}

// One library, lost in two processes of two environments: each has its own answer.
TEST(ExplainLosses, AsksEachProcessApart) {
  const RawRun run = HandMadeRun()
                         .Process(7, 1, "/bin/scan", "scan", "LD_LIBRARY_PATH=/x")
                         .Process(8, 1, "/bin/scan", "scan", "LD_LIBRARY_PATH=/y")
                         .Search(7, 1, kLibrary)
                         .Search(8, 1, kLibrary);
  Evidence evidence = Decoded(run);
  AfterRun after;
  for (const Question& question : OpenQuestions(evidence)) {
    const std::string lacks =
        question.environment.front() == "LD_LIBRARY_PATH=/x" ? "liba.so: no" : "libb.so: no";
    after.answered.push_back({question.environment, {{kLibrary, 0, 0, 0, lacks}}});
  }
  ASSERT_EQ(after.answered.size(), 2u);
  ExplainLosses(after, evidence);
  ASSERT_EQ(evidence.funnel.size(), 2u);
  EXPECT_THAT(SentenceOf(evidence.funnel[0].loss->reason), testing::HasSubstr("liba.so"));
  EXPECT_THAT(SentenceOf(evidence.funnel[1].loss->reason), testing::HasSubstr("libb.so"));
}

TEST(ExplainLosses, LeavesOtherRowsAlone) {
  Evidence evidence = Decoded(Opened());
  const Evidence before = evidence;
  ExplainLosses({{"/another.so", EACCES, 0, 0, ""}}, 65534, evidence);
  EXPECT_EQ(evidence, before);
}

}  // namespace
}  // namespace gpustage
