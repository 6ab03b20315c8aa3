#include "harness/logs/lines.h"

#include <gmock/gmock.h>

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Field;

std::string Plain(const std::string& line) {
  const auto lines = PlainLines(line);
  return lines.size() == 1 ? lines.front().text : "(" + std::to_string(lines.size()) + " lines)";
}

constexpr char kSaid[] = "level=INFO source=runner.go:67 msg=\"discovering available GPUs...\"";
constexpr char kLine[] =
    "time=2026-11-22T10:00:00.001Z level=INFO source=runner.go:67 msg=\"discovering available "
    "GPUs...\"";

TEST(PlainLines, LeaveOutWhatOthersPutBefore) {
  for (const std::string before :
       {"", "Nov 22 10:00:00 box ollama[7]: ", "févr. 03 22:46:57 box ollama[563895]: ",
        "2月 02 19:28:37 box ollama[20609]: ", "2026-11-22T10:00:00+0100 box ollama[7]: ",
        "ollama-1  | ", "2a0f2f_llms-ollama-1  | ", "2026-11-22T10:00:00.000000001Z stderr F ",
        "2026-11-22T10:00:00.000000001Z ", "2026-11-22 11:00:00 ",
        "2024-12-03 14:00:09.000124+00:00", "> ", "> > ", "&gt; ", "- ", "[pod/ollama-0/ollama] ",
        "    "})
    EXPECT_EQ(Plain(before + kLine), kSaid) << before;
}

TEST(PlainLines, LeaveOutColoursAndCarriageReturns) {
  EXPECT_EQ(Plain("> \x1b[32m" + std::string(kLine) + "\x1b[0m\r\n"), kSaid);
}

TEST(PlainLines, LeaveOutWhatATerminalWouldObey) {
  EXPECT_EQ(Plain("level=INFO \x1b]0;title\x07msg=a\x08\x7f"), "level=INFO ]0;titlemsg=a");
}

TEST(PlainLines, AreWhatAJsonLineHolds) {
  EXPECT_EQ(Plain(R"({"log":"time=2026-01-01T10:00:00Z level=INFO msg=\"a b\"\n",)"
                  R"("stream":"stderr","time":"x"})"),
            "level=INFO msg=\"a b\"");
  EXPECT_EQ(Plain(R"({"MESSAGE":"ggml_cuda_init: found 1 CUDA devices:","_PID":"7"})"),
            "ggml_cuda_init: found 1 CUDA devices:");
  EXPECT_EQ(Plain(R"({"timestamp":1699689763,"level":"WARNING"})"),
            R"({"timestamp":1699689763,"level":"WARNING"})");
}

TEST(PlainLines, KeepTheirNumberInTheText) {
  EXPECT_THAT(PlainLines("a\n\nb\r\n"),
              ElementsAre(Field(&PastedLine::number, 1), Field(&PastedLine::number, 3)));
}

TEST(PlainLines, KnowWhereLinesWereLeftOut) {
  for (const char* gap : {"...", "[...]", "…", "<snip>", "(truncated)", "....."}) {
    const auto lines = PlainLines(gap);
    ASSERT_EQ(lines.size(), 1u) << gap;
    EXPECT_TRUE(lines.front().gap) << gap;
  }
  EXPECT_FALSE(PlainLines("discovering available GPUs...").front().gap);
}

TEST(PlainLines, KeepATableOfAProgramsOwn) {
  EXPECT_EQ(Plain("| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15 |"),
            "| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15 |");
}

}  // namespace
}  // namespace gpustage
