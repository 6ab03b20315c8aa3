// What a terminal shows.
#include <algorithm>
#include <sstream>

#include "harness/report/text.h"
#include "tests/report/full_report.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t Longest(const WholeReport& report) {
  size_t longest = 0;
  for (const ReportedRun& run : report.runs) longest = std::max(longest, run.id.size());
  return longest;
}
std::string TextReport(const WholeReport& report, const TextStyle& style) {
  return Written(report, WriteTextReport, style);
}
std::string WithoutColour(std::string text) {
  for (size_t at; (at = text.find('\x1b')) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  return text;
}
std::string WithoutSpace(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST(Text, LooksAsApproved) {
  const WholeReport report = PlainReport();
  ExpectGolden("run.txt", TextReport(report, PlainStyle(Longest(report))));
}

TEST(TextOfEverything, LooksAsApproved) {
  const WholeReport report = FullReport();
  ExpectGolden("run-full.txt", TextReport(report, PlainStyle(Longest(report))));
}

TEST(NarrowText, LooksAsApproved) {
  const WholeReport report = FullReport();
  ExpectGolden("run-narrow.txt", TextReport(report, FittedStyle(Longest(report), 60, false)));
}

TEST(WideColouredText, LooksAsApproved) {
  const WholeReport report = FullReport();
  ExpectGolden("run-wide-colour.txt", TextReport(report, FittedStyle(Longest(report), 140, true)));
}

TEST(Text, SaysTheSameWithoutColour) {
  const WholeReport report = FullReport();
  TextStyle coloured;
  coloured.colour = true;
  const std::string text = TextReport(report, coloured);
  EXPECT_THAT(text, HasSubstr("\x1b[32mok"));
  EXPECT_EQ(WithoutColour(text), TextReport(report, {}));
}

// A narrow terminal breaks lines and takes nothing away.
TEST(Text, SaysTheSameWhereThereIsLittleRoom) {
  const WholeReport report = FullReport();
  for (const int width : {40, 60, 80, 100, 200})
    EXPECT_EQ(WithoutSpace(TextReport(report, FittedStyle(Longest(report), width, false))),
              WithoutSpace(TextReport(report, {})))
        << width;
}

TEST(Text, KeepsToTheWidthWhereWordsAllowIt) {
  const WholeReport report = FullReport();
  std::istringstream lines(TextReport(report, FittedStyle(Longest(report), 60, false)));
  for (std::string line; std::getline(lines, line);) {
    const size_t indent = line.find_first_not_of(' ');  // one word, or a label and one word
    EXPECT_TRUE(
        line.size() <= 60 || line.find(' ', std::max<size_t>(indent, 12)) == std::string::npos ||
        line.find(" skipped") != std::string::npos || line.find("median") != std::string::npos ||
        line.find("gpustage") != std::string::npos || line.find(" [") != std::string::npos)
        << line;
  }
}

TEST(Text, HasABlockForWhatIsBadOnly) {
  for (const ReportedRun& run : FullReport().runs)
    EXPECT_EQ(FailureBlock(run, {}).empty(), !IsBad(run.verdict)) << ToString(run.verdict);
}

TEST(Text, SaysWhyInEveryBlock) {
  for (const ReportedRun& run : FullReport().runs) {
    const std::string block = FailureBlock(run, {});
    EXPECT_TRUE(block.empty() || block.find("  because   ") != std::string::npos) << block;
  }
}

TEST(Text, SaysThatAssumedValuesWereRead) {
  HandMadeRun run = LoadedRun();
  for (const char* arguments :
       {"device=0, attrib=1", "device=0, attrib=2", "device=0, attrib=3", "device=0, attrib=4"})
    run.Call(2, "cuDeviceGetAttribute", 0, 0, arguments, world::Fidelity::kAssumed);
  const Case healthy = HealthyCase();
  WholeReport report;
  report.runs = Reported({{healthy, {Judged(healthy, ScannerRun("ggml"), run)}}});
  EXPECT_EQ(report.runs.front().assumed.size(), 4u);
  EXPECT_THAT(FailureBlock(report.runs.front(), {}),
              HasSubstr("  assumed   4 answers that nobody recorded: "
                        "cuDeviceGetAttribute(device=0, attrib=1),\n"));
  EXPECT_THAT(TotalsText(report.Head()),
              HasSubstr("  read assumed values of a device: 1 (in the JSON report: assumed)\n"));
}

TEST(Text, GroupsSkipsByReason) {
  EXPECT_THAT(TotalsText(PlainReport().Head()), HasSubstr("  skipped 2: no ollama here\n"));
  EXPECT_THAT(TotalsText(PlainReport().Head()), HasSubstr("  passed by scanner: ggml 1\n"));
}

// ctest takes this line for a skip of the whole file.
TEST(Text, NamesARunOfSkipsOnly) {
  WholeReport report;
  report.runs =
      Reported({{HealthyCase(), {{ScannerRun("ollama"), Skipped("no ollama here"), {}}}}});
  EXPECT_EQ(TotalsText(report.Head()),
            "0 passed, 0 failed, 1 skipped in 0.0 s\n  skipped 1: no ollama here\n");
}

TEST(StatusLine, SaysHowFarItIsAndHowLongItTakes) {
  Progress progress = {30, 120, {}, 10.0};
  EXPECT_EQ(StatusLine(progress, 100), "30 of 120 cases, about 30 s left");
  progress.totals.fail = 2;
  progress.totals.flaky = 1;
  progress.totals.skip = 4;
  EXPECT_EQ(StatusLine(progress, 100), "30 of 120 cases, 3 bad, 4 skipped, about 30 s left");
  progress.seconds = 200;
  EXPECT_EQ(StatusLine(progress, 100), "30 of 120 cases, 3 bad, 4 skipped, about 10 min left");
}

// One that is longer than the terminal is wide would leave a line behind each time.
TEST(StatusLine, IsNeverAsWideAsTheTerminal) {
  const Progress progress = {30, 120, {0, 2, 4}, 10.0};
  for (size_t width = 0; width < 80; ++width)
    EXPECT_TRUE(StatusLine(progress, width).size() < std::max<size_t>(width, 1)) << width;
}

TEST(StatusLine, GuessesNothingBeforeAnythingEnded) {
  EXPECT_EQ(StatusLine({0, 120, {}, 5.0}, 100), "0 of 120 cases");
}

}  // namespace
}  // namespace gpustage
