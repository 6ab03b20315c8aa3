#include "harness/scenario/read/scenario.h"

#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;
using testing::ResultOf;
using testing::SizeIs;

constexpr std::string_view kPlain = "claim: c\nlayout: [driver]\n";

std::vector<std::string> Ids(const Result<std::vector<Case>>& cases) {
  if (!cases) return {WholeMessage(cases.error())};
  std::vector<std::string> ids;
  for (const Case& c : *cases) ids.push_back(c.id);
  return ids;
}

std::map<std::string, std::string> Environment(const Case& c) {
  std::map<std::string, std::string> env;
  for (const EnvVar& variable : c.env) env[variable.name] = variable.value.value_or("(unset)");
  return env;
}

std::vector<std::string> Tree(const Case& c) {
  std::vector<std::string> ops;
  for (const TreeOp& op : c.tree) ops.push_back(ToString(op));
  return ops;
}

class ScenarioTest : public testing::Test {
 protected:
  // The only case of a scenario.
  Case One(std::string_view text) {
    auto cases = files_.Load(text);
    EXPECT_THAT(cases, IsOkAnd(SizeIs(1)));
    return cases && cases->size() == 1 ? cases->front() : Case{};
  }

  ScenarioFiles files_;
};

// ---- A case and its id

TEST_F(ScenarioTest, HasTheDefaultsOfAPlainScenario) {
  const Case c = One(kPlain);
  EXPECT_EQ(c.id, "s");
  EXPECT_EQ(c.claim, "c");
  EXPECT_EQ(c.user, "nobody");
  EXPECT_EQ(c.working_directory, "/");
  EXPECT_EQ(c.machine, Machine{});
  EXPECT_THAT(c.axes, IsEmpty());
  EXPECT_EQ(c.xfail, std::nullopt);
}

TEST_F(ScenarioTest, NamesACaseByItsPathBelowTheScenarios) {
  mkdir(files_.Path("scenarios/first-steps").c_str(), 0755);
  EXPECT_THAT(Ids(files_.Load(kPlain, "scenarios/first-steps/links.yaml")),
              ElementsAre("first-steps/links"));
}

TEST_F(ScenarioTest, NamesACaseFromElsewhereByItsBaseName) {
  EXPECT_THAT(Ids(files_.Load(kPlain, "fakes/mine.yaml")), ElementsAre("mine"));
}

TEST_F(ScenarioTest, ReadsTheTopLevelAsWritten) {
  const Case c =
      One("claim: c\nsource: [ollama/ollama#1, x/y#2]\ntags: one\nlayout: [driver]\nuser: root\n"
          "working_directory: /srv\n");
  EXPECT_THAT(c.source, ElementsAre("ollama/ollama#1", "x/y#2"));
  EXPECT_THAT(c.tags, ElementsAre("one"));
  EXPECT_EQ(c.user, "root");
  EXPECT_EQ(c.working_directory, "/srv");
}

// ---- Layouts and environment

TEST_F(ScenarioTest, OverlaysLayoutsInOrderThenTheScenario) {
  const Case c = One("claim: c\nlayout: [driver, tools]\ntree: [{remove: /opt}]\n");
  EXPECT_THAT(Tree(c), ElementsAre("symlink /usr/lib/libcuda.so.1 -> libcuda.so.580",
                                   "dir /opt/tools", "remove /opt"));
}

TEST_F(ScenarioTest, CallsTheFilesOfADriverByTheVersionOfTheMachine) {
  files_.Write("layouts/packed.yaml",
               "layout: packed\nabout: a driver\ndriver: 580.159.04\ntree:\n"
               "  - {symlink: /nix/nvidia-580.159.04/libcuda.so.1, to: libcuda.so.580.159.04}\n"
               "  - {symlink: /opt/libcuda.so.1, to: libcuda.so.570.86.10}\n");
  EXPECT_THAT(Tree(One("claim: c\nmachine: {devices: [h100], driver: 535.288.01}\n"
                       "layout: [packed]\nruns: [{scanner: dlopen}]\n")),
              ElementsAre("symlink /nix/nvidia-535.288.01/libcuda.so.1 -> libcuda.so.535.288.01",
                          "symlink /opt/libcuda.so.1 -> libcuda.so.570.86.10"));
  EXPECT_THAT(Tree(One("claim: c\nlayout: [packed]\nruns: [{scanner: dlopen}]\n")).front(),
              "symlink /nix/nvidia-580.159.04/libcuda.so.1 -> libcuda.so.580.159.04");
}

