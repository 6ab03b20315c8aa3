// gpustage run --report and gpustage merge, as CI uses them.
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/pty.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ReportsTest : public StagedCliTest {
 protected:
  // A scenario of three cases: the actor prints GPU a, b or c, and "c" is one too few.
  void SetUp() override {
    StagedCliTest::SetUp();
    environment_["GITHUB_WORKSPACE"] = scratch_.path();
    Write("m.yaml",
          "claim: it prints what it is told\nmachine: {devices: [h100-80gb]}\nlayout: []\n"
          "matrix: {which: {set: env.WHICH, to: [a, b, c]}}\n"
          "runs: [{scanner: actor, args: [out, \"GPU\\n\"]}]\n"
          "expect:\n  - {when: {which: [a, b]}, devices: 1}\n  - {when: {which: c}, devices: 2}\n");
  }
  Ran RunCases(const std::string& filter, std::vector<std::string> options = {}) const {
    std::vector<std::string> all = {"run",      Path("m.yaml"), "--scanner", Path("actor.yaml"),
                                    "--filter", filter,         "--jobs",    "1"};
    all.insert(all.end(), options.begin(), options.end());
    return Run(all);
  }
  // The reports of the shards {a}, {b} and {c}.
  void RunShards() const {
    for (const std::string which : {"a", "b", "c"})
      ASSERT_EQ(RunCases("which=" + which, {"--report", "json=" + Path(which + ".json")}).status,
                which == "c" ? 1 : 0);
  }
};

TEST_F(ReportsTest, WritesEveryKind) {
  std::vector<std::string> options;
  for (const char* kind :
       {"json=r.json", "junit=r.xml", "github=r.github", "markdown=r.md", "text=r.txt"}) {
    const std::string word = kind;
    options.insert(options.end(), {"--report", word.substr(0, word.find('=') + 1) +
                                                   Path(word.substr(word.find('=') + 1))});
  }
  const Ran ran = RunCases("", options);
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_EQ(json::parse(WholeFile(Path("r.json")))["totals"]["fail"], 1);
  EXPECT_THAT(WholeFile(Path("r.xml")), HasSubstr("tests=\"3\" failures=\"1\""));
  EXPECT_THAT(WholeFile(Path("r.github")),
              StartsWith("::error file=m.yaml,line=8,col=24,title=m@which=c [actor] fails::"));
  EXPECT_THAT(WholeFile(Path("r.md")),
              StartsWith("## ❌ gpustage: 1 of 3 runs are not as expected\n"));
  EXPECT_EQ(WholeFile(Path("r.txt")), ran.out);
}

// `run --report github=-` in a workflow: the commands go where GitHub reads them, what is for
// people to the other stream.
TEST_F(ReportsTest, WritesOneToStandardOutput) {
  const Ran ran = RunCases("", {"--report", "json=-"});
  EXPECT_EQ(json::parse(ran.out)["totals"]["pass"], 2);
  EXPECT_THAT(ran.err, HasSubstr("2 passed, 1 failed in "));
  EXPECT_EQ(RunCases("", {"--report", "json=-", "--report", "text=-"}).err,
            "gpustage: json and text are both to be written to \"-\"\n");
}

TEST_F(ReportsTest, RefusesADirectoryForAReport) {
  EXPECT_EQ(RunCases("", {"--report", "junit=" + Path("tmp")}).err,
            "gpustage: the junit report cannot be written: " + Path("tmp") + " is a directory\n");
}

