// The report for programs: what is written is read back, and holds to the published schema.
#include "harness/report/json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "tests/report/full_report.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// What the schema has against it; "" when it is valid.
std::string Complaints(const json& report) {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  static const valijson::Schema* const schema = [] {
    static const json text =
        json::parse(*ReadFile(InSources("/harness/report/report.schema.json")));
    static valijson::Schema parsed;
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(text), parsed);
    return &parsed;
  }();
  valijson::ValidationResults results;
  valijson::Validator(valijson::Validator::kStrongTypes)
      .validate(*schema, Adapter(report), &results);
  std::string complaints;
  for (valijson::ValidationResults::Error error; results.popError(error);)
    complaints += error.description + "\n";
  return complaints;
}

TEST(JsonReport, LooksAsApproved) { ExpectGolden("report.json", JsonReport(FullReport())); }

TEST(JsonReport, HoldsToItsSchema) {
  for (const Report& report : {FullReport(), PlainReport(), Report{}})
    EXPECT_EQ(Complaints(json::parse(JsonReport(report))), "");
}

// A key more, a key less or another type, anywhere, is not the published shape: the schema and the
// reader agree on it.
TEST(JsonReport, IsHeldToItsSchemaToTheLastKey) {
  const json whole = json::parse(JsonReport(FullReport()));
  const json flat = whole.flatten();
  std::set<std::string> shapes;  // one of each list is enough
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
    EXPECT_TRUE(text_for_null || !Complaints(damaged).empty()) << pointer;
    json less = whole;
    if (!less[place.parent_pointer()].is_object() || pointer.find("/axes/") != std::string::npos)
      continue;
    less[place.parent_pointer()].erase(place.back());
    EXPECT_FALSE(ParseJsonReport(less.dump(), "r.json").ok()) << pointer;
    EXPECT_NE(Complaints(less), "") << pointer;
  }
  EXPECT_GT(shapes.size(), 80u);
}

TEST(JsonReport, GivesBackWhatWasWritten) {
  for (const Report& report : {FullReport(), PlainReport(), Report{}})
    EXPECT_THAT(ParseJsonReport(JsonReport(report), "r.json"), IsOkAnd(report));
}

TEST(JsonReport, NamesEveryFieldOfADevice) {
  const json report = json::parse(JsonReport(PlainReport()));
  EXPECT_EQ(report["cases"][0]["devices"], json::parse(R"([{"name":"NVIDIA H100","library":"CUDA",
      "library_path":"/usr/local/lib/ollama/cuda_v12/libggml-cuda.so","pci_id":"0000:01:00.0","uuid":"GPU-1",
      "memory_total":"85017493504"}])"));
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
  EXPECT_EQ(json::parse(JsonReport(Report{}))["exit_status"], 0);
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
  const Error error = Of(With("\"version\": 2", "\"version\": 3"));
  EXPECT_EQ(error.message, "this report is of version 3; this gpustage reads version 2");
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
    const std::string third = "\"index\": 3,\n      \"total\": ";
    std::string text = JsonReport(FullReport());
    text.replace(text.find(third + "3"), third.size() + 1, third + total);
    const Error error = Of(text);
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
  EXPECT_EQ(error.pos->line, 4);
  EXPECT_EQ(Of(With("\"exit_status\": 1", "\"exit_status\": 0")).message,
            "this is not the exit status of the cases below");
}

}  // namespace
}  // namespace gpustage
