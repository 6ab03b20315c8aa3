#include "harness/verdict/suspects.h"

#include <gmock/gmock.h>

#include "harness/evidence/records/decode.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

// Lines of Ollama 0.17.4, as it prints them.
constexpr char kAsked[] =
    "time=2026-02-26T09:23:07.417Z level=DEBUG source=runner.go:437 msg=\"bootstrap discovery "
    "took\" duration=228ms "
    "OLLAMA_LIBRARY_PATH=\"[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]\" "
    "extra_envs=map[]\n";
constexpr char kRefused[] = "ggml_cuda_init: failed to initialize CUDA: unknown error\n";
constexpr char kTrace[] =
    "time=2026-02-26T09:23:07.417Z level=TRACE source=runner.go:467 msg=\"runner enumerated "
    "devices\" devices=[]\n";

Evidence LogOf(const std::string& text) {
  ScannerSpec scanner;
  scanner.log_format = LogFormat::kSlog;
  RawRun raw;
  raw.output.push_back({0, Stream::kStderr, text});
  return Decode(raw, scanner, {});
}

Suspect Named(const std::string& name) {
  Suspect suspect;
  suspect.name = name;
  return suspect;
}

std::vector<Case> Suspects() {
  std::vector<Case> cases(3);
  cases[0].suspect = Named("never-asked");
  cases[0].suspect->missing = "bootstrap.*cuda_v12";
  cases[1].suspect = Named("refused");
  cases[1].suspect->has = "bootstrap.*cuda_v12";
  cases[1].suspect->traced = "unknown error";
  cases[2].suspect = Named("warned");
  cases[2].suspect->extra = "user overrode";
  return cases;
}

TEST(Weigh, RulesOutByALineThatWouldNotBeThere) {
  const auto weighed = Weigh(Suspects(), LogOf(kAsked));
  ASSERT_EQ(weighed.size(), 3u);
  EXPECT_EQ(weighed[0].against, "its log would not have this line");
  EXPECT_THAT(weighed[0].line, HasSubstr("bootstrap discovery took"));
  EXPECT_EQ(weighed[1].against, "");
}

TEST(Weigh, RulesOutByALineThatIsNotThere) {
  const auto weighed =
      Weigh(Suspects(), LogOf("time=2026-02-26T09:23:07.417Z level=INFO msg=hello\n"));
  EXPECT_EQ(weighed[0].against, "");
  EXPECT_EQ(weighed[1].against, "there is no line bootstrap.*cuda_v12");
  EXPECT_EQ(weighed[2].against, "there is no line user overrode");
}

TEST(Weigh, TakesALineOfTheChildsForProofOnlyWhereItIsShown) {
  EXPECT_EQ(Weigh(Suspects(), LogOf(kAsked))[1].against, "");
  EXPECT_EQ(Weigh(Suspects(), LogOf(std::string(kAsked) + kTrace))[1].against,
            "there is no line unknown error, though the log shows what children print");
  const auto proven = Weigh(Suspects(), LogOf(std::string(kAsked) + kTrace + kRefused));
  EXPECT_EQ(proven[0].suspect.name, "refused") << "what fits best comes first";
  EXPECT_EQ(proven[0].against, "");
  EXPECT_THAT(proven[0].shown,
              testing::ElementsAre("ggml_cuda_init: failed to initialize CUDA: unknown error"));
}

TEST(Weigh, RulesOutBehindALineOfTheChildsThatWouldNotBeThere) {
  std::vector<Case> cases(2);
  cases[0].suspect = Named("not-loaded");
  cases[0].suspect->untraced = "loaded CUDA backend";
  cases[1].suspect = Named("no-line-of-its-own");
  const std::string loaded = "load_backend: loaded CUDA backend from /cuda_v12/libggml-cuda.so\n";
  EXPECT_EQ(Weigh(cases, LogOf(std::string(kAsked) + loaded))[0].against, "")
      << "at level 1 no child's line counts";
  EXPECT_EQ(Weigh(cases, LogOf(std::string(kAsked) + kTrace + loaded))[0].against,
            "its log would not have this line");
  EXPECT_EQ(Weigh(cases, LogOf(std::string(kAsked) + kTrace))[0].against, "");
}

TEST(Weigh, TakesNoLineForMissingWhoseMessageWasCutOut) {
  std::vector<Case> cases(1);
  cases[0].suspect = Named("an-empty-list");
  cases[0].suspect->has = "msg=subprocess.*CUDA_VISIBLE_DEVICES=\"\" ";
  const std::string line =
      "time=2026-02-26T09:23:07.417Z level=DEBUG source=server.go:432 msg=subprocess PATH=/bin ";
  EXPECT_EQ(Weigh(cases, LogOf(kAsked))[0].against, "");
  EXPECT_EQ(Weigh(cases, LogOf(kAsked + line + "CUDA_VISIBLE_DEVICES=\"\" A=b\n"))[0].against, "");
  EXPECT_THAT(Weigh(cases, LogOf(kAsked + line + "A=b\n"))[0].against,
              HasSubstr("there is no line"));
}

TEST(PlainOllamaLog, LeavesOutWhatJournalctlPutsBefore) {
  EXPECT_EQ(PlainOllamaLog("Nov 22 10:00:00 box ollama[7]: time=2026-11-22T10:00:00Z level=INFO "
                           "msg=a\nNov 22 box: ggml\n"),
            "time=2026-11-22T10:00:00Z level=INFO msg=a\nNov 22 box: ggml\n");
  // A child's own line has no time by which one would know where it begins.
  EXPECT_EQ(PlainOllamaLog("Nov 22 10:00:00 box ollama[7]: ggml_cuda_init: found\n"),
            "ggml_cuda_init: found\n");
  EXPECT_EQ(PlainOllamaLog("2026-11-22T10:00:00+0100 box ollama[7]: ggml\n"), "ggml\n");
  EXPECT_EQ(PlainOllamaLog("ollama-1  | ggml_cuda_init: found\n"), "ggml_cuda_init: found\n");
}

TEST(PlainOllamaLog, LeavesOutWhatPastingAdds) {
  EXPECT_EQ(PlainOllamaLog("> \x1b[32mtime=2026-11-22T10:00:00Z level=INFO msg=a\x1b[0m\r\n"),
            "time=2026-11-22T10:00:00Z level=INFO msg=a\n");
  EXPECT_EQ(PlainOllamaLog("> > ggml_cuda_init: found\n"), "ggml_cuda_init: found\n");
}

// The notes of the report quote lines so.
TEST(PlainOllamaLog, ReadsLinesThatWerePastedWithoutTheirTime) {
  EXPECT_EQ(PlainOllamaLog("msg=\"bootstrap discovery took\" duration=228ms"),
            "time=- msg=\"bootstrap discovery took\" duration=228ms");
  EXPECT_EQ(PlainOllamaLog("  level=DEBUG source=runner.go:437 msg=a"),
            "time=- level=DEBUG source=runner.go:437 msg=a");
}

}  // namespace
}  // namespace gpustage
