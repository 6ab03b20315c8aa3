// gpustage run: exit statuses, and what a user reads.
#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CmdRunTest : public StagedCliTest {};

TEST_F(CmdRunTest, ExitsWith0WhenAllIsAsExpected) {
  const Ran ran = RunActor(R"(out, "GPU a\n")", "devices: 1");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1 passed, 0 failed in "));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(CmdRunTest, ExitsWith1AndSaysWhyWhenAnExpectationFails) {
  const Ran ran = RunActor(R"(out, "GPU a\n")", "devices: 2");
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("\nFAIL  s [actor]\n"));
  EXPECT_THAT(InOneLine(ran.out), HasSubstr(InOneLine(" expected devices: 2 " + Path("s.yaml") +
                                                      ":6:6 seen 1 device")));
  EXPECT_THAT(ran.out, HasSubstr("stdout: GPU a\n"));
  EXPECT_THAT(ran.out, HasSubstr("0 passed, 1 failed in "));
}

TEST_F(CmdRunTest, TakesWhateverAScannerDoesForAnOutcome) {
  EXPECT_EQ(RunActor("crash", "outcome: {killed: SIGSEGV}").status, 0);
  EXPECT_EQ(RunActor("exit, 9", "outcome: {exited: 9}").status, 0);
  EXPECT_EQ(RunActor("daemon, exit, 0", "outcome: {exited: 0}").status, 0);
}

