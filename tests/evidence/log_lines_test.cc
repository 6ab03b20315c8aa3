#include "harness/evidence/records/log_lines.h"

#include "harness/base/limits.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

MATCHER_P3(Line, time, stream, text, "") {
  return arg.time_ns == time && arg.stream == stream && arg.text == text;
}

LogLine Parsed(const std::string& text, LogFormat format) {
  return ParseLogLine({0, Stream::kStderr, text}, format);
}

TEST(SplitLines, JoinsALineThatCameInPieces) {
  EXPECT_THAT(SplitLines({{1, Stream::kStderr, "one\ntw"}, {2, Stream::kStderr, "o\n"}}).lines,
              ElementsAre(Line(1, Stream::kStderr, "one"), Line(2, Stream::kStderr, "two")));
}

TEST(SplitLines, MixesNoStreams) {
  EXPECT_THAT(
      SplitLines(
          {{1, Stream::kStdout, "a"}, {2, Stream::kStderr, "x\n"}, {3, Stream::kStdout, "b\n"}})
          .lines,
      ElementsAre(Line(2, Stream::kStderr, "x"), Line(3, Stream::kStdout, "ab")));
}

TEST(SplitLines, TakesWhatIsLeftForALine) {
  EXPECT_THAT(SplitLines({{1, Stream::kStdout, "last"}, {2, Stream::kStderr, "\n"}}).lines,
              ElementsAre(Line(1, Stream::kStdout, "last"), Line(2, Stream::kStderr, "")));
  EXPECT_THAT(SplitLines({}).lines, IsEmpty());
}

// What the output limit lets through, in lines of nothing, would fill any memory.
TEST(SplitLines, KeepsTheFirstAndTheLastOfAFlood) {
  std::string flood = "first\n" + std::string(8 << 20, '\n') + "last\n";
  const SplitLog log = SplitLines({{1, Stream::kStdout, flood}});
  EXPECT_EQ(log.lines.size(), limits::kLogLines + 1);
  EXPECT_EQ(log.cut, (8 << 20) + 2 - static_cast<int64_t>(limits::kLogLines));
  EXPECT_EQ(log.lines.front().text, "first");
  EXPECT_EQ(log.lines.back().text, "last");
  EXPECT_EQ(log.lines[limits::kLogLines / 2].text,
            "… 8348610 lines are cut here: at most 40000 are kept, and 8 MiB");
  flood.clear();
  for (int i = 0; i < 40; ++i) flood += std::string(1 << 20, 'x') + "\n";
  EXPECT_LE(SplitLines({{1, Stream::kStdout, flood}}).lines.size(), 11u);
}

