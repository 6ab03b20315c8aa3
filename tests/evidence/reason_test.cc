// A reason is data, and its sentence is made of all that it has.
#include "harness/evidence/path/reason.h"

#include <signal.h>

#include <sstream>

#include "harness/base/files.h"
#include "harness/evidence/store/store.h"
#include "harness/words/words.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = Reason::Kind;

Reason Full(Kind kind, int below = 1) {
  Reason reason = {.kind = kind,
                   .subject = "cuInit",
                   .other = "/opt/\xff.so",
                   .requester = "/opt/a.so",
                   .rule = "RUNPATH",
                   .version = "V_1",
                   .who = "scan runner",
                   .text = "no such thing",
                   .pid = 7,
                   .number = 999,
                   .error = ENOENT,
                   .signal = SIGBUS,
                   .uid = 998,
                   .event = 1,
                   .names = {"/one", "/two"},
                   .places = {{"LD_LIBRARY_PATH", 2}, {"default directory", 1}}};
  if (below > 0) reason.below = {Full(Kind::kGave, 0), Full(Kind::kText, 0)};
  return reason;
}

TEST(Reason, HasASentenceOfEachKind) {
  for (int kind = 1; kind <= static_cast<int>(Kind::kTurnedOff); ++kind) {
    const std::string sentence = SentenceOf(Full(static_cast<Kind>(kind)));
    EXPECT_NE(sentence, "") << kind;
    EXPECT_THAT(sentence, Not(HasSubstr("{"))) << kind;
    EXPECT_THAT(sentence, Not(HasSubstr("  "))) << kind;
  }
  EXPECT_EQ(SentenceOf({}), "");
}

TEST(Reason, SaysOneOfOneAndSomeOfSome) {
  Reason reason = {.kind = Kind::kNotFound, .subject = "liba.so", .places = {{"ld.so.cache", 1}}};
  EXPECT_EQ(SentenceOf(reason),
            "liba.so was looked for in 1 place (ld.so.cache 1), and was not found");
  reason.places.push_back({"default directory", 4});
  reason.requester = "/b.so";
  EXPECT_EQ(SentenceOf(reason),
            "liba.so, which /b.so asks for, was looked for in 5 places (ld.so.cache 1, default "
            "directories 4), and was not found");
}

// Version 5 of kept evidence has reasons: each of these lines has every field of one kind, those
// that hang below it too, as the last gpustage that wrote them did.
TEST(Reason, IsReadOfVersion5) {
  const Result<std::string> text = ReadFile(InSources("/tests/evidence/kept/reasons-5.jsonl"));
  ASSERT_THAT(text, IsOk());
  std::istringstream lines(*text);
  std::string head, event, end;
  std::getline(lines, head);
  std::getline(lines, event);
  int kind = 0;
  for (; std::getline(lines, end); ++kind) {
    const Result<KeptRun> run = ParseEvidenceLines(head + "\n" + event + "\n" + end, "x.jsonl");
    ASSERT_THAT(run, IsOk()) << kind;
    EXPECT_TRUE(run->evidence.silent_because == Full(static_cast<Kind>(kind))) << kind;
  }
  EXPECT_EQ(kind, static_cast<int>(Kind::kRecorderSays) + 1);
}

}  // namespace
}  // namespace gpustage
