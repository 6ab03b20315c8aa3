// The report for programs: what is written is read back, and holds to the published schema.
#include "harness/report/json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "tests/report/full_report.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"
#include "tests/support/schema.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json ReportSchema() {
  return json::parse(*ReadFile(InSources("/harness/report/report.schema.json")));
}

TEST(JsonReport, LooksAsApproved) { ExpectGolden("report.json", JsonReport(FullReport())); }

TEST(JsonReport, HoldsToItsSchema) {
  std::vector<json> reports;
  for (const WholeReport& report : {FullReport(), PlainReport(), WholeReport{}})
    reports.push_back(json::parse(JsonReport(report)));
  const auto complaints = Complaints(ReportSchema(), reports);
  if (!complaints) GTEST_SKIP() << kNoValidator;
  EXPECT_THAT(*complaints, testing::Each(""));
}

// A key more, a key less or another type, anywhere, is not the published shape: the schema and the
// reader agree on it.
TEST(JsonReport, IsHeldToItsSchemaToTheLastKey) {
  const json whole = json::parse(JsonReport(FullReport()));
  const json flat = whole.flatten();
  std::set<std::string> shapes;  // one of each list is enough
  std::vector<json> bad;         // what the schema must refuse, and where it is so
  std::vector<std::string> places;
  for (const auto& [pointer, value] : flat.items()) {
    std::string shape = value.type_name() + pointer;
    std::erase_if(shape, [](char c) { return c >= '0' && c <= '9'; });
    if (!shapes.insert(shape).second) continue;
    json damaged = whole;
    const json::json_pointer place(pointer);
    damaged[place] = value.is_string() ? json(17) : json("seventeen");
    const bool text_for_null =
        value.is_null() &&
        ParseJsonReport(damaged.dump(), "r.json").ok();  // a name that was not said, and now is
    EXPECT_TRUE(text_for_null || !ParseJsonReport(damaged.dump(), "r.json").ok()) << pointer;
    if (!text_for_null) bad.push_back(damaged);
    if (!text_for_null) places.push_back(pointer);
    json less = whole;
    if (!less[place.parent_pointer()].is_object() || pointer.find("/axes/") != std::string::npos)
      continue;
    less[place.parent_pointer()].erase(place.back());
    EXPECT_FALSE(ParseJsonReport(less.dump(), "r.json").ok()) << pointer;
    bad.push_back(less);
    places.push_back(pointer);
  }
  EXPECT_GT(shapes.size(), 80u);
  const auto complaints = Complaints(ReportSchema(), bad);
  if (!complaints) GTEST_SKIP() << kNoValidator;
  for (size_t i = 0; i < places.size(); ++i) EXPECT_NE(complaints->at(i), "") << places[i];
}

TEST(JsonReport, GivesBackWhatWasWritten) {
  for (const WholeReport& report : {FullReport(), PlainReport(), WholeReport{}})
    EXPECT_THAT(ParseJsonReport(JsonReport(report), "r.json"), IsOkAnd(report));
  WholeReport cut = PlainReport();
  cut.interrupted = "SIGTERM";
  EXPECT_THAT(ParseJsonReport(JsonReport(cut), "r.json"), IsOkAnd(cut));
}

// Reports of a release before are kept for months, as baselines.
TEST(JsonReport, OfTheVersionBeforeIsRead) {
  json old = json::parse(JsonReport(PlainReport()));
  old["version"] = 2;
  for (const char* key : {"interrupted", "selection"}) old.erase(key);
  for (json& run : old["cases"]) run.erase("unjudged");
  EXPECT_THAT(ParseJsonReport(old.dump(), "r.json"), IsOkAnd(PlainReport()));
  old["version"] = 3;
  EXPECT_FALSE(ParseJsonReport(old.dump(), "r.json").ok());
}

// A run is a line of the spool, of whatever it is made.
TEST(RunLine, GivesBackWhatWasWritten) {
  for (const ReportedRun& run : FullReport().runs) {
    const std::string line = RunLine(run);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_THAT(ParseRunLine(line), IsOkAnd(run));
  }
}

TEST(JsonReport, NamesEveryFieldOfADevice) {
  const json report = json::parse(JsonReport(PlainReport()));
  EXPECT_EQ(report["cases"][0]["devices"], json::parse(R"([{"name":"NVIDIA H100","library":"CUDA",
      "library_path":"/usr/local/lib/ollama/cuda_v12/libggml-cuda.so","pci_id":"0000:01:00.0",
      "uuid":"GPU-1","memory_total":"85017493504"}])"));
}

// Zero devices and no answer are not the same.
TEST(JsonReport, GivesNoDevicesForWhatCouldNotBeRead) {
  const json report = json::parse(JsonReport(PlainReport()));
  EXPECT_EQ(report["cases"][1]["devices"], json::array());
  EXPECT_TRUE(report["cases"][6]["devices"].is_null());
  EXPECT_TRUE(report["cases"][7]["devices"].is_null());
}

TEST(JsonReport, ReplacesBytesThatAreNoUtf8) {
  const json report = json::parse(JsonReport(PlainReport()));
  EXPECT_EQ(report["cases"][1]["log"][0], "odd \xef\xbf\xbd\xef\xbf\xbd bytes");
}

