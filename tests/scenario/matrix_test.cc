#include "harness/scenario/matrix/matrix.h"

#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

class MatrixTest : public testing::Test {
 protected:
  std::vector<std::string> Ids(std::string_view matrix) {
    const auto cases = Load(matrix);
    if (!cases) return {WholeMessage(cases.error())};
    std::vector<std::string> ids;
    for (const Case& c : *cases) ids.push_back(c.id);
    return ids;
  }
  Result<std::vector<Case>> Load(std::string_view matrix) {
    return files_.Load(
        "claim: c\nlayout: [driver]\nmachine: {devices: [h100, {profile: h100}]}\nmatrix:\n" +
        std::string(matrix));
  }

  ScenarioFiles files_;
};

TEST_F(MatrixTest, SortsTheAxesInAnIdAndRunsTheLastFastest) {
  EXPECT_THAT(
      Ids("  link: {set: env.L, to: [a, b]}\n  cuda: {set: machine.cuda, to: [12.8, 13.0]}\n"),
      ElementsAre("s@cuda=12.8,link=a", "s@cuda=13.0,link=a", "s@cuda=12.8,link=b",
                  "s@cuda=13.0,link=b"));
}

TEST_F(MatrixTest, LeavesTheDefaultOutOfAnId) {
  EXPECT_THAT(Ids("  a: {set: env.A, to: [x, y], default: x}\n  b: {set: env.B, to: [p, q]}\n"),
              ElementsAre("s@b=p", "s@b=q", "s@a=y,b=p", "s@a=y,b=q"));
  EXPECT_THAT(Ids("  a: {set: env.A, to: [x, y], default: x}\n"), ElementsAre("s", "s@a=y"));
}

TEST_F(MatrixTest, ExcludesWhatMatchesAllAxesOfAnEntry) {
  EXPECT_THAT(Ids("  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q, r]}\n"
                  "  exclude: [{a: x, b: [p, q]}, {b: r}]\n"),
              ElementsAre("s@a=y,b=p", "s@a=y,b=q"));
}

TEST_F(MatrixTest, ConstraintTakesAwayWhatCannotBeTogether) {
  const std::string axes =
      "  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q, r]}\n  constraints:\n";
  EXPECT_THAT(Ids(axes + "    - {if: {a: x}, not: {b: [p, q]}}\n"),
              ElementsAre("s@a=x,b=r", "s@a=y,b=p", "s@a=y,b=q", "s@a=y,b=r"));
  EXPECT_THAT(Ids(axes + "    - {if: {a: x}, then: {b: p}}\n"),
              ElementsAre("s@a=x,b=p", "s@a=y,b=p", "s@a=y,b=q", "s@a=y,b=r"));
  const std::string third = "  c: {set: env.C, to: [k, l]}\n";
  EXPECT_THAT(Ids(third + axes +
                  "    - {if: {a: x}, then: {b: p, c: k}}\n    - {if: {a: y}, not: {b: [q, r]}}\n"),
              ElementsAre("s@a=x,b=p,c=k", "s@a=y,b=p,c=k", "s@a=y,b=p,c=l"))
      << "then wants both, not the one or the other";
}

TEST_F(MatrixTest, IncludeBringsBackWhatIsExcluded) {
  EXPECT_THAT(Ids("  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q], default: p}\n"
                  "  exclude: [{a: x}]\n  include: [{a: x}]\n"),
              ElementsAre("s@a=y", "s@a=y,b=q", "s@a=x"));
}

TEST_F(MatrixTest, ACellHasOneBrokenValueAtMost) {
  EXPECT_THAT(
      Ids("  a: {set: env.A, to: [whole, gone], broken: [gone]}\n  b: {set: env.B, to: [whole, "
          "cut, empty], broken: [cut, empty]}\n"),
      ElementsAre("s@a=whole,b=whole", "s@a=whole,b=cut", "s@a=whole,b=empty", "s@a=gone,b=whole"));
}

