// Logs that Ollama itself left (fixtures/recordings), at the levels at which it was run and at the
// usual one, which writes the lines of INFO and above of the same: whole, cut at either end, and
// between the lines of another process.
#include <re2/re2.h>

#include "harness/base/files.h"
#include "harness/evidence/store/recording.h"
#include "harness/scenario/yaml/yaml.h"
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

// `of`: "0.17.4", a folder "ollama-0.17.4".
std::map<std::string, Recording> Recorded(const std::string& of, const std::string& file) {
  const auto json = ReadFile(InSources(("/fixtures/recordings/ollama-" + of + "/" + file).c_str()));
  EXPECT_THAT(json, IsOk());
  const auto recordings = ParseRecordings(*json);
  EXPECT_THAT(recordings, IsOk());
  return recordings->of;
}

// tests/logs/staged.yaml: what is the matter in each case.
struct StagedCause {
  std::string cases;
  std::vector<std::string> causes;  // one of these
};
const std::vector<StagedCause>& StagedCauses() {
  static const std::vector<StagedCause> rows = [] {
    std::vector<StagedCause> read;
    const auto file = ReadYamlFile(InSources("/tests/logs/staged.yaml"));
    EXPECT_THAT(file, IsOk());
    for (const YamlNode& row : file->items) {
      read.push_back({row.Find("cases")->text, {}});
      for (const YamlNode& cause : row.Find("causes")->items)
        read.back().causes.push_back(cause.text);
    }
    return read;
  }();
  return rows;
}

std::vector<std::string> CausesOf(const std::string& case_id) {
  std::vector<std::string> causes;
  for (const StagedCause& row : StagedCauses()) {
    std::string cell;
    const RE2 cases("(?:" + row.cases + ")");
    const bool has_cell = cases.NumberOfCapturingGroups() == 1;
    if (!(has_cell ? RE2::FullMatch(case_id, cases, &cell) : RE2::FullMatch(case_id, cases)))
      continue;
    for (std::string cause : row.causes) {
      RE2::Replace(&cause, R"(^\\1$)", cell);
      causes.push_back(cause);
    }
    break;
  }
  return causes;
}

// One of these remains or is named. A part without any line of discovery says nothing, and nothing
// is said of it.
bool IsRight(const Explained& log, const std::vector<std::string>& causes) {
  if (log.explanation.outcome == LogOutcome::kNothing) return true;
  return std::any_of(causes.begin(), causes.end(),
                     [&](const std::string& cause) { return log.Leaves(cause); });
}

struct Table {
  int logs = 0, kept = 0, alone = 0;
  void Add(const std::vector<std::string>& causes, const Lines& lines, const std::string& what) {
    const Explained log(AsText(lines));
    ++logs;
    EXPECT_FALSE(log.RulesOut(causes.front()) && causes.size() == 1) << what << "\n"
                                                                     << AsText(lines);
    const bool right = IsRight(log, causes);
    EXPECT_TRUE(right) << what << "\n" << AsText(lines) << log.Text();
    EXPECT_NE(log.explanation.outcome, LogOutcome::kHealthy) << what;
    kept += right;
    alone += log.explanation.named.size() == 1 && Named(log, causes);
  }
  static bool Named(const Explained& log, const std::vector<std::string>& causes) {
    return std::any_of(causes.begin(), causes.end(),
                       [&](const std::string& cause) { return log.Names(cause); });
  }
};

class RecordedReport : public testing::TestWithParam<const char*> {};

