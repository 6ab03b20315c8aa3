// fix: and suspects: of a scenario.
#include "tests/scenario/refused.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kLooks = "suspects: {axis: n, looks: {l: {say: x}}, ";
const std::string kTwoCells = "matrix: {n: {set: env.N, to: [1, 2]}}\n";

class FixTest : public testing::Test {
 protected:
  std::vector<Case> Load(const std::string& text) {
    const auto cases = files_.Load(kPlain + text);
    EXPECT_TRUE(cases.ok()) << (cases ? "" : cases.error().message);
    return cases ? *cases : std::vector<Case>{};
  }
  static std::vector<std::string> Names(const Case& c) {
    std::vector<std::string> names;
    for (const RunSpec& run : c.runs) names.push_back(run.name);
    return names;
  }
  ScenarioFiles files_;
};

TEST_F(FixTest, StartsTheRunOnceMoreAfterIt) {
  const auto cases = Load(
      "expect: [{devices: 0}]\n"
      "fix: {tree: [{remove: /a}], env: {A: b}, user: root, expect: [{run: dlopen, devices: "
      "1}]}\n");
  ASSERT_THAT(cases, SizeIs(1));
  ASSERT_THAT(Names(cases[0]), ElementsAre("dlopen", "dlopen+fix"));
  const RunSpec& before = cases[0].runs[0];
  const RunSpec& after = cases[0].runs[1];
  EXPECT_THAT(before.change, IsEmpty());
  EXPECT_FALSE(before.fixed);
  EXPECT_TRUE(after.fixed);
  EXPECT_THAT(after.change, SizeIs(1));
  EXPECT_THAT(after.env, SizeIs(1));
  EXPECT_EQ(after.user, "root");
}

TEST_F(FixTest, MayBeAPackageAMachineAGroupAndAnotherProgram) {
  const auto cases = Load(
      "machine: {driver: 560.1}\n"
      "expect: [{devices: 0}]\n"
      "fix: {layout: [tools], tree: [{dir: /a}], machine: {kernel_driver: 560.2}, groups: video, "
      "scanner: lister, expect: [{devices: 1}]}\n");
  ASSERT_THAT(cases, SizeIs(1));
  const RunSpec& after = cases[0].runs.at(1);
  ASSERT_THAT(after.change, SizeIs(2)) << "what is installed, then the rest";
  EXPECT_EQ(ToString(after.change[0]), "dir /opt/tools");
  ASSERT_TRUE(after.machine.has_value());
  EXPECT_THAT(after.machine->keys, ElementsAre("kernel_driver"));
  EXPECT_THAT(after.groups.value_or(std::vector<std::string>()), ElementsAre("video"));
  EXPECT_EQ(after.scanner.name, "lister");
  EXPECT_EQ(after.name, "dlopen+fix");
  EXPECT_THAT(after.env, IsEmpty()) << "the case has that variable of the layout's";
}

// Claims of a run, and of the same after the fix.
TEST_F(FixTest, IsShownByWhateverContradicts) {
  const auto load = [&](const std::string& before, const std::string& after) {
    return files_
        .Load(kPlain + "expect: [{" + before + "}]\nfix: {env: {A: b}, expect: [{" + after +
              "}]}\n")
        .ok();
  };
  EXPECT_TRUE(load("log: {has: [a is lost]}", "log: {lacks: lost}"));
  EXPECT_TRUE(load("log: {lacks: [lost]}", "log: {has: it is lost}"));
  EXPECT_FALSE(load("log: {has: [lost]}", "log: {lacks: a is lost}")) << "another line may be";
  EXPECT_TRUE(load("outcome: timed_out", "outcome: {exited: 0}"));
  EXPECT_TRUE(load("outcome: {exited: 1}", "outcome: {exited: 0}"));
  EXPECT_FALSE(load("outcome: {exited: 1}", "outcome: {exited: 1}"));
  EXPECT_TRUE(load("device: {index: 1, name: a}", "device: {index: 1, name: b}"));
  EXPECT_FALSE(load("device: {index: 0, name: a}", "device: {index: 1, name: b}"));
  EXPECT_TRUE(load("loads: a.so", "loads_not: a.so"));
  EXPECT_TRUE(load("loads: {library: a.so, from: /a.so}", "loads: {library: a.so, from: /b.so}"));
  EXPECT_TRUE(load("silent: true", "silent: false"));
  EXPECT_TRUE(load("calls: {function: cuInit, count: 0}", "calls: {function: cuInit}"));
  EXPECT_FALSE(load("calls: {function: cuInit, count: 0}", "calls: {function: cuMemAlloc}"));
  EXPECT_TRUE(load("lost: {library: a.so, at: loaded}", "reached: {library: a.so, step: counted}"));
  EXPECT_FALSE(load("lost: {library: a.so, at: loaded}", "reached: {library: a.so, step: opened}"));
}