TEST_F(MatrixTest, PairwiseTakesFewCellsAndIncludedOnesFirst) {
  const std::vector<std::string> ids =
      Ids("  a: {set: env.A, to: [x, y, z]}\n  b: {set: env.B, to: [x, y, z]}\n  c: {set: env.C, "
          "to: [x, y, z]}\n"
          "  d: {set: env.D, to: [x, y, z]}\n  cover: pairwise\n  include: [{a: z, b: z, c: z, d: "
          "z}]\n");
  EXPECT_EQ(ids.front(), "s@a=z,b=z,c=z,d=z");
  EXPECT_GE(ids.size(), 9u) << "two axes of three values have nine pairs";
  EXPECT_LE(ids.size(), 14u) << "of 81";
}

// What an axis can set, each with the place in the case where it is seen.
TEST_F(MatrixTest, VariesAnythingInAScenario) {
  files_.Write("scanners/other.yaml",
               "scanner: other\nabout: o\nprogram: {build: other}\nargv: [other]\nfits: driver\n");
  const auto cases = files_.Load(
      "claim: c\nlayout: [driver]\nmachine: {devices: [h100]}\ntree: [{symlink: /l, to: near}]\n"
      "runs: [{name: r, scanner: dlopen}]\nmatrix:\n"
      "  layout: {set: layout, to: [{as: tools, value: [tools]}]}\n"
      "  link: {set: tree.0.to, to: [/far]}\n"
      "  variable: {set: env.V, to: [set]}\n"
      "  driver: {set: machine.driver, to: [535.1.2]}\n"
      "  devices: {set: machine.devices, to: [{as: two, value: [h100, h100]}]}\n"
      "  user: {set: user, to: [root]}\n"
      "  directory: {set: working_directory, to: [{as: opt, value: /opt}]}\n"
      "  scanner: {set: runs.r.scanner, to: [other]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(1)));
  const Case& c = cases->front();
  EXPECT_EQ(ToString(c.tree.front()), "dir /opt/tools");
  EXPECT_EQ(ToString(c.tree.back()), "symlink /l -> /far");
  EXPECT_EQ(c.env.back().value, "set");
  EXPECT_EQ(c.machine.driver, "535.1.2");
  EXPECT_THAT(c.machine.devices, SizeIs(2));
  EXPECT_EQ(c.user, "root");
  EXPECT_EQ(c.working_directory, "/opt");
  EXPECT_EQ(c.runs.front().scanner.name, "other");
}

TEST_F(MatrixTest, LabelsWhatIsNoPlainWord) {
  const auto cases = Load(
      "  v:\n    set: env.V\n    to:\n      - plain\n      - {as: none, value: {unset: true}}\n"
      "      - {as: empty, value: \"\"}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(3)));
  EXPECT_EQ((*cases)[1].id, "s@v=none");
  EXPECT_EQ((*cases)[1].env.back().value, std::nullopt);
  EXPECT_EQ((*cases)[2].env.back().value, "");
  EXPECT_THAT((*cases)[2].axes, ElementsAre(Pair("v", "empty")));
}

TEST_F(MatrixTest, SetsSeveralThingsOfACaseAtOnce) {
  const auto cases = Load(
      "  v: {set: case, to: [{as: none, value: {}}, {as: all, value: {env: {A: b}, user: root, "
      "machine: {cuda: 11.8}, "
      "tree: [{remove: /opt}]}}]}\nenv: {OWN: kept}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(2)));
  const Case& before = (*cases)[0];
  const Case& after = (*cases)[1];
  EXPECT_EQ(after.user, "root");
  EXPECT_EQ(after.machine.cuda_version, 11080);
  EXPECT_THAT(after.machine.devices, SizeIs(2)) << "what it does not name stays";
  EXPECT_THAT(after.env, SizeIs(before.env.size() + 1));
  EXPECT_THAT(after.tree, SizeIs(before.tree.size() + 1));
}

TEST_F(MatrixTest, AppendsOperationsToATree) {
  const auto cases = files_.Load(
      "claim: c\nlayout: [driver]\ntree: [{dir: /a}]\nmatrix:\n  t:\n    set: tree\n    to:\n"
      "      - {as: one, value: {dir: /b}}\n      - {as: two, value: [{dir: /b}, {dir: /c}]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(2)));
  EXPECT_THAT((*cases)[0].tree, SizeIs(3));
  EXPECT_THAT((*cases)[1].tree, SizeIs(4));
  EXPECT_EQ(ToString((*cases)[1].tree[1]), "dir /a");
  EXPECT_EQ(ToString((*cases)[1].tree[3]), "dir /c");
}

TEST_F(MatrixTest, MakesATreeWhereThereIsNone) {
  const auto cases = Load("  t: {set: tree, to: [{as: one, value: {dir: /b}}]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(ToString(cases->front().tree.back()), "dir /b");
}

TEST_F(MatrixTest, ReplacesAnythingElse) {
  const auto cases = Load(
      "  l: {set: layout, to: [{as: both, value: [driver, tools]}, {as: one, value: [tools]}]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(2)));
  EXPECT_THAT((*cases)[0].tree, SizeIs(2));
  EXPECT_THAT((*cases)[1].tree, SizeIs(1));
}

TEST_F(MatrixTest, SetsOneItemOfAListByNumber) {
  const auto cases = Load("  m: {set: machine.devices.1.memory_total, to: [1024]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(cases->front().machine.devices[0].memory_total, uint64_t{80} << 30);
  EXPECT_EQ(cases->front().machine.devices[1].memory_total, 1024u);
}

TEST_F(MatrixTest, SetsOneRunByNameOrAllByTheirKey) {
  const std::string runs =
      "claim: c\nlayout: [driver]\nruns: [{scanner: dlopen}, {name: x, scanner: "
      "lister}]\nmatrix:\n";
  const auto one = files_.Load(runs + "  u: {set: runs.x.user, to: [root]}\n");
  ASSERT_THAT(one, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(one->front().runs[0].user, std::nullopt);
  EXPECT_EQ(one->front().runs[1].user, "root");
  const auto all = files_.Load(runs + "  u: {set: runs.user, to: [root]}\n");
  ASSERT_THAT(all, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(all->front().runs[0].user, "root");
  EXPECT_EQ(all->front().runs[1].user, "root");
}

TEST_F(MatrixTest, TakesTheRestOfAnEnvPathAsOneName) {
  const auto cases = Load("  e: {set: env.A.B, to: [x]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(cases->front().env.front().name, "A.B");
}

TEST_F(MatrixTest, PointsAtTheValueThatIsWrong) {
  EXPECT_THAT(
      Load("  c: {set: machine.cuda, to: [12.8, new]}\n"),
      FailsWith("scenarios/s.yaml:5:37: expected a CUDA version such as 12.8, got \"new\""));
  EXPECT_THAT(Load("  d:\n    set: machine.devices\n    to: [{as: a, value: [h100]}, {as: b, "
                   "value: [h10]}]\n"),
              FailsWith("scenarios/s.yaml:7:50: unknown device \"h10\"; did you mean \"h100\"?"));
  EXPECT_THAT(Load("  t: {set: tree, to: [{as: a, value: [{dir: opt}]}]}\n"),
              FailsWith("scenarios/s.yaml:5:45: a path must be absolute, got \"opt\""));
}

TEST_F(MatrixTest, PointsAtTheWordOfAPathThatIsWrong) {
  EXPECT_THAT(Load("  c: {set: machine.cdua, to: [12.8]}\n"),
              FailsWith("scenarios/s.yaml:5:20: unknown key \"cdua\"; did you mean \"cuda\"?"));
  EXPECT_THAT(Load("  c: {set: \"machine.cdua\", to: [12.8]}\n"),
              FailsWith("scenarios/s.yaml:5:21: unknown key \"cdua\"; did you mean \"cuda\"?"));
}

}  // namespace
}  // namespace gpustage
