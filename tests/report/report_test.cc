#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/report/json.h"
#include "harness/report/text.h"
#include "tests/report/reports.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Lines(const std::vector<CaseReport>& reports, const TextStyle& style) {
  std::string text;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) text += ProgressLine(report, run, style) + "\n";
  return text;
}

TEST(Text, LooksAsApproved) {
  const std::vector<CaseReport> reports = EveryKind();
  std::string text = Lines(reports, {});
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs)
      if (const std::string block = FailureBlock(report, run, {}); !block.empty())
        text += "\n" + block;
  ExpectGolden("run.txt", text + "\n" + TotalsText(reports, 1.94));
}

TEST(Text, SaysTheSameWithoutColour) {
  const std::vector<CaseReport> reports = EveryKind();
  TextStyle coloured;
  coloured.colour = true;
  std::string text = Lines(reports, coloured);
  EXPECT_THAT(text, HasSubstr("\x1b[32mok"));
  for (size_t at; (at = text.find('\x1b')) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  EXPECT_EQ(text, Lines(reports, {}));
}

TEST(Text, HasABlockForWhatIsBadOnly) {
  for (const CaseReport& report : EveryKind())
    for (const RunReport& run : report.runs)
      EXPECT_EQ(FailureBlock(report, run, {}).empty(), !IsBad(run.verdict.kind))
          << ToString(run.verdict.kind);
}

TEST(Text, SaysWhyInEveryBlock) {
  for (const CaseReport& report : EveryKind())
    for (const RunReport& run : report.runs) {
      const std::string block = FailureBlock(report, run, {});
      EXPECT_TRUE(block.empty() || block.find("  because   ") != std::string::npos) << block;
    }
}

TEST(Text, GroupsSkipsByReason) {
  EXPECT_THAT(TotalsText(EveryKind(), 0), HasSubstr("  skipped 2: no ollama here\n"));
  EXPECT_THAT(TotalsText(EveryKind(), 0), HasSubstr("  passed by scanner: ggml 1\n"));
}

// ctest takes this line for a skip of the whole file.
TEST(Text, NamesARunOfSkipsOnly) {
  const std::vector<CaseReport> reports = {
      {HealthyCase(), {{ScannerRun("ollama"), Skipped("no ollama here"), {}}}}};
  EXPECT_EQ(TotalsText(reports, 0),
            "0 passed, 0 failed, 1 skipped in 0.0 s\n  skipped 1: no ollama here\n");
}

TEST(Totals, CountEveryKind) {
  const Totals totals = Count(EveryKind());
  EXPECT_EQ(totals, (Totals{1, 1, 2, 1, 1, 2}));
  EXPECT_EQ(totals.All(), 8);
  EXPECT_TRUE(totals.Bad());
  EXPECT_FALSE(Count({}).Bad());
}

TEST(JsonReport, LooksAsApproved) { ExpectGolden("report.json", JsonReport(EveryKind())); }

TEST(JsonReport, HasTheShapeThatIsDocumented) {
  const json report = json::parse(JsonReport(EveryKind()));
  EXPECT_EQ(report["version"], 1);
  ASSERT_EQ(report["cases"].size(), 8u);
  for (const json& entry : report["cases"]) {
    for (const char* key : {"id", "scenario", "claim", "scanner", "run", "verdict", "because"})
      EXPECT_TRUE(entry[key].is_string()) << key;
    EXPECT_TRUE(entry["axes"].is_object());
    EXPECT_TRUE(entry["log"].is_array());
    EXPECT_TRUE(entry["duration_ms"].is_number());
    EXPECT_TRUE(entry["silent_failure"].is_boolean() || entry["silent_failure"].is_null());
    EXPECT_TRUE(entry["silent_because"].is_string());
    EXPECT_TRUE(entry["devices"].is_array() || entry["devices"].is_null());
    for (const json& row : entry["funnel"])
      for (const char* key : {"library", "reached", "lost_at", "reason", "cause", "remark", "said"})
        EXPECT_TRUE(row.contains(key)) << key;
    if (entry["outcome"].is_null()) continue;
    EXPECT_THAT((std::vector<std::string>{"exited", "killed", "timed_out"}),
                testing::Contains(entry["outcome"]["kind"]));
    EXPECT_TRUE(entry["outcome"]["code"].is_number());
  }
  EXPECT_EQ(report["totals"],
            json::parse(R"({"pass":1,"fail":1,"skip":2,"xfail":1,"xpass":1,"error":2})"));
}

TEST(JsonReport, NamesEveryFieldOfADevice) {
  const json report = json::parse(JsonReport(EveryKind()));
  EXPECT_EQ(report["cases"][0]["devices"], json::parse(R"([{"name":"NVIDIA H100","library":"CUDA",
      "library_path":"/usr/local/lib/ollama/cuda_v12/libggml-cuda.so","pci_id":"0000:01:00.0","uuid":"GPU-1",
      "memory_total":"85017493504"}])"));
}

// Zero devices and no answer are not the same.
TEST(JsonReport, GivesNoDevicesForWhatCouldNotBeRead) {
  const json report = json::parse(JsonReport(EveryKind()));
  EXPECT_EQ(report["cases"][1]["devices"], json::array());
  EXPECT_TRUE(report["cases"][6]["devices"].is_null());
  EXPECT_TRUE(report["cases"][7]["devices"].is_null());
}

TEST(JsonReport, ReplacesBytesThatAreNoUtf8) {
  const json report = json::parse(JsonReport(EveryKind()));
  EXPECT_EQ(report["cases"][1]["log"][0], "odd \xef\xbf\xbd\xef\xbf\xbd bytes");
}

TEST(JsonReport, OfNothingIsAReport) {
  const json report = json::parse(JsonReport({}));
  EXPECT_EQ(report["cases"], json::array());
  EXPECT_EQ(report["totals"]["pass"], 0);
}

}  // namespace
}  // namespace gpustage
