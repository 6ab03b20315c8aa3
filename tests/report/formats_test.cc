// The reports for CI: JUnit XML, GitHub annotations, Markdown.
#include <cstdlib>
#include <sstream>

#include "harness/base/process.h"
#include "harness/report/github.h"
#include "harness/report/junit.h"
#include "harness/report/markdown.h"
#include "tests/report/full_report.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// What no scanner should print, in every place where a report has text.
Report OddReport() {
  const std::string odd = "a<b>&\"c'|`d`[x](y)%,:;\r\n\t\x1b[31m\x01]]> \xef\xbf\xbe * _";
  ReportedRun run = Reported(EveryKind())[1];
  run.id = run.scenario + "@axis=" + odd;
  run.run = run.claim = run.because = odd;
  run.unmet.front().expected = run.unmet.front().seen = odd;
  run.log = {odd};
  run.funnel.front().reason = odd;
  Report report;
  report.runs = {run};
  report.runs.push_back(run);
  report.runs.back().verdict = VerdictKind::kSkip;
  report.problems = {{"deadline", odd}};
  return report;
}

// ---- JUnit --------------------------------------------------------------------------------------

TEST(JunitReport, LooksAsApproved) { ExpectGolden("report.junit.xml", JunitReport(FullReport())); }

TEST(JunitReport, CountsWhatItHas) {
  const std::string xml = JunitReport(FullReport());
  EXPECT_THAT(
      xml,
      HasSubstr(
          "<testsuites name=\"gpustage\" tests=\"9\" failures=\"3\" errors=\"2\" time=\"1.940\">"));
  EXPECT_EQ(CountOf(xml, "<testcase "), 9u);
  EXPECT_EQ(CountOf(xml, "<failure "), 3u);
  EXPECT_EQ(CountOf(xml, "<error "), 2u);
  EXPECT_EQ(CountOf(xml, "<skipped>"), 3u);
  EXPECT_THAT(xml, HasSubstr("<skipped>no ollama here</skipped>"));
}

TEST(JunitReport, NamesTheLineOfTheExpectationAndTheIsolation) {
  const std::string xml = JunitReport(FullReport());
  EXPECT_THAT(xml, HasSubstr("expected  devices: 1    scenarios/first-steps/healthy.yaml:31:5"));
  EXPECT_THAT(
      xml,
      HasSubstr("<property name=\"isolation\" value=\"root; user namespace with lent ids\"/>"));
}

// The schema of Jenkins' xunit plugin, in a package that has it; `harness/dev real` fetches it.
TEST(JunitReport, HoldsToTheSchemaOfJenkins) {
  const char* const cache = std::getenv("GPUSTAGE_CACHE");
  const std::string schema =
      std::string(cache == nullptr ? "" : cache) + "/real/junit-schema/jenkins-junit.xsd";
  if (!FileExists(schema))
    GTEST_SKIP() << "the real part junit-schema is not here: harness/dev real";
  if (FindProgramOnHost("xmllint").empty())
    GTEST_SKIP() << "there is no xmllint here (libxml2-utils)";
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const auto complaints = [&](const std::string& xml) {
    const std::string file = scratch.path() + "/report.xml";
    EXPECT_THAT(WriteFile(file, xml), IsOk());
    const auto ran = RunProgram({"xmllint", "--noout", "--nonet", "--schema", schema, file});
    return !ran ? ran.error().message : ran->exit_code == 0 ? "" : ran->out;
  };
  for (const Report& report : {FullReport(), PlainReport(), OddReport(), Report{}})
    EXPECT_EQ(complaints(JunitReport(report)), "");
  std::string wrong = JunitReport(FullReport());  // it does see what is wrong
  EXPECT_NE(complaints(wrong.replace(wrong.find("<testcase name="), 15, "<testcase nome=")), "");
}

TEST(JunitReport, WritesOnlyCharactersThatXmlHas) {
  const std::string xml = JunitReport(OddReport());
  for (const char c : xml)
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
        << static_cast<int>(c);
  EXPECT_THAT(xml, HasSubstr(" message=\"expected a&lt;b&gt;&amp;&#34;c'"));
  EXPECT_THAT(xml, HasSubstr("%,:;\\x0d&#10;&#9;\\x1b"));
  EXPECT_THAT(xml, HasSubstr("\\x1b[31m\\x01]]&gt;"));
  EXPECT_THAT(xml, Not(HasSubstr("\xef\xbf\xbe")));
}

// ---- GitHub -------------------------------------------------------------------------------------

TEST(GithubAnnotations, LooksAsApproved) {
  ExpectGolden("report.github.txt", GithubAnnotations(FullReport(), ""));
}