TEST_F(FixTest, IsForTheCellsItNames) {
  const auto cases = Load(
      kTwoCells +
      "expect: [{devices: 0}]\n"
      "fix: [{when: {n: 1}, env: {A: b}, expect: [{devices: 1}]}, {when: {n: 2}, none: broken}]\n");
  ASSERT_THAT(cases, SizeIs(2));
  EXPECT_THAT(Names(cases[0]), ElementsAre("dlopen", "dlopen+fix"));
  EXPECT_THAT(Names(cases[1]), ElementsAre("dlopen"));
}

TEST_F(FixTest, IsDoneOnceForSeveralRuns) {
  const auto cases = Load(
      "runs: [{name: a, scanner: dlopen}, {name: b, scanner: dlopen}]\n"
      "expect: [{devices: 0}]\nfix: {tree: [{remove: /a}], expect: [{devices: 1}]}\n");
  ASSERT_THAT(cases, SizeIs(1));
  ASSERT_THAT(Names(cases[0]), ElementsAre("a", "b", "a+fix", "b+fix"));
  EXPECT_THAT(cases[0].runs[2].change, SizeIs(1));
  EXPECT_THAT(cases[0].runs[3].change, IsEmpty());
}

TEST(DropRuns, LeavesWhatADroppedRunDoesToTheTree) {
  std::vector<RunSpec> runs(3);
  runs[0].name = "first";
  runs[1].name = "second";
  runs[1].change = {{RemoveOp{"/a"}, {}}};
  runs[2].name = "third";
  runs[2].change = {{RemoveOp{"/b"}, {}}};
  DropRuns(runs, [](const RunSpec& run) { return run.name == "second"; });
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_THAT(runs[0].change, IsEmpty());
  EXPECT_THAT(runs[1].change, SizeIs(2));
}

class SuspectTest : public FixTest {
 protected:
  void SetUp() override {
    files_.Write(
        "scanners/slogger.yaml",
        "scanner: slogger\nabout: a\nprogram: {path: /bin/sh}\nargv: [a]\nlog: {format: slog}\n");
  }
  // Two suspects, of whom the first is ruled out.
  std::vector<Case> LoadSuspects(
      const std::string& common, const std::string& first = "", const std::string& second = "",
      const std::string& runs = "{scanner: slogger}, {scanner: dlopen}") {
    return Load("runs: [" + runs + "]\n" + kTwoCells +
                "suspects: {axis: n, looks: {here: {say: look}" + common +
                ", \"1\": {is: one, look: here, see: it, missing: 'a.b'" + first +
                "}, \"2\": {is: two, look: here, see: it" + second +
                "}}\nexpect: [{run: slogger, devices: 0}, {run: dlopen, devices: 0}]\n");
  }
};

TEST_F(SuspectTest, GivesACellItsSuspectAndExpectsItsLines) {
  const auto cases = LoadSuspects("}", "", ", traced: x");
  ASSERT_THAT(cases, SizeIs(2));
  ASSERT_TRUE(cases[0].suspect.has_value());
  EXPECT_EQ(cases[0].suspect->is, "one");
  EXPECT_EQ(cases[0].suspect->look, "look");
  EXPECT_FALSE(cases[0].suspect->fits());
  EXPECT_TRUE(cases[1].suspect->fits());
  ASSERT_THAT(cases[0].expect, SizeIs(3)) << "the line is expected of the run that keeps a log";
  EXPECT_THAT(cases[1].expect, SizeIs(2)) << "no run is at OLLAMA_DEBUG=2";
}

TEST_F(SuspectTest, GivesTheReportWhereNoLineRulesItOut) {
  const auto cases = LoadSuspects("}, report: [{run: slogger, log: {has: [r]}}]");
  ASSERT_THAT(cases, SizeIs(2));
  EXPECT_THAT(cases[0].expect, SizeIs(3));
  ASSERT_THAT(cases[1].expect, SizeIs(3));
  EXPECT_EQ(ToString(cases[1].expect[2].claims[0]), "log: {has: \"r\"}");
}

TEST_F(SuspectTest, HasALineInCommonButWhereThatOneRulesItOut) {
  const auto cases = LoadSuspects("}, has: h");
  ASSERT_THAT(cases, SizeIs(2));
  EXPECT_EQ(cases[0].suspect->has, "");
  EXPECT_EQ(cases[1].suspect->has, "h");
}

