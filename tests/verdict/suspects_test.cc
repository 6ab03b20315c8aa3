#include "harness/verdict/suspects.h"

#include <gmock/gmock.h>

#include "harness/evidence/decode.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

// Lines of Ollama 0.17.4, as it prints them.
constexpr char kAsked[] =
    "time=2026-02-26T09:23:07.417Z level=DEBUG source=runner.go:437 msg=\"bootstrap discovery took\" duration=228ms "
    "OLLAMA_LIBRARY_PATH=\"[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]\" extra_envs=map[]\n";
constexpr char kRefused[] = "ggml_cuda_init: failed to initialize CUDA: unknown error\n";
constexpr char kTrace[] =
    "time=2026-02-26T09:23:07.417Z level=TRACE source=runner.go:467 msg=\"runner enumerated devices\" devices=[]\n";

Evidence LogOf(const std::string& text) {
  ScannerSpec scanner;
  scanner.log_format = LogFormat::kSlog;
  RawRun raw;
  raw.output.push_back({0, Stream::kStderr, text});
  return Decode(raw, scanner, {});
}

std::vector<Case> Suspects() {
  std::vector<Case> cases(3);
  cases[0].suspect = Suspect{"never-asked", "it is not asked", "look", "bootstrap.*cuda_v12", "", "", ""};
  cases[1].suspect = Suspect{"refused", "CUDA refuses", "look", "", "", "bootstrap.*cuda_v12", "unknown error"};
  cases[2].suspect = Suspect{"warned", "a variable", "look", "", "user overrode", "", ""};
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
  const auto weighed = Weigh(Suspects(), LogOf("time=2026-02-26T09:23:07.417Z level=INFO msg=hello\n"));
  EXPECT_EQ(weighed[0].against, "");
  EXPECT_EQ(weighed[1].against, "there is no line bootstrap.*cuda_v12");
  EXPECT_EQ(weighed[2].against, "there is no line user overrode");
}

TEST(Weigh, TakesALineOfTheChildsForProofOnlyWhereItIsShown) {
  EXPECT_EQ(Weigh(Suspects(), LogOf(kAsked))[1].against, "");
  EXPECT_EQ(Weigh(Suspects(), LogOf(std::string(kAsked) + kTrace))[1].against,
            "there is no line unknown error, though the log shows what children print");
  EXPECT_EQ(Weigh(Suspects(), LogOf(std::string(kAsked) + kTrace + kRefused))[1].against, "");
}

TEST(PlainOllamaLog, LeavesOutWhatJournalctlPutsBefore) {
  EXPECT_EQ(PlainOllamaLog("Nov 22 10:00:00 box ollama[7]: time=2026-11-22T10:00:00Z level=INFO msg=a\nNov 22 box: ggml\n"),
            "time=2026-11-22T10:00:00Z level=INFO msg=a\nNov 22 box: ggml\n");
}

}  // namespace
}  // namespace gpustage
