#include "harness/report/html.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/report/full_report.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string Page(const WholeReport& report) {
  return Written(report, WriteHtmlReport, TextStyle{});
}

json DataOf(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t start = page.find(begin) + begin.size();
  return json::parse(page.substr(start, page.find("</script>", start) - start));
}

size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// As RunAll does where a page is wanted.
WholeReport WithDetail() {
  WholeReport report;
  for (const CaseReport& c : EveryKind())
    for (const RunReport& run : c.runs) {
      report.runs.push_back(ReportedRunOf(c, run, "root"));
      report.runs.back().detail = DetailOf(c, run, 600);
    }
  return report;
}

TEST(HtmlReport, NeedsNothingElse) {
  const std::string page = Page(FullReport());
  for (const char* word :
       {" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest", "<link"})
    EXPECT_THAT(page, Not(HasSubstr(word)));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_EQ(Count(page, "<script"), 5u);  // its data and four of its own
  EXPECT_EQ(Count(page, "</script>"), 5u);
}

TEST(HtmlReport, SaysWhatWasProvenWhereWhyWasAsked) {
  WholeReport report = FullReport();
  EXPECT_THAT(Page(report), Not(HasSubstr("id=\"proven\"")));
  report.proven = {{"a/b [ollama]", "unset <LD_PRELOAD> (proven: 3 of 3 starts with it)"}};
  EXPECT_THAT(Page(report),
              HasSubstr("<section id=\"proven\"><h2>Proven by gpustage why</h2>\n<dl>\n"
                        "<dt>a/b [ollama]</dt><dd>unset &lt;LD_PRELOAD&gt; (proven: 3 "
                        "of 3 starts with it)</dd>"));
}

TEST(HtmlReport, SaysWhatFailedAndWhyWithoutAScript) {
  const std::string page = Page(WithDetail()), read = page.substr(0, page.find("<script"));
  EXPECT_THAT(read, HasSubstr("first-steps/healthy@cuda=12,gpus=1 [ollama-model]"));
  EXPECT_THAT(read, HasSubstr("<dt>expected</dt><dd>devices: 1</dd>"));
  EXPECT_THAT(read, HasSubstr("libggml-cuda.so was lost at &quot;loaded&quot;"));
  EXPECT_THAT(read, HasSubstr("gpustage trace first-steps/healthy@cuda=12,gpus=1"));
  EXPECT_THAT(read, HasSubstr("<noscript>"));
}

TEST(HtmlReport, TellsWhatChangedSinceABaselineBeforeTheFailures) {
  const std::string page = Page(FullReport());
  EXPECT_THAT(page, HasSubstr("Worse since old.json"));
  EXPECT_LT(page.find("id=\"changes\""), page.find("id=\"failures\""));
}

TEST(HtmlReport, TakesWhatAScannerPrintsForTextOnly) {
  WholeReport report = WithDetail();
  const std::string hostile = "</script><script>alert(1)</script><img onerror=x>\x1b[31m\u202e";
  report.runs[1].claim = hostile;
  report.runs[1].detail->log[0].text = hostile;
  report.runs[1].unmet[0].seen = hostile;
  const std::string page = Page(report);
  EXPECT_EQ(Count(page, "<script"), 5u);
  EXPECT_EQ(Count(page, "<img"), 0u);
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\u202e")));
  bool told = false;  // and it is there, as it was printed
  const json data = DataOf(page);
  for (const json& text : data["texts"])
    told = told || text.get<std::string>().starts_with("</script><script>alert(1)");
  EXPECT_TRUE(told);
}

TEST(HtmlReport, HasNumbersThatStandForSomething) {
  const json data = DataOf(Page(WithDetail()));
  const size_t texts = data["texts"].size(), lists = data["lists"].size();
  ASSERT_EQ(data["runs"].size(), WithDetail().runs.size());
  for (const json& run : data["runs"]) {
    ASSERT_EQ(run.size(), 19u);
    EXPECT_LT(run[0].get<size_t>(), texts);
    for (const int place : {6, 13, 16, 17, 18}) EXPECT_LT(run[place].get<size_t>(), lists);
  }
  EXPECT_EQ(data["leftOut"], 0);
}

TEST(HtmlReport, StaysUnderFiveMegabytesWithTenThousandCases) {
  const WholeReport some = WithDetail();
  WholeReport report;
  for (int i = 0; i < 10'000; ++i) {
    ReportedRun run = some.runs[i % 100 == 1 ? 1 : 0];
    run.id += ",number=" + std::to_string(i);
    run.axes["number"] = std::to_string(i);
    // What no other run prints: nothing of it is kept once only.
    for (int line = 0; line < 40; ++line) {
      const std::string text = "a line of run " + std::to_string(i) + " " + std::to_string(line);
      run.log.push_back(text);
      run.detail->log.push_back({"INFO", "stderr", text, 1});
    }
    report.runs.push_back(std::move(run));
  }
  const std::string page = Page(report);
  EXPECT_LT(page.size(), 5'000'000u);
  const json data = DataOf(page);
  EXPECT_EQ(data["runs"].size(), 10'000u);
  EXPECT_GT(data["leftOut"], 0);  // said, and none of them is one that is bad
  for (size_t i = 1; i < 10'000; i += 100) EXPECT_NE(data["runs"][i][18], 0);
}

TEST(JsonReport, KeepsWhatAPageShowsForMerge) {
  const WholeReport report = WithDetail();
  const Result<WholeReport> read = ParseJsonReport(JsonReport(report), "a.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->runs[1].detail, report.runs[1].detail);
  EXPECT_THAT(JsonReport(PlainReport()), Not(HasSubstr("\"detail\"")));
}

}  // namespace
}  // namespace gpustage