TEST_P(RecordedReport, KeepsItsCauseAtEveryLevelWholeAndCut) {
  std::map<std::string, Table> tables;
  // Of 0.32 at each level; there some of the causes cost no device.
  const bool of_0_32 = std::string(GetParam()) == "0.32.14";
  for (const auto& [key, recording] :
       of_0_32 ? Recorded("of-the-report-0.32.14", "the-report.json")
               : Recorded(GetParam(), "scanner-not-loading/the-report.json")) {
    const std::vector<std::string> causes = CausesOf(key.substr(0, key.find(' ')));
    if (key.find('#') != std::string::npos || causes.empty() || !recording.devices.empty())
      continue;
    const std::string debug = key.substr(key.rfind('=') + 1);
    const std::string level = debug == "2"   ? "TRACE"
                              : debug == "1" ? "DEBUG"
                              : debug == "0" ? "INFO"
                                             : "INFO, unset";
    const Lines& lines = recording.log;
    tables[level + " whole"].Add(causes, lines, key + " " + level + " whole");
    tables[level + " mixed"].Add(causes, BetweenOthers(lines), key + " " + level + " mixed");
    for (size_t cut = 1; cut < lines.size(); ++cut) {
      const Lines front(lines.begin() + static_cast<long>(cut), lines.end());
      const Lines end(lines.begin(), lines.begin() + static_cast<long>(cut));
      tables[level + " cut"].Add(causes, front, key + " " + level + " cut at the front");
      tables[level + " cut"].Add(causes, end, key + " " + level + " cut at the end");
    }
  }
  // All but A6, which needs another processor.
  for (const char* level : {"INFO", "INFO, unset", "DEBUG", "TRACE"})
    EXPECT_EQ(tables[std::string(level) + " whole"].logs, of_0_32 ? 22 : 34) << level;
  for (const auto& [level, table] : tables) {
    EXPECT_EQ(table.kept, table.logs) << level;
    std::cout << GetParam() << " " << level << ": " << table.logs << " logs, " << table.kept
              << " keep the cause, " << table.alone << " name it alone\n";
  }
  // What a log names is named: at INFO two causes have a line of their own, at TRACE ten (in 0.32,
  // which loses by fewer of them, one and eleven).
  EXPECT_GE(tables["INFO whole"].alone, 2);
  EXPECT_GE(tables["DEBUG whole"].alone, 4);
  EXPECT_GE(tables["TRACE whole"].alone, 10);
}
INSTANTIATE_TEST_SUITE_P(Ollama, RecordedReport, testing::Values("0.13.5", "0.17.4", "0.32.14"));

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

// What a child of the second pass says is, without the lines around it, what one of the first says.
bool IsOfTheSecondPass(const std::string& cause) {
  const auto& writes = Known().Find(cause)->writes;
  return std::any_of(writes.begin(), writes.end(), [](const WrittenLine& written) {
    return written.lines.front() == "not-initialised";
  });
}

class RecordedCauses : public testing::TestWithParam<const char*> {};

TEST_P(RecordedCauses, RemainOfEveryCaseWholeAndCut) {
  const std::string folder = InSources("/fixtures/recordings/ollama-") + GetParam() + "/";
  const auto files = FilesBelow(folder, ".json");
  ASSERT_THAT(files, IsOk());
  std::map<std::string, Table> tables;
  for (const std::string& file : *files)
    for (const auto& [key, recording] : Recorded(GetParam(), file.substr(folder.size()))) {
      if (recording.outcome != "done" || !recording.devices.empty()) continue;
      const std::vector<std::string> causes = CausesOf(key.substr(0, key.find(' ')));
      ASSERT_FALSE(causes.empty()) << key << ": tests/logs/staged.yaml says nothing of it";
      if (causes == std::vector<std::string>{"none"}) continue;
      for (const std::string& cause : causes)
        ASSERT_NE(Known().Find(cause), nullptr) << key << ": " << cause;
      std::map<std::string, Lines> levels = {{key.substr(key.rfind('=') + 1), recording.log}};
      if (key.ends_with("debug=1")) levels["INFO of 1"] = AtInfo(recording.log);
      for (const auto& [level, lines] : levels) {
        const Explained whole(AsText(lines));
        EXPECT_TRUE(IsRight(whole, causes)) << key << " as " << level << "\n"
                                            << AsText(lines) << whole.Text();
        Table& table = tables[level];
        ++table.logs;
        table.alone += whole.explanation.named.size() == 1;
        const Explained mixed(AsText(BetweenOthers(lines)));
        EXPECT_TRUE(IsRight(mixed, causes)) << key << " as " << level << ", mixed";
        // At four places; those of the report are cut at every line, above.
        const size_t step = std::max<size_t>(1, lines.size() / 5);
        for (size_t cut = step; cut < lines.size(); cut += step)
          for (const Lines& part : {Lines(lines.begin() + static_cast<long>(cut), lines.end()),
                                    Lines(lines.begin(), lines.begin() + static_cast<long>(cut))}) {
            const Explained log(AsText(part));
            ++table.kept;
            if (level == "2" && IsOfTheSecondPass(causes.front())) continue;
            EXPECT_TRUE(IsRight(log, causes)) << key << " as " << level << ", cut\n"
                                              << AsText(part) << log.Text();
          }
      }
    }
  for (const auto& [level, table] : tables)
    std::cout << GetParam() << " at " << level << ": " << table.logs << " logs, " << table.kept
              << " parts of them, " << table.alone << " name one cause alone\n";
  EXPECT_GT(tables["INFO of 1"].logs, 90);
}
INSTANTIATE_TEST_SUITE_P(Ollama, RecordedCauses, testing::Values("0.13.5", "0.17.4", "0.32.14"));

}  // namespace
}  // namespace gpustage
