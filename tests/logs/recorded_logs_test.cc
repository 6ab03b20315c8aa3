// Logs that Ollama itself left (fixtures/recordings), at the levels at which it was run and at the
// usual one, which writes the lines of INFO and above of the same: whole, cut at either end, and
// between the lines of another process.
#include <re2/re2.h>

#include "harness/base/files.h"
#include "harness/evidence/store/recording.h"
#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using Lines = std::vector<std::string>;

std::string AsText(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += (line.starts_with("level=") ? "time=2026-02-26T09:23:07.417Z " : "") + line + "\n";
  return text;
}

// What the same start writes at the usual level: a child's output is thrown away there.
Lines AtInfo(const Lines& lines) {
  Lines kept;
  for (std::string line : lines) {
    if (!RE2::PartialMatch(line, "^level=(INFO|WARN|ERROR)")) continue;
    RE2::Replace(&line, R"(OLLAMA_DEBUG:\S+)", "OLLAMA_DEBUG:INFO");
    kept.push_back(line);
  }
  return kept;
}

Lines BetweenOthers(const Lines& lines) {
  Lines mixed;
  for (const std::string& line : lines) {
    mixed.push_back(line);
    mixed.push_back("Feb 26 09:23:07 box kernel: usb 1-1: device descriptor read/64, error -71");
    mixed.push_back("2026-02-26 09:23:07 nginx: connect() failed while connecting to upstream");
  }
  return mixed;
}

std::map<std::string, Recording> Recorded(const std::string& version, const std::string& file) {
  const auto json =
      ReadFile(InSources(("/fixtures/recordings/ollama-" + version + "/" + file).c_str()));
  EXPECT_THAT(json, IsOk());
  const auto recordings = ParseRecordings(*json);
  EXPECT_THAT(recordings, IsOk());
  return recordings->of;
}

// "B1-no-libcudart" of "scanner-not-loading/the-report@cause=B1-no-libcudart debug=1".
std::string CauseOf(const std::string& key) {
  std::string cause;
  RE2::PartialMatch(key, R"(cause=(\S+) )", &cause);
  return cause;
}

struct Table {
  int logs = 0, kept = 0, alone = 0;
  void Add(const std::string& cause, const Lines& lines, const std::string& what) {
    const Explained log(AsText(lines));
    ++logs;
    EXPECT_FALSE(log.RulesOut(cause)) << what << "\n" << AsText(lines);
    // A part without any line of discovery says nothing, and nothing is said of it.
    const bool silent = log.explanation.outcome == LogOutcome::kNothing;
    EXPECT_TRUE(silent || log.Leaves(cause)) << what << "\n" << AsText(lines) << log.Text();
    EXPECT_NE(log.explanation.outcome, LogOutcome::kHealthy) << what;
    kept += silent || log.Leaves(cause);
    alone += log.explanation.named.size() == 1 && log.Names(cause);
  }
};

class RecordedReport : public testing::TestWithParam<const char*> {};

TEST_P(RecordedReport, KeepsItsCauseAtEveryLevelWholeAndCut) {
  std::map<std::string, Table> tables;
  for (const auto& [key, recording] : Recorded(GetParam(), "scanner-not-loading/the-report.json")) {
    const std::string cause = CauseOf(key);
    if (key.find('#') != std::string::npos || cause.empty()) continue;
    std::map<std::string, Lines> levels;
    if (key.ends_with("debug=1")) {
      levels["INFO"] = AtInfo(recording.log);
      levels["DEBUG"] = recording.log;
    } else {
      levels["TRACE"] = recording.log;
    }
    for (const auto& [level, lines] : levels) {
      tables[level + " whole"].Add(cause, lines, key + " " + level + " whole");
      tables[level + " mixed"].Add(cause, BetweenOthers(lines), key + " " + level + " mixed");
      for (size_t cut = 1; cut < lines.size(); ++cut) {
        const Lines front(lines.begin() + static_cast<long>(cut), lines.end());
        const Lines end(lines.begin(), lines.begin() + static_cast<long>(cut));
        tables[level + " cut"].Add(cause, front, key + " " + level + " cut at the front");
        tables[level + " cut"].Add(cause, end, key + " " + level + " cut at the end");
      }
    }
  }
  EXPECT_EQ(tables["INFO whole"].logs, 34) << "all but A6, which needs another processor";
  for (const auto& [level, table] : tables) {
    EXPECT_EQ(table.kept, table.logs) << level;
    std::cout << GetParam() << " " << level << ": " << table.logs << " logs, " << table.kept
              << " keep the cause, " << table.alone << " name it alone\n";
  }
  // What a log names is named: at INFO two causes have a line of their own, at TRACE ten.
  EXPECT_GE(tables["INFO whole"].alone, 2);
  EXPECT_GE(tables["DEBUG whole"].alone, 4);
  EXPECT_GE(tables["TRACE whole"].alone, 10);
}
INSTANTIATE_TEST_SUITE_P(Ollama, RecordedReport, testing::Values("0.13.5", "0.17.4"));

