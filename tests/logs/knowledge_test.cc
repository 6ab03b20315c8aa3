#include "harness/logs/knowledge.h"

#include <set>

#include "harness/base/files.h"
#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kCauses[] =
    "looks: {ldd: {command: ldd}}\n"
    "ways: {not-loaded: {never: [loaded]}}\n"
    "causes:\n"
    "  missing: {is: it is missing, mend: install it, look: ldd, way: not-loaded}\n";
constexpr char kLines[] =
    "program: any\n"
    "lines:\n"
    "  - {id: loaded, line: loaded, kind: note, source: x}\n"
    "  - {id: lost, line: 'not found', kind: loss, causes: [missing], source: x}\n";

class KnowledgeFiles : public testing::Test {
 protected:
  Result<Knowledge> Read(const std::string& causes, const std::string& lines) {
    EXPECT_THAT(WriteFile(scratch_.path() + "/causes.yaml", causes), IsOk());
    EXPECT_THAT(WriteFile(scratch_.path() + "/any.yaml", lines), IsOk());
    return ReadKnowledge(scratch_.path());
  }
  static std::string With(std::string text, const std::string& what, const std::string& instead) {
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
  }
  static int LineOf(const Result<Knowledge>& read) {
    return read.error().pos ? read.error().pos->line : 0;
  }
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_F(KnowledgeFiles, AreRead) {
  const auto read = Read(kCauses, kLines);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->rules.size(), 2u);
  EXPECT_EQ(read->causes.front().never, std::vector<std::string>{"loaded"});
}

TEST_F(KnowledgeFiles, SayWhereALineIsWrong) {
  const struct {
    const char *what, *instead, *says;
    int line;
  } kWrong[] = {
      {"kind: note", "kind: nto", "unknown kind", 3},
      {"line: loaded", "line: '('", "line is no RE2 expression", 3},
      {", source: x}", "}", "source", 3},
      {"causes: [missing]", "causes: [mising]",
       "unknown cause \"mising\"; did you mean \"missing\"", 4},
      {"id: lost", "id: loaded", "has this id already", 4},
      {"kind: loss", "kind: loss, versions: 1.x", "expected versions such as", 4},
      {"kind: loss", "kind: loss, level: WARN", "level", 4},
      {"kind: loss", "kind: loss, cuases: [missing]", "did you mean \"causes\"", 4},
  };
  for (const auto& wrong : kWrong) {
    const auto read = Read(kCauses, With(kLines, wrong.what, wrong.instead));
    ASSERT_FALSE(read.ok()) << wrong.instead;
    EXPECT_THAT(read.error().message, HasSubstr(wrong.says));
    EXPECT_EQ(LineOf(read), wrong.line) << read.error().message;
  }
}

TEST_F(KnowledgeFiles, SayWhereACauseIsWrong) {
  const struct {
    const char *what, *instead, *says;
  } kWrong[] = {
      {"look: ldd, way", "look: lld, way", "has a look that is not in looks"},
      {"way: not-loaded}", "way: not-laoded}", "unknown way \"not-laoded\""},
      {"never: [loaded]", "never: [laoded]", "unknown line \"laoded\"; did you mean \"loaded\""},
      {", mend: install it", "", "mend"},
  };
  for (const auto& wrong : kWrong) {
    const auto read = Read(With(kCauses, wrong.what, wrong.instead), kLines);
    ASSERT_FALSE(read.ok()) << wrong.instead;
    EXPECT_THAT(read.error().message, HasSubstr(wrong.says));
  }
}

// Every cell of the report's scenario is a cause, and says how it is staged.
TEST(Knowledge, HasEveryCauseOfTheReport) {
  const auto report = ReadFile(InSources("/scenarios/scanner-not-loading/the-report.yaml"));
  ASSERT_THAT(report, IsOk());
  size_t cells = 0;
  for (size_t at = report->find("- as: "); at != std::string::npos;
       at = report->find("- as: ", at + 1)) {
    const std::string cell = report->substr(at + 6, report->find('\n', at) - at - 6);
    const LogCause* cause = Known().Find(cell);
    ASSERT_NE(cause, nullptr) << cell;
    EXPECT_THAT(cause->staged, HasSubstr("cause=" + cell));
    ++cells;
  }
  EXPECT_EQ(cells, 35u);
}

// A line that rules a cause out when it is missing is quoted in words, not as an expression.
TEST(Knowledge, QuotesTheLinesThatItMisses) {
  for (const LogCause& cause : Known().causes)
    for (const WrittenLine& written : cause.writes)
      for (const std::string& id : written.lines)
        for (const LineRule& rule : Known().rules)
          if (rule.id == id && id != "removing" && id != "not-initialised-b") {
            EXPECT_NE(rule.quote, "") << cause.id << ": " << id;
          }
}

}  // namespace
}  // namespace gpustage