// What a report says to look at is found, also of a scenario that lies anywhere.
TEST_F(ReportsTest, LooksAtACaseByItsFile) {
  const std::string trace = Path("m.yaml") + "@which=c";
  EXPECT_THAT(RunCases("which=c").out, HasSubstr("  look      " GPUSTAGE_PROGRAM " trace " + trace +
                                                 " --scanner " + Path("actor.yaml") + "\n"));
  const Ran traced = Run({"trace", trace, "--scanner", Path("actor.yaml")});
  EXPECT_EQ(traced.status, 0) << traced.err;
  EXPECT_THAT(traced.out, HasSubstr("m@which=c"));
  EXPECT_THAT(traced.out, Not(HasSubstr("m@which=a")));
  EXPECT_EQ(Run({"trace", Path("m.yaml") + "@which=d", "--scanner", Path("actor.yaml")}).status, 2);
}

TEST_F(ReportsTest, ACaseThatIsSelectedTwiceRunsOnce) {
  const std::string file = Path("m.yaml");
  for (const std::vector<std::string>& paths : {std::vector{file, file},
                                                {file + "@which=a", file},
                                                {file, Path("tmp/../m.yaml@which=b")}}) {
    std::vector<std::string> words = {"list", "--format", "names", "--scanner", Path("actor.yaml")};
    words.insert(words.end(), paths.begin(), paths.end());
    const Ran listed = Run(words);
    std::string names = listed.out;
    EXPECT_EQ(std::count(names.begin(), names.end(), '\n'), 3) << names << listed.err;
    for (const char* which : {"a", "b", "c"})
      EXPECT_THAT(names, HasSubstr(std::string("m@which=") + which));
  }
}

TEST_F(ReportsTest, MergedShardsAreOneRun) {
  RunShards();
  const Ran one =
      RunCases("", {"--report", "json=" + Path("one.json"), "--report", "text=" + Path("one.txt")});
  const Ran merged = Run({"merge", Path("c.json"), Path("a.json"), Path("b.json"), "--report",
                          "json=" + Path("all.json"), "--report", "text=" + Path("all.txt")});
  EXPECT_EQ(merged.status, 1) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("\nFAIL  m@which=c [actor]\n"));
  EXPECT_THAT(merged.out, HasSubstr("\n2 passed, 1 failed in "));
  EXPECT_THAT(merged.out, HasSubstr(" s of 3 reports\n"));
  json all = json::parse(WholeFile(Path("all.json"))),
       whole = json::parse(WholeFile(Path("one.json")));
  for (json* report : {&all, &whole}) {  // what was measured, counts the starts, or numbers events
    for (json& run : (*report)["cases"]) {
      for (const char* key : {"duration_ms", "because"}) run.erase(key);
      for (json& unmet : run["unmet"]) unmet.erase("because");
    }
    report->erase("seconds");
    report->erase("selection");
    report->erase("reports");
  }
  EXPECT_EQ(all, whole);
}

TEST_F(ReportsTest, MergeOfWhatIsAsExpectedExitsWith0) {
  RunShards();
  EXPECT_EQ(Run({"merge", Path("a.json"), Path("b.json")}).status, 0);
}

TEST_F(ReportsTest, MergeSaysThatAShardIsMissing) {
  for (const char* shard : {"1", "2", "3"}) {
    const std::string report = std::string("json=") + Path(shard);
    EXPECT_EQ(
        RunCases("which=a", {"--shard", std::string(shard) + "/3", "--report", report}).status, 0);
  }
  EXPECT_THAT(Run({"merge", Path("1"), Path("2"), Path("3")}).err, IsEmpty());
  const Ran merged = Run({"merge", Path("1"), Path("3")});
  EXPECT_EQ(merged.status, 1);
  EXPECT_EQ(merged.err, "gpustage: shard 2 of 3 is in none of these reports\n");
}