TEST(JsonReport, CountsTheCasesAndSaysHowGpustageEnded) {
  const json report = json::parse(JsonReport(PlainReport()));
  EXPECT_EQ(report["totals"],
            json::parse(R"({"pass":1,"fail":1,"skip":2,"xfail":1,"xpass":1,"error":2,"flaky":0})"));
  EXPECT_EQ(report["exit_status"], 1);
  EXPECT_EQ(json::parse(JsonReport(WholeReport{}))["exit_status"], 0);
}

// ---- Damage is named with its line --------------------------------------------------------------

class Damaged : public testing::Test {
 protected:
  static Error Of(const std::string& text) {
    const auto report = ParseJsonReport(text, "r.json");
    return report ? Error{"it was read"} : report.error();
  }
  // The report with the first `from` replaced.
  static std::string With(const std::string& from, const std::string& to) {
    std::string text = JsonReport(PlainReport());
    return text.replace(text.find(from), from.size(), to);
  }
  static int LineOf(const std::string& text, const std::string& what) {
    return static_cast<int>(std::count(
               text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find(what)), '\n')) +
           1;
  }
};

TEST_F(Damaged, AFileThatWasNotWrittenToItsEnd) {
  const std::string whole = JsonReport(PlainReport()), half = whole.substr(0, whole.size() / 2);
  const Error error = Of(half);
  EXPECT_EQ(error.message, "this is no JSON: the file is damaged, or was not written to its end");
  EXPECT_EQ(error.pos->line, static_cast<int>(std::count(half.begin(), half.end(), '\n')) + 1);
}

TEST_F(Damaged, NothingAtAll) { EXPECT_EQ(Of("").pos, (SourcePos{"r.json", 1, 1, 1})); }

TEST_F(Damaged, AnotherDocument) {
  EXPECT_THAT(Of("[1, 2]\n").message, HasSubstr("this is no report of gpustage"));
  EXPECT_THAT(Of("{\"version\": \"1\"}").message, HasSubstr("this is no report of gpustage"));
}

TEST_F(Damaged, AnotherVersion) {
  const Error error = Of(With("\"version\": 3", "\"version\": 4"));
  EXPECT_EQ(error.message, "this report is of version 4; this gpustage reads versions 2 to 3");
  EXPECT_EQ(error.pos, (SourcePos{"r.json", 2, 3, 12}));
}

TEST_F(Damaged, AVerdictThatIsNone) {
  const std::string text = With("\"verdict\": \"fail\"", "\"verdict\": \"failed\"");
  const Error error = Of(text);
  EXPECT_EQ(error.message,
            "unknown verdict \"failed\"; expected pass, fail, skip, xfail, xpass, error or flaky");
  EXPECT_EQ(error.pos, (SourcePos{"r.json", LineOf(text, "\"failed\""), 7, 19}));
}

TEST_F(Damaged, AShardThatIsNone) {
  for (const char* total : {"2", "2000000000"}) {
    const std::string other = std::string("\"index\": 3,\n      \"total\": ") + total;
    std::string text = JsonReport(FullReport());
    const std::string third = "\"index\": 3,\n      \"total\": 3";
    const Error error = Of(text.replace(text.find(third), third.size(), other));
    EXPECT_EQ(
        error.message,
        std::string("expected a shard from 1 to its total, at most 100000, got 3 of ") + total);
    EXPECT_EQ(error.pos->file, "r.json");
  }
}

TEST_F(Damaged, AKeyThatIsMissingOrUnknown) {
  const std::string less =
      With("      \"claim\": \"a complete tree gives one device for each GPU\",\n", "");
  EXPECT_EQ(Of(less).message, "\"claim\" is missing here");
  EXPECT_EQ(Of(less).pos->line, LineOf(less, "\"id\"") - 1);  // at the bracket of its case
  const std::string more = With("\"claim\"", "\"cliam\": \"x\",\n      \"claim\"");
  EXPECT_EQ(Of(more).message, "unknown key \"cliam\"; did you mean \"claim\"?");
  EXPECT_EQ(Of(more).pos->line, LineOf(more, "\"cliam\""));
}

TEST_F(Damaged, ATextWhereANumberWas) {
  const std::string text = With("\"duration_ms\": 31.4", "\"duration_ms\": \"31.4\"");
  EXPECT_EQ(Of(text).message, "expected a number, got \"31.4\"");
  EXPECT_EQ(Of(text).pos->line, LineOf(text, "\"duration_ms\""));
}

// A case that somebody took out would change the totals of a merged run, and nobody would know.
TEST_F(Damaged, TotalsThatAreNotThoseOfTheCases) {
  const Error error = Of(With("\"pass\": 1", "\"pass\": 2"));
  EXPECT_EQ(error.message, "these totals are not those of the cases below");
  EXPECT_EQ(error.pos->line, 5);
  EXPECT_EQ(Of(With("\"exit_status\": 1", "\"exit_status\": 0")).message,
            "this is not the exit status of the cases below");
}

}  // namespace
}  // namespace gpustage