TEST_F(ScenarioTest, LetsMatrixBeatEnvAndEnvBeatLayout) {
  const auto cases = files_.Load(
      "claim: c\nlayout: [driver, tools]\nenv: {OWN: scenario, AXIS: scenario, FROM: scenario}\n"
      "matrix:\n  a: {set: env.AXIS, to: [one, two]}\n  b: {set: env.FROM, to: [axis]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(2)));
  EXPECT_THAT(Environment(cases->front()),
              ElementsAre(Pair("AXIS", "one"), Pair("BELOW", "driver"), Pair("FROM", "axis"),
                          Pair("OWN", "scenario")));
  EXPECT_EQ(Environment(cases->back())["AXIS"], "two");
}

TEST_F(ScenarioTest, LetsALaterLayoutBeatAnEarlierOne) {
  EXPECT_EQ(Environment(One("claim: c\nlayout: [driver, tools]\n"))["FROM"], "tools");
  EXPECT_EQ(Environment(One("claim: c\nlayout: [tools, driver]\n"))["FROM"], "driver");
}

TEST_F(ScenarioTest, KeepsEmptyAndUnsetVariablesApart) {
  const Case c = One("claim: c\nlayout: [driver]\nenv: {EMPTY: \"\", BELOW: {unset: true}}\n");
  ASSERT_THAT(c.env, SizeIs(3));
  EXPECT_THAT(c.env[0], AllOf(Field(&EnvVar::name, "BELOW"), Field(&EnvVar::value, std::nullopt)));
  EXPECT_THAT(c.env[1],
              AllOf(Field(&EnvVar::name, "EMPTY"), Field(&EnvVar::value, Optional(std::string()))));
}

TEST_F(ScenarioTest, KeepsPlainScalarsAsText) {
  const Case c = One("claim: c\nlayout: [tools]\nenv: {A: 999, B: on, C: 12.10, D: 0711}\n");
  EXPECT_THAT(Environment(c), ElementsAre(Pair("A", "999"), Pair("B", "on"), Pair("C", "12.10"),
                                          Pair("D", "0711"), Pair("FROM", "tools")));
}

// ---- Runs

TEST_F(ScenarioTest, RunsEachScannerThatALayoutProvidesFor) {
  EXPECT_THAT(One(kPlain).runs, ElementsAre(Field(&RunSpec::name, "dlopen")));
  EXPECT_THAT(One("claim: c\nlayout: [tools, driver]\n").runs,
              ElementsAre(Field(&RunSpec::name, "dlopen"), Field(&RunSpec::name, "lister")));
}

TEST_F(ScenarioTest, RunsMissingScannersTooAndSaysWhyTheyAreMissing) {
  const Case c = One(kPlain);
  ASSERT_THAT(c.runs, SizeIs(1));
  EXPECT_EQ(c.runs[0].scanner.program, "");
  EXPECT_EQ(c.runs[0].scanner.missing, "the program dlopen is not built");
  files_.Write("programs/dlopen", "", 0755);
  EXPECT_EQ(One(kPlain).runs[0].scanner.program, files_.Path("programs/dlopen"));
  EXPECT_EQ(One(kPlain).runs[0].scanner.missing, "");
}

TEST_F(ScenarioTest, ReadsRunsInFull) {
  const Case c =
      One("claim: c\nlayout: [driver]\nruns:\n"
          "  - {scanner: dlopen}\n"
          "  - {name: by-hand, scanner: lister, args: [-v, \"\"], env: {A: 1}, user: root, change: "
          "[{remove: /opt}]}\n");
  ASSERT_THAT(c.runs, SizeIs(2));
  EXPECT_EQ(c.runs[0].name, "dlopen");
  const RunSpec& run = c.runs[1];
  EXPECT_EQ(run.name, "by-hand");
  EXPECT_EQ(run.scanner.name, "lister");
  EXPECT_THAT(run.args, ElementsAre("-v", ""));
  EXPECT_THAT(run.env, ElementsAre(Field(&EnvVar::name, "A")));
  EXPECT_THAT(run.user, Optional(std::string("root")));
  EXPECT_THAT(run.change,
              ElementsAre(ResultOf([](const TreeOp& op) { return ToString(op); }, "remove /opt")));
}

TEST_F(ScenarioTest, TakesAScannerOfTheUserInsteadOfOneOfThatName) {
  files_.Write(
      "fakes/dlopen.yaml",
      "scanner: dlopen\nabout: mine\nprogram: {path: /bin/sh}\nargv: [sh]\nfits: driver\n");
  files_.catalog().scanner_files = {files_.Path("fakes/dlopen.yaml")};
  EXPECT_EQ(One(kPlain).runs[0].scanner.about, "mine");
}

// ---- Expectations

TEST_F(ScenarioTest, GivesACaseOnlyWhatAppliesToIt) {
  const auto cases = files_.Load(
      "claim: c\nlayout: [driver]\nmatrix: {n: {set: env.N, to: [1, 2, 3]}}\n"
      "expect:\n  - {devices: 1}\n  - {when: {n: 2}, devices: 2}\n  - {when: {n: [2, 3]}, run: "
      "dlopen, devices: 3}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(3)));
  EXPECT_THAT((*cases)[0].expect, SizeIs(1));
  EXPECT_THAT((*cases)[1].expect, SizeIs(3));
  EXPECT_THAT((*cases)[2].expect, SizeIs(2));
  EXPECT_THAT((*cases)[2].expect[1].run, Optional(std::string("dlopen")));
}

TEST_F(ScenarioTest, MarksAKnownFailureInTheCellsItNames) {
  const auto cases = files_.Load(
      "claim: c\nlayout: [driver]\nmatrix: {n: {set: env.N, to: [1, 2]}}\n"
      "xfail: {reason: \"x/y#1\", when: {n: 2}}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(2)));
  EXPECT_EQ((*cases)[0].xfail, std::nullopt);
  EXPECT_THAT((*cases)[1].xfail, Optional(Field(&ExpectedFailure::reason, "x/y#1")));
}

// ---- Finding scenarios

TEST_F(ScenarioTest, DiscoversFilesAndFoldersSortedEachOnce) {
  mkdir(files_.Path("scenarios/sub").c_str(), 0755);
  for (const char* name :
       {"scenarios/b.yaml", "scenarios/a.yaml", "scenarios/sub/c.yaml", "scenarios/notes.md"})
    files_.Write(name, "");
  EXPECT_THAT(DiscoverScenarios({files_.Path("scenarios/b.yaml"), files_.Path("scenarios")}),
              IsOkAnd(ElementsAre(files_.Path("scenarios/a.yaml"), files_.Path("scenarios/b.yaml"),
                                  files_.Path("scenarios/sub/c.yaml"))));
}

TEST_F(ScenarioTest, SaysWhichScenarioIsNotThere) {
  EXPECT_THAT(DiscoverScenarios({"/nowhere/x.yaml"}),
              FailsWith("there is no scenario /nowhere/x.yaml"));
}

}  // namespace
}  // namespace gpustage