TEST_F(ReportsTest, MergeRefusesTheSameRunTwice) {
  RunShards();
  ASSERT_EQ(RunCases("which=a", {"--report", "json=" + Path("again.json")}).status, 0);
  const Ran ran = Run({"merge", Path("a.json"), Path("again.json")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: m@which=a [actor] is in " + Path("a.json") + " and in " +
                         Path("again.json") + ": these are no shards of one run\n");
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(ReportsTest, MergeShowsWhereAReportIsDamaged) {
  RunShards();
  std::string text = WholeFile(Path("a.json"));
  const size_t at = text.find("\"verdict\": \"pass\"");
  text.replace(at, 17, "\"verdict\": \"psas\"");
  Write("a.json", text);
  const std::string line = std::to_string(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1);
  const Ran ran = Run({"merge", Path("a.json"), Path("b.json")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, StartsWith(Path("a.json") + ":" + line +
                                  ":7: unknown verdict \"psas\"; expected pass, fail, skip"));
  EXPECT_THAT(ran.err, HasSubstr("| "
                                 "      \"verdict\": \"psas\",\n"));
  EXPECT_EQ(Run({"merge", Path("nothing.json")}).status, 2);
  EXPECT_EQ(Run({"merge"}).status, 2);
}

TEST_F(ReportsTest, ColoursOnlyWhereItIsWanted) {
  environment_.erase("NO_COLOR");
  EXPECT_THAT(RunCases("").out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(RunCases("", {"--color", "always"}).out, HasSubstr("\x1b[31mFAIL  \x1b[0m"));
  EXPECT_EQ(RunCases("", {"--color", "sometimes"}).status, 2);
}

// Of a case without its evidence enough is left for the table at the end.
TEST_F(ReportsTest, SuspectsAreWeighedWhereAllCasesAreOfOneFolder) {
  const std::string cause = "scanner-not-loading/the-report@cause=A1-unlistable";
  EXPECT_THAT(Run({"run", cause, "--scanner", "ollama-model"}).out,
              HasSubstr("\n   A1-unlistable  the report has a line "));
  EXPECT_THAT(
      Run({"run", cause, "first-steps/healthy@gpus=1,stack=ollama-12", "--scanner", "ollama-model"})
          .out,
      Not(HasSubstr("\n   A1-unlistable")));
}

class OnATerminal : public ReportsTest {
 protected:
  std::string Shown(unsigned short columns, std::vector<std::string> options = {}) {
    std::vector<std::string> words = {
        GPUSTAGE_PROGRAM, "run", Path("m.yaml"), "--scanner", Path("actor.yaml"), "--jobs", "1"};
    words.insert(words.end(), options.begin(), options.end());
    unsetenv("NO_COLOR");
    unsetenv("TERM");
    Pty pty(words, environment_, {40, columns, 0, 0});
    pty.Shows(" 1 failed in ");
    pty.Wait();
    return pty.seen();
  }
};

TEST_F(OnATerminal, TheLastLineSaysHowFarItIs) {
  environment_["NO_COLOR"] = "";
  const std::string shown = Shown(120);
  EXPECT_THAT(shown, HasSubstr("\x1b[32mok    \x1b[0mm@which=a"));
  EXPECT_THAT(shown, HasSubstr("\n1 of 3 cases, about 1 s left\r\x1b[K"));
  EXPECT_THAT(shown, HasSubstr("\n2 of 3 cases, about 1 s left\r\x1b[K"));
  EXPECT_THAT(shown, Not(HasSubstr("3 of 3 cases")));
}

TEST_F(OnATerminal, NoColorIsHeeded) {
  EXPECT_THAT(Shown(120), HasSubstr("\x1b[Kok    m@which=b"));
  EXPECT_THAT(Shown(120, {"--color", "always"}), HasSubstr("\x1b[32mok"));
}

TEST_F(OnATerminal, ANarrowOneHasACaseAndItsAnswerInTwoLines) {
  EXPECT_THAT(Shown(60), HasSubstr("ok    m@which=a\r\n        actor  1 device  "));
}

TEST_F(OnATerminal, ADumbOneGetsNoLastLine) {
  environment_["TERM"] = "dumb";
  EXPECT_THAT(Shown(120), Not(HasSubstr(" of 3 cases")));
}

}  // namespace
}  // namespace gpustage