// Of every other start that was recorded: how it ended is said as it ended.
class RecordedStarts : public testing::TestWithParam<const char*> {};

TEST_P(RecordedStarts, AreHealthyIfAndOnlyIfTheyHaveADevice) {
  const std::string folder = InSources("/fixtures/recordings/ollama-") + GetParam() + "/";
  const auto files = FilesBelow(folder, ".json");
  ASSERT_THAT(files, IsOk());
  int starts = 0;
  for (const std::string& file : *files)
    for (const auto& [key, recording] : Recorded(GetParam(), file.substr(folder.size()))) {
      if (recording.outcome != "done") continue;
      for (const Lines& lines :
           {recording.log, AtInfo(recording.log), BetweenOthers(recording.log)}) {
        if (!RE2::PartialMatch(AsText(lines), "inference compute")) continue;
        const Explained log(AsText(lines));
        ++starts;
        EXPECT_EQ(log.explanation.outcome == LogOutcome::kHealthy, !recording.devices.empty())
            << key << "\n"
            << log.Text();
        // Two devices of one id are one line's work twice.
        EXPECT_EQ(log.explanation.devices.empty(), recording.devices.empty()) << key;
        EXPECT_EQ(log.log.version, GetParam()) << key;
        EXPECT_TRUE(log.log.whole()) << key << "\n" << AsText(lines);
      }
    }
  EXPECT_GT(starts, 500);
  std::cout << GetParam() << ": " << starts << " logs\n";
}
INSTANTIATE_TEST_SUITE_P(Ollama, RecordedStarts, testing::Values("0.13.5", "0.17.4", "0.32.14"));

// Causes that a scenario of another folder stages, in every version that was recorded.
TEST(RecordedCauses, AreKept) {
  const struct {
    const char *file, *cell, *cause;
  } kCauses[] = {
      {"ollama/driver-refuses.json", "cuInit=100 ", "B4-no-device"},
      {"ollama/driver-refuses.json", "cuInit=803 ", "B4-mismatch"},
      {"ollama/driver-refuses.json", "cuInit=999 ", "B4-unknown-error"},
      {"ollama/driver-refuses.json", "cuInit=34 ", "stub-library"},
      {"ollama/visible-devices.json", "mask=empty ", "B5-hidden-by-an-empty-list"},
      {"ollama/visible-devices.json", "mask=-1 ", "B5-hidden-by-a-list"},
  };
  int looked = 0;
  for (const char* version : {"0.13.5", "0.17.4", "0.32.14"})
    for (const auto& [file, cell, cause] : kCauses)
      for (const auto& [key, recording] : Recorded(version, file)) {
        if (key.find(cell) == std::string::npos || !recording.devices.empty()) continue;
        const Explained log(AsText(recording.log));
        EXPECT_FALSE(log.RulesOut(cause)) << version << " " << key;
        const bool thought_of = Known().Find(cause)->candidate || !log.explanation.named.empty();
        EXPECT_TRUE(!thought_of || log.Leaves(cause)) << version << " " << key << log.Text();
        ++looked;
      }
  EXPECT_GE(looked, 20);
}

}  // namespace
}  // namespace gpustage