// Lines that nobody will keep are passed over in one go where a chunk has many: to the same end.
TEST(SplitLines, KeepsTheSameHoweverAFloodComes) {
  const std::string cut = "the end of";
  std::string flood;
  for (int i = 0; i < 150'000; ++i) flood += std::to_string(i) + (i % 7 == 0 ? "\n\n" : "\n");
  flood += cut;
  const auto in_pieces = [&](size_t size) {
    std::vector<OutputChunk> output;
    for (size_t at = 0; at < flood.size(); at += size)
      output.push_back({1, Stream::kStdout, flood.substr(at, size)});
    output.push_back({1, Stream::kStdout, " it\n"});
    return SplitLines(output);
  };
  const SplitLog small = in_pieces(1000);
  EXPECT_EQ(small.lines.back().text, "the end of it");
  for (const size_t size : {size_t{1} << 18, size_t{300'007}, flood.size()}) {
    const SplitLog large = in_pieces(size);
    EXPECT_EQ(large.lines, small.lines) << size;
    EXPECT_EQ(large.cut, small.cut) << size;
  }
}

// One that never ends was searched for its end from its start, for each piece that came.
TEST(SplitLines, CutsALineThatIsLongerThanAnybodyReads) {
  std::vector<OutputChunk> output(4096, {1, Stream::kStderr, std::string(1 << 14, 'x')});
  output.push_back({2, Stream::kStderr, "\nnext\n"});
  const SplitLog log = SplitLines(output);
  ASSERT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[0].text,
            std::string(limits::kLogLineBytes, 'x') + " … (cut at 1048576 bytes)");
  EXPECT_EQ(log.lines[1].text, "next");
  EXPECT_EQ(log.cut, 0);
}

TEST(WithoutColour, RemovesEscapesAndCarriageReturns) {
  EXPECT_EQ(WithoutColour("\x1b[1;31mred\x1b[0m plain\r"), "red plain");
  EXPECT_EQ(WithoutColour("cut\x1b[1"), "cut");
  EXPECT_EQ(WithoutColour("\x1b"), "\x1b");
}

// As Go's log/slog text handler writes, which Ollama uses.
TEST(ParseLogLine, ReadsSlog) {
  const LogLine line = Parsed(
      "time=2025-11-22T10:00:00.000Z level=INFO source=types.go:42 msg=\"inference compute\" "
      "id=GPU-1 "
      "library=CUDA name=\"\" description=\"NVIDIA H100 \\\"PCIe\\\"\"",
      LogFormat::kSlog);
  EXPECT_EQ(line.level, "INFO");
  EXPECT_EQ(line.message, "inference compute");
  EXPECT_THAT(line.fields, ElementsAre(Pair("description", "NVIDIA H100 \"PCIe\""),
                                       Pair("id", "GPU-1"), Pair("library", "CUDA"),
                                       Pair("name", ""), Pair("source", "types.go:42")));
  EXPECT_THAT(line.text, testing::StartsWith("level=INFO source="));
  EXPECT_THAT(line.raw, testing::StartsWith("time="));
}

TEST(ParseLogLine, ReadsSlogsQuotedValuesAsGoStrings) {
  const LogLine line =
      Parsed("time=1 level=WARN msg=\"a\\tb\\nc\\\\d\\r\\x1b\\u00e9\"", LogFormat::kSlog);
  EXPECT_EQ(line.message, "a\tb\nc\\d\r\x1b\xc3\xa9");
}

TEST(ParseLogLine, TakesACutSlogLineAsFarAsItGoes) {
  const LogLine line = Parsed("time=1 level=ERROR msg=\"half a senten", LogFormat::kSlog);
  EXPECT_EQ(line.level, "ERROR");
  EXPECT_EQ(line.message, "half a senten");
  EXPECT_EQ(Parsed("time=1 msg=\"ends in \\", LogFormat::kSlog).message, "ends in \\");
}

TEST(ParseLogLine, TakesAnotherFormForPlainText) {
  for (const LogFormat format :
       {LogFormat::kSlog, LogFormat::kJson, LogFormat::kGgml, LogFormat::kPlain}) {
    const LogLine line = Parsed("\x1b[33mggml_cuda_init: failed\x1b[0m", format);
    EXPECT_EQ(line.text, "ggml_cuda_init: failed");
    EXPECT_EQ(line.message, line.text);
    EXPECT_EQ(line.level, "");
    EXPECT_THAT(line.fields, IsEmpty());
  }
}

TEST(ParseLogLine, ReadsJson) {
  const LogLine line = Parsed(
      R"({"time":"2025","level":"DEBUG","msg":"found","count":2,"path":"/a b"})", LogFormat::kJson);
  EXPECT_EQ(line.level, "DEBUG");
  EXPECT_EQ(line.message, "found");
  EXPECT_THAT(line.fields, ElementsAre(Pair("count", "2"), Pair("path", "/a b")));
}

TEST(ParseLogLine, TakesJsonThatIsNoObjectForText) {
  EXPECT_EQ(Parsed("[1, 2]", LogFormat::kJson).message, "[1, 2]");
  EXPECT_EQ(Parsed("{\"msg\":", LogFormat::kJson).message, "{\"msg\":");
}

TEST(LineFinder, LooksThroughColour) {
  const auto finds = LineFinder("ready on [0-9]+$");
  EXPECT_TRUE(finds("\x1b[32mready on \x1b[0m11434"));
  EXPECT_FALSE(finds("ready on port"));
}

}  // namespace
}  // namespace gpustage