TEST(GithubAnnotations, StandAtTheLineOfTheExpectation) {
  Report report = PlainReport();
  report.runs.resize(2);
  EXPECT_THAT(GithubAnnotations(report, ""),
              StartsWith("::error "
                         "file=scenarios/first-steps/healthy.yaml,line=31,col=5,title=first-steps/"
                         "healthy@cuda=12%2Cgpus=1 [ollama-model] fails::"
                         "a complete tree gives one device for each GPU%0Aexpected: devices: "
                         "1%0Aseen: 0 devices"));
}

// GitHub shows ten of a step.
TEST(GithubAnnotations, AreOneAPlace) {
  Report report = PlainReport();
  report.runs = {report.runs[1]};
  for (int i = 0; i < 24; ++i) {
    report.runs.push_back(report.runs.front());
    report.runs.back().id = "case-" + std::to_string(i);
  }
  const std::string text = GithubAnnotations(report, "");
  EXPECT_EQ(CountOf(text, "\n"), 1u);
  EXPECT_THAT(text, EndsWith("%0Aand 24 more: case-0 [ollama-model], case-1 [ollama-model], case-2 "
                             "[ollama-model], case-3 [ollama-model], "
                             "case-4 [ollama-model], case-5 [ollama-model], case-6 [ollama-model], "
                             "case-7 [ollama-model], "
                             "case-8 [ollama-model], case-9 [ollama-model], …\n"));
}

TEST(GithubAnnotations, NameFilesFromTheTopOfTheRepository) {
  Report report = PlainReport();
  report.runs.resize(2);
  report.runs[1].unmet.front().file = "/home/me/project/./gpu/a.yaml";
  EXPECT_THAT(GithubAnnotations(report, "/home/me/project"),
              StartsWith("::error file=gpu/a.yaml,line=31"));
  EXPECT_THAT(GithubAnnotations(report, "/home/me/other"),
              StartsWith("::error file=/home/me/project/gpu/a.yaml,line=31"));
}

TEST(GithubAnnotations, OfWhatFailedBeforeAreWarnings) {
  Report report = PlainReport();
  report.runs.resize(2);
  report.baseline = ChangesSince(report.runs, "old.json", report.runs);
  EXPECT_THAT(GithubAnnotations(report, ""),
              StartsWith("::warning file=scenarios/first-steps/healthy.yaml,line=31,col=5,"));
}

// A line that a scanner printed must not become a command, nor end one.
TEST(GithubAnnotations, EscapeWhatWouldEndThem) {
  const std::string text = GithubAnnotations(OddReport(), "");
  EXPECT_EQ(CountOf(text, "\n"), 2u);
  EXPECT_EQ(CountOf(text, "\r"), 0u);
  EXPECT_THAT(text,
              HasSubstr("title=first-steps/healthy@axis=a<b>&\"c'|`d`[x](y)%25%2C%3A;%0D%0A\t"));
  EXPECT_THAT(text, HasSubstr("expected: a<b>&\"c'|`d`[x](y)%25,:;%0D%0A"));
}

TEST(GithubAnnotations, OfWhatIsAsExpectedAreNone) {
  Report report = PlainReport();
  report.runs.resize(1);
  EXPECT_EQ(GithubAnnotations(report, ""), "");
}

// ---- Markdown -----------------------------------------------------------------------------------

TEST(MarkdownSummary, LooksAsApproved) { ExpectGolden("report.md", MarkdownSummary(FullReport())); }

TEST(MarkdownSummary, SaysTheAnswerFirst) {
  Report report = PlainReport();
  EXPECT_THAT(MarkdownSummary(report),
              StartsWith("## ❌ gpustage: 4 of 8 runs are not as expected\n"));
  report.runs.resize(1);
  EXPECT_THAT(MarkdownSummary(report), StartsWith("## ✅ gpustage: all as expected\n"));
  EXPECT_THAT(MarkdownSummary(FullReport()),
              StartsWith("## ❌ gpustage: worse than the baseline\n"));
}

TEST(MarkdownSummary, LeavesNothingForMarkdownToTakeForItsOwn) {
  const std::string text = MarkdownSummary(OddReport());
  EXPECT_THAT(text, HasSubstr("a&lt;b>&amp;\"c'\\|\\`d\\`\\[x\\](y)"));
  EXPECT_THAT(text, HasSubstr("\n```\nFAIL  "));
}

// GitHub refuses a summary of more than a megabyte, whole.
TEST(MarkdownSummary, OfThousandsOfFailuresIsShortAndSaysSo) {
  Report report = PlainReport();
  report.runs = std::vector<ReportedRun>(5000, report.runs[1]);
  const std::string text = MarkdownSummary(report);
  EXPECT_LT(text.size(), 1u << 20);
  EXPECT_EQ(CountOf(text, "<details>"), 100u);
  EXPECT_THAT(text, HasSubstr("\n4900 more runs are bad; the JSON report has them.\n"));
}

}  // namespace
}  // namespace gpustage