TEST_F(SuspectTest, IsSeenByTheRunThatLooks) {
  const auto cases =
      LoadSuspects(", there: {say: over there, in: [dlopen]}}", "", ", fix: {none: no}");
  ASSERT_THAT(cases, SizeIs(2));
  EXPECT_THAT(cases[0].runs, SizeIs(2));
  const auto seen =
      Load("runs: [{scanner: slogger}, {name: looks, scanner: dlopen}]\n" + kTwoCells +
           "suspects: {axis: n, looks: {here: {say: look}, there: {say: over, in: looks}}, \"1\": "
           "{is: one, look: here, see: it}, "
           "\"2\": {is: two, look: there, see: that}}\nexpect: [{run: slogger, devices: 0}]\n");
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_THAT(Names(seen[0]), ElementsAre("slogger"))
      << "where one looks elsewhere, it is not made";
  ASSERT_THAT(Names(seen[1]), ElementsAre("slogger", "looks"));
  EXPECT_EQ(ToString(seen[1].expect.back().claims[0]), "log: {has: \"that\"}");
}

TEST_F(SuspectTest, IsMendedByItsOwnFix) {
  const auto cases = LoadSuspects("}, fixed: [{run: dlopen, devices: 1}]",
                                  ", fix: {do: this, env: {A: b}}", ", fix: {none: nobody can}");
  ASSERT_THAT(cases, SizeIs(2));
  EXPECT_THAT(Names(cases[0]), ElementsAre("slogger", "dlopen", "dlopen+fix"));
  EXPECT_EQ(cases[0].suspect->mend, "this");
  EXPECT_THAT(Names(cases[1]), ElementsAre("slogger", "dlopen"));
  EXPECT_EQ(cases[1].suspect->mend, "nobody can");
}

TEST_F(FixTest, MayMendARunThatEndedBadly) {
  const auto cases =
      Load("expect: [{outcome: {killed: SIGABRT}}]\nfix: {env: {A: b}, expect: [{devices: 1}]}\n");
  ASSERT_THAT(cases, SizeIs(1));
  EXPECT_THAT(Names(cases[0]), ElementsAre("dlopen", "dlopen+fix"));
}

TEST_F(FixTest, ExpectsTheSameOfSeveralRuns) {
  const auto cases = Load(
      "runs: [{name: a, scanner: dlopen}, {name: b, scanner: dlopen}]\n"
      "expect: [{run: [a, b], devices: 0}]\nfix: {tree: [{remove: /a}], expect: [{run: [a, b], "
      "devices: 1}]}\n");
  ASSERT_THAT(cases, SizeIs(1));
  EXPECT_THAT(Names(cases[0]), ElementsAre("a", "b", "a+fix", "b+fix"));
  EXPECT_THAT(cases[0].expect, SizeIs(4));
}

Refused Fix(const char* name, const std::string& text, const char* message) {
  return Top(name, "expect: [{run: dlopen, devices: 0}]\n" + text, message);
}

class RefusedFix : public RefusedScenario {};