TEST_F(CmdRunTest, ShowsWhereInTheFileAnErrorIs) {
  Write("bad.yaml",
        "claim: x\nmachine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian, "
        "ollama-cuda-12]\nexpcet:\n  - "
        "{devices: 1}\n");
  const Ran ran = Run({"run", Path("bad.yaml")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_EQ(ran.err, Path("bad.yaml") +
                         ":4:1: unknown key \"expcet\"; did you mean \"expect\"?\n"
                         "    4 | expcet:\n"
                         "      | ^~~~~~\n");
}

TEST_F(CmdRunTest, TellsEveryMistakeOfEveryFile) {
  ASSERT_EQ(mkdir(Path("mine").c_str(), 0755), 0);
  Write("mine/a.yaml",
        "claim: x\nlayuot: [nvidia-driver-debian, ollama-cuda-12]\nenv: {A: [1]}\nexpect: "
        "[{devices: 1}]\n");
  Write("mine/b.yml",
        "claim: x\nmachine: {devises: []}\nlayout: [nvidia-driver-debian, ollama-cuda-12]\nexpect: "
        "[{devices: 1}]\n");
  const Ran ran = Run({"run", Path("mine")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("3 mistakes"));
  for (const char* place : {"a.yaml:2:1: ", "a.yaml:3:10: ", "b.yml:2:11: "})
    EXPECT_THAT(ran.err, HasSubstr(place));
}

// What a run would find out only when it has ended is known before it starts.
TEST_F(CmdRunTest, StartsNothingOfWhichNothingIsExpectedOrWhatCannotBe) {
  Write("both.yaml",
        "claim: x\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: actor, args: [exit, 0]}]\n"
        "expect: [{devices: 0}, {devices: 1}]\n");
  const Ran both = Run({"run", Path("both.yaml"), "--scanner", Path("actor.yaml")});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.out, IsEmpty());
  EXPECT_THAT(both.err, HasSubstr("expects devices: 0, and both cannot be"));
  Write("two.yaml",
        "claim: x\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: actor, args: [exit, 0]}, "
        "{name: other, scanner: actor, args: [exit, 0]}]\nexpect: [{run: actor, devices: 0}]\n");
  const Ran nothing = Run({"run", Path("two.yaml"), "--scanner", Path("actor.yaml")});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("nothing is expected of run \"other\""));
}

TEST_F(CmdRunTest, ExitsWith2WhenNothingMatches) {
  const Ran ran = RunActor("exit, 0", "devices: 0", {"--filter", "no such run"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: no case matches --scanner " + Path("actor.yaml") +
                         " --filter \"no such run\"; the runs there are actor\n");
  const Ran absent = Run({"run", "ollama/healthy", "--scanner", "ollama@0.99"});
  EXPECT_EQ(absent.status, 2);
  EXPECT_EQ(absent.err,
            "gpustage: no ollama 0.99 here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH\n");
}

TEST_F(CmdRunTest, RunsAScannerOfOnesOwnBesideOneThatIsShipped) {
  const auto scenario = [&](const std::string& scanner) {
    Write("two.yaml", "claim: x\nmachine: {devices: [h100-80gb]}\nruns: [{name: own, scanner: " +
                          scanner + ", args: [out, \"GPU a\\n\"]}, {name: who, scanner: id}]\n" +
                          "expect: [{run: own, devices: 1}, {run: who, outcome: {exited: 0}}]\n");
    return Path("two.yaml");
  };
  const Ran known = Run({"run", scenario("actor"), "--scanner", Path("actor.yaml")});
  EXPECT_THAT(known.out, HasSubstr("2 passed")) << known.out << known.err;
  const Ran chosen =
      Run({"run", Path("two.yaml"), "--scanner", Path("actor.yaml"), "--filter", "own"});
  EXPECT_THAT(chosen.out, HasSubstr("1 passed")) << chosen.out << chosen.err;
  const Ran named = Run({"run", scenario("./actor.yaml")});
  EXPECT_THAT(named.out, HasSubstr("2 passed")) << named.out << named.err;
}

TEST_F(CmdRunTest, KnowsNoNumberOfAProgramThatEndedBeforeItListed) {
  EXPECT_EQ(RunActor("exit, 127", "devices: 0").status, 1);
  EXPECT_THAT(RunActor("exit, 127", "devices: 0").out,
              HasSubstr("it listed nothing and exited 127"));
  EXPECT_EQ(RunActor("exit, 0", "devices: 0").status, 0);
}

TEST_F(CmdRunTest, NamesTheNearestScenarioAndScanner) {
  const Ran scenario = Run({"run", "helthy"});
  EXPECT_EQ(scenario.status, 2);
  EXPECT_THAT(scenario.err,
              HasSubstr("no scenario \"helthy\"; did you mean \"first-steps/healthy\"?"));
  const Ran scanner = Run({"run", "--scanner", "dlopne"});
  EXPECT_EQ(scanner.status, 2);
  EXPECT_THAT(scanner.err, HasSubstr("no scanner \"dlopne\"; did you mean \"dlopen\"?"));
}

TEST_F(CmdRunTest, RefusesAReportThatCannotBeWrittenBeforeAnythingRuns) {
  const Ran ran = RunActor("exit, 0", "devices: 0", {"--report", "json=/no/such/report.json"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "gpustage: the json report cannot be written: there is no directory /no/such\n");
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_EQ(RunActor("exit, 0", "devices: 0", {"--report", "pdf=x"}).err,
            "gpustage: unknown report \"pdf=x\"; expected json=FILE, junit=FILE, github=FILE, "
            "markdown=FILE, text=FILE or html=FILE\n");
}

TEST_F(CmdRunTest, WritesTheReportOfARunThatFailed) {
  EXPECT_EQ(RunActor("exit, 0", "devices: 3", {"--report", "json=" + Path("r.json")}).status, 1);
  EXPECT_THAT(WholeFile(Path("r.json")), HasSubstr("\"verdict\": \"fail\""));
}

TEST_F(CmdRunTest, ExitsWith77WhenNothingRanAndSomethingIsRequired) {
  Write("actor.yaml",
        "scanner: actor\nabout: it is not here\nprogram: {path: /no/such/actor}\nargv: "
        "[/actor]\nfits: nothing\n"
        "devices: {read: lines, stream: any, match: '^GPU'}\n");
  const Ran skipped = RunActor("exit, 0", "devices: 0");
  EXPECT_EQ(skipped.status, 0) << skipped.out << skipped.err;
  EXPECT_THAT(skipped.out, HasSubstr("0 passed, 0 failed, 1 skipped in "));
  const Ran required = RunActor("exit, 0", "devices: 0", {"--require", "actor"});
  EXPECT_EQ(required.status, 77);
  EXPECT_THAT(required.err, HasSubstr("gpustage: actor is required: "));
}

TEST_F(CmdRunTest, ExitsWith2WhenWhatIsRequiredIsNotUsed) {
  const Ran ran = RunActor("exit, 0", "devices: 0", {"--require", "ggml"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: ggml is required: no case of this selection uses ggml\n");
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(CmdRunTest, ExitsWith2ForAWrongOption) {
  EXPECT_EQ(Run({"run", "--no-such-option"}).status, 2);
  EXPECT_EQ(Run({"run", "--jobs", "0"}).status, 2);
  EXPECT_EQ(Run({}).status, 2);
  EXPECT_EQ(Run({"--help"}).status, 0);
}

TEST_F(CmdRunTest, LeavesNothingBehind) {
  ASSERT_EQ(RunActor("daemon, exit, 0", "devices: 0").status, 0);
  EXPECT_THAT(FilesBelow(Path("tmp"), ""), IsOkAnd(IsEmpty()));
  EXPECT_THAT(rmdir(Path("tmp").c_str()), 0);
}

TEST_F(CmdRunTest, KeepsTreesWhenAsked) {
  const Ran ran = RunActor("out, x", "devices: 0", {"--keep"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const size_t at = ran.out.find("trees kept in ");
  ASSERT_NE(at, std::string::npos) << ran.out;
  const std::string kept = ran.out.substr(at + 14, ran.out.find('\n', at) - at - 14);
  EXPECT_TRUE(FileExists(kept + "/tree-1/bin/actor"));
  // A later start clears what was left by accident, and not this.
  ASSERT_EQ(RunActor("out, x", "devices: 0").status, 0);
  EXPECT_TRUE(FileExists(kept + "/tree-1/bin/actor"));
}

}  // namespace
}  // namespace gpustage
