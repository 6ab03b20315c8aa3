// The reports for CI: JUnit XML, GitHub annotations, Markdown.
#include <cstdlib>
#include <sstream>

#include "harness/base/process.h"
#include "harness/report/for_terminal.h"
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

std::string JunitReport(const WholeReport& report) { return Written(report, WriteJunitReport); }
std::string GithubAnnotations(const WholeReport& report, const std::string& root) {
  return Written(report, WriteGithubAnnotations, root);
}
std::string MarkdownSummary(const WholeReport& report) {
  return Written(report, WriteMarkdownSummary);
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// What no scanner should print, in every place where a report has text.
WholeReport OddReport() {
  const std::string odd = "a<b>&\"c'|`d`[x](y)%,:;\r\n\t\x1b[31m\x01]]> \xef\xbf\xbe * _";
  ReportedRun run = Reported(EveryKind())[1];
  run.id = run.scenario + "@axis=" + odd;
  run.run = run.claim = run.because = odd;
  run.unmet.front().expected = run.unmet.front().seen = odd;
  run.log = {odd};
  run.funnel.front().reason = odd;
  WholeReport report;
  report.runs = {run};
  report.runs.push_back(run);
  report.runs.back().verdict = VerdictKind::kSkip;
  report.problems = {{"deadline", odd}};
  return report;
}

// ---- Terminals and the logs of CI servers -------------------------------------------------------

TEST(ForTerminal, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(ForTerminal("a\x1b]0;title\x07z\x1b[2Jy\x7f\n"),
            "a\\x1b]0;title\\x07z\\x1b[2Jy\\x7f\n");
  EXPECT_EQ(ForTerminal("c1 \xc2\x9b"
                        "31m, \x9b alone, \xe2\x80\xae turned"),
            "c1 \\xc2\\x9b31m, \\x9b alone, \\xe2\\x80\\xae turned");
  EXPECT_EQ(ForTerminal("\r\ttab"), "\\x0d tab");
}

TEST(ForTerminal, LeavesWhatIsOursAlone) {
  const std::string page = "\x1b[31mFAIL  \x1b[0m “ÄÖ” 😀 a::b\n  ok: x\n";
  EXPECT_EQ(ForTerminal(page), page);
}

// The runner of GitHub trims a line before it looks; Azure's and GitHub's first form may stand
// anywhere.
TEST(ForTerminal, LeavesNoCommandForACiServer) {
  EXPECT_EQ(ForTerminal("::stop-commands::x\n   ::error::y\n\x1b[31m::set-output name=a::b"),
            "\\x3a:stop-commands::x\n   \\x3a:error::y\n\x1b[31m\\x3a:set-output name=a::b");
  EXPECT_EQ(ForTerminal("see ##[add-path]/x and ##vso[task.setvariable]"),
            "see \\x23#[add-path]/x and \\x23#vso[task.setvariable]");
}

TEST(OneLine, KeepsANameInItsLine) {
  EXPECT_EQ(OneLine("GPU\nok  all is well"), "GPU\\nok  all is well");
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
  for (const WholeReport& report : {FullReport(), PlainReport(), OddReport(), WholeReport{}})
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
  WholeReport report = PlainReport();
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
  WholeReport report = PlainReport();
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
  WholeReport report = PlainReport();
  report.runs.resize(2);
  report.runs[1].unmet.front().file = "/home/me/project/./gpu/a.yaml";
  EXPECT_THAT(GithubAnnotations(report, "/home/me/project"),
              StartsWith("::error file=gpu/a.yaml,line=31"));
  EXPECT_THAT(GithubAnnotations(report, "/home/me/other"),
              StartsWith("::error file=/home/me/project/gpu/a.yaml,line=31"));
}

TEST(GithubAnnotations, OfWhatFailedBeforeAreWarnings) {
  WholeReport report = PlainReport();
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
  WholeReport report = PlainReport();
  report.runs.resize(1);
  EXPECT_EQ(GithubAnnotations(report, ""), "");
}

// GitHub shows ten errors of a step, and says nothing of the others.
TEST(GithubAnnotations, AreAsManyAsGithubShows) {
  WholeReport report = PlainReport();
  report.runs = {report.runs[1]};
  for (int i = 0; i < 40; ++i) {
    report.runs.push_back(report.runs.front());
    report.runs.back().id = "case-" + std::to_string(i);
    report.runs.back().unmet.front().line = i;
  }
  report.problems = {{"deadline", "the deadline of 1 s passed"}};
  const std::string text = GithubAnnotations(report, "");
  EXPECT_EQ(CountOf(text, "\n"), 10u);
  EXPECT_THAT(text, StartsWith("::error title=gpustage::the deadline of 1 s passed\n"));
  EXPECT_THAT(text,
              EndsWith("\n::error title=gpustage::and 32 more, which the other reports have\n"));
}

// ---- Markdown -----------------------------------------------------------------------------------

TEST(MarkdownSummary, LooksAsApproved) { ExpectGolden("report.md", MarkdownSummary(FullReport())); }

TEST(MarkdownSummary, SaysTheAnswerFirst) {
  WholeReport report = PlainReport();
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

// Inside <summary> GitHub reads HTML and no Markdown: a backslash would be shown.
TEST(MarkdownSummary, IsHtmlWhereGithubReadsHtml) {
  const std::string text = MarkdownSummary(OddReport());
  const size_t start = text.find("<summary>"), end = text.find("</summary>");
  EXPECT_EQ(
      text.substr(start + 9, end - start - 9),
      "<b>fail</b> first-steps/healthy@axis=a&lt;b&gt;&amp;\"c'|`d`[x](y)%,:;\\x0d\\n "
      "\\x1b[31m\\x01]]&gt; \xef\xbf\xbe * _ [a&lt;b&gt;&amp;\"c'|`d`[x](y)%,:;\\x0d\\n "
      "\\x1b[31m\\x01]]&gt; \xef\xbf\xbe * _]: expected a&lt;b&gt;&amp;\"c'|`d`[x](y)%,:;\\x0d"
      "\\n \\x1b[31m\\x01]]&gt; \xef\xbf\xbe * _, seen a&lt;b&gt;&amp;\"c'|`d`[x](y)%,:;\\x0d\\n "
      "\\x1b[31m\\x01]]&gt; \xef\xbf\xbe * _");
}

// GitHub refuses a summary of more than a megabyte, whole.
TEST(MarkdownSummary, OfHugeBlocksAndListsIsShortAndSaysSo) {
  WholeReport report = PlainReport();
  report.runs = std::vector<ReportedRun>(60, report.runs[1]);
  for (ReportedRun& run : report.runs) run.funnel.front().reason = std::string(100'000, 'x');
  report.baseline = BaselineChanges{};
  report.baseline->newly_failing =
      std::vector<std::string>(20'000, "some/case@of=which [there-are]");
  report.baseline->moved = std::vector<MovedDevice>(20'000, {"a", "b", "c", "d"});
  const std::string text = MarkdownSummary(report);
  EXPECT_LT(text.size(), 1u << 20);
  EXPECT_GT(text.size(), 900'000u);
  EXPECT_THAT(text, HasSubstr("\n- and 19900 more\n"));
  EXPECT_THAT(text, HasSubstr("\n| and 19900 more | | | |\n"));
  EXPECT_THAT(text, HasSubstr("…\n(cut at 32768 bytes)\n"));
  EXPECT_THAT(text, HasSubstr(" more runs are bad; the JSON report has them.\n"));
}

// GitHub refuses a summary of more than a megabyte, whole.
TEST(MarkdownSummary, OfThousandsOfFailuresIsShortAndSaysSo) {
  WholeReport report = PlainReport();
  report.runs = std::vector<ReportedRun>(5000, report.runs[1]);
  const std::string text = MarkdownSummary(report);
  EXPECT_LT(text.size(), 1u << 20);
  EXPECT_EQ(CountOf(text, "<details>"), 100u);
  EXPECT_THAT(text, HasSubstr("\n4900 more runs are bad; the JSON report has them.\n"));
}

}  // namespace
}  // namespace gpustage