TEST_P(RefusedFix, SaysWhereAndWhatWouldHaveBeenRight) {
  EXPECT_THAT(ScenarioFiles().Load(GetParam().text),
              FailsWith(std::string("scenarios/s.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedFix,
    testing::Values(
        Fix("ChangesNothing", "fix: {expect: [{devices: 1}]}\n",
            "4:6: a fix changes layout, tree, machine, env, user, groups or scanner; {none: WHY} "
            "says "
            "that there is none"),
        Fix("ExpectsNothing", "fix: {env: {A: b}}\n", "4:6: a fix needs \"expect\""),
        Fix("NoneAndATree", "fix: {none: why, env: {A: b}}\n",
            "4:18: there is no fix, so it has no \"env\""),
        Fix("FlipsNothing", "fix: {env: {A: b}, expect: [{devices: 0}]}\n",
            "4:6: a fix flips the result; \"dlopen\" finds 0 in s without it, too"),
        Fix("SaysNoCount", "fix: {env: {A: b}, expect: [{outcome: {exited: 0}}]}\n",
            "4:6: a fix flips a result: nothing that it expects of \"dlopen\" (devices, a device, "
            "a "
            "line of the log, an outcome, …) contradicts what is expected in s without it"),
        Top("NothingIsSaidWithoutIt",
            "expect: [{outcome: {exited: 0}}]\nfix: {env: {A: b}, expect: [{devices: 1}]}\n",
            "4:6: a fix flips a result: nothing that it expects of \"dlopen\" (devices, a device, "
            "a "
            "line of the log, an outcome, …) contradicts what is expected in s without it"),
        Fix("Second",
            "fix: [{env: {A: b}, expect: [{devices: 1}]}, {env: {A: c}, expect: [{devices: 1}]}]\n",
            "4:46: a second fix for s"),
        Fix("OfNoRun", "fix: {env: {A: b}, expect: [{run: other, devices: 1}]}\n",
            "4:35: unknown run \"other\"; it can be dlopen"),
        Fix("NeverApplies",
            kTwoCells + "fix: {when: {n: 1}, env: {A: b}, expect: [{when: {n: 2}, devices: 1}]}\n",
            "5:6: this fix never applies: no case has this run in such a cell"),
        Fix("UnknownKey", "fix: {machin: {}}\n",
            "4:7: unknown key \"machin\"; did you mean \"machine\"?"),
        Fix("ScannerOfNobody", "fix: {scanner: dlopne, expect: [{devices: 1}]}\n",
            "4:16: unknown scanner \"dlopne\"; did you mean \"dlopen\"?"),
        Fix("UserOfNobody", "fix: {user: rood, expect: [{devices: 1}]}\n",
            "4:13: unknown user \"rood\"; did you mean \"root\"?"),
        Top("SuspectsOfNoAxis", "suspects: {a: {is: x}}\n", "3:11: suspects needs \"axis\""),
        Top("SuspectsOfAnUnknownAxis", "suspects: {axis: a}\n",
            "3:18: unknown axis \"a\"; there is none"),
        Top("SuspectsWithoutALook", kTwoCells + "suspects: {axis: n}\n",
            "4:11: suspects needs \"looks\""),
        Top("LookWithoutAPlace", kTwoCells + "suspects: {axis: n, looks: {l: {}}}\n",
            "4:32: a look needs \"say\""),
        Top("LookOfNoRun", kTwoCells + "suspects: {axis: n, looks: {l: {say: x, in: dlopne}}}\n",
            "4:45: unknown run \"dlopne\"; did you mean \"dlopen\"?"),
        Top("ReportOfNoRun",
            kTwoCells +
                "suspects: {axis: n, looks: {l: {say: x}}, report: [{run: b, devices: 0}]}\n",
            "4:58: unknown run \"b\"; it can be dlopen"),
        Top("SuspectOfNoValue", kTwoCells + kLooks + "\"3\": {is: x, look: l, see: y}}\n",
            "4:43: unknown value \"3\"; did you mean \"1\"?"),
        Top("SuspectWithoutASentence", kTwoCells + kLooks + "\"1\": {look: l, see: y}}\n",
            "4:48: a suspect needs \"is\""),
        Top("SuspectWithoutALook", kTwoCells + kLooks + "\"1\": {is: x}}\n",
            "4:48: a suspect needs \"look\""),
        Top("SuspectWithAnUnknownLook", kTwoCells + kLooks + "\"1\": {is: x, look: m}}\n",
            "4:62: unknown look \"m\"; did you mean \"l\"?"),
        Top("SuspectWithoutAnObservation", kTwoCells + kLooks + "\"1\": {is: x, look: l}}\n",
            "4:48: a suspect needs \"see\""),
        Top("SuspectWithoutAFix",
            kTwoCells + kLooks + "fixed: [{devices: 1}], \"1\": {is: x, look: l, see: y}}\n",
            "4:71: a suspect needs \"fix\""),
        Top("SuspectsFixWithoutASentence",
            kTwoCells + kLooks +
                "fixed: [{devices: 1}], \"1\": {is: x, look: l, see: y, fix: {env: {A: b}}}}\n",
            "4:101: the fix of a suspect needs \"do\""),
        Top("CellWithoutASuspect", kTwoCells + kLooks + "\"1\": {is: x, look: l, see: y}}\n",
            "4:11: nothing says what s@n=2 stands for"),
        Top("RunOfAListThatThereIsNot", "expect: [{run: [dlopen, by-hand], devices: 0}]\n",
            "3:25: unknown run \"by-hand\"; it can be dlopen"),
        Fix("ARunOfAFixThatThereIsNot",
            "fix: {env: {A: b}, expect: [{run: dlopen, devices: 1}, {run: dlopne, devices: 1}]}\n",
            "4:62: unknown run \"dlopne\"; did you mean \"dlopen\"?"),
        Top("EmptyListOfRuns", "expect: [{run: [], devices: 0}]\n",
            "3:16: \"run\" is an empty list"),
        Top("AxisOfSeveralThingsIsText", "matrix: {n: {set: case, to: [x]}}\n",
            "3:30: expected a map of what the case gets, got \"x\"")),
    NameOf);

}  // namespace
}  // namespace gpustage
