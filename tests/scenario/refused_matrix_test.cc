// Which values may stand together: constraints, include, cover and broken values.
#include "tests/scenario/refused.h"

namespace gpustage {
namespace {

constexpr char kAxes[] =
    "  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q, r], default: p}\n";

// What follows the axes begins at 6:3.
Refused Said(const char* name, const std::string& text, const char* message) {
  return Top(name, "matrix:\n" + std::string(kAxes) + "  " + text + "\n", message);
}

std::string TwentyAxes() {
  std::string axes = "matrix:\n";
  for (int i = 0; i < 20; ++i) axes += "  a" + std::to_string(i) + ": {set: env.A, to: [0, 1]}\n";
  return axes;
}

std::string LongAxes() {
  std::string axes = "matrix:\n  cover: pairwise\n";
  for (const char* name : {"a", "b"}) {
    axes += std::string("  ") + name + ": {set: env.A, to: [0";
    for (int i = 1; i < 317; ++i) axes += ", " + std::to_string(i);
    axes += "]}\n";
  }
  return axes;
}

class RefusedMatrix : public RefusedScenario {};

TEST_P(RefusedMatrix, SaysWhereAndWhatWouldHaveBeenRight) {
  EXPECT_THAT(ScenarioFiles().Load(GetParam().text),
              FailsWith(std::string("scenarios/s.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Constraint, RefusedMatrix,
    testing::Values(
        Said("IsAMap", "constraints: {if: {a: x}}",
             "6:16: expected constraints, a list, got a map"),
        Said("IsText", "constraints: [a]", "6:17: expected a constraint, a map, got \"a\""),
        Said("UnknownKey", "constraints: [{if: {a: x}, than: {b: p}}]",
             "6:30: unknown key \"than\"; did you mean \"then\"?"),
        Said("NoCondition", "constraints: [{not: {b: p}}]", "6:17: a constraint needs \"if\""),
        Said("NoConsequence", "constraints: [{if: {b: p}}]",
             "6:17: a constraint needs \"then\" or \"not\""),
        Said("TwoConsequences", "constraints: [{if: {a: x}, then: {b: p}, not: {b: q}}]",
             "6:44: a constraint has \"then\" already; only one of \"then\" or \"not\" can be "
             "there"),
        Said("EmptyCondition", "constraints: [{if: {}, not: {b: p}}]",
             "6:22: a constraint needs an axis here"),
        Said("EmptyConsequence", "constraints: [{if: {a: x}, not: {}}]",
             "6:35: a constraint needs an axis here"),
        Said("UnknownAxis", "constraints: [{if: {cuda: x}, not: {b: p}}]",
             "6:23: unknown axis \"cuda\"; it can be a or b"),
        Said("UnknownValue", "constraints: [{if: {a: x}, not: {b: [p, seven]}}]",
             "6:43: unknown value \"seven\"; it can be p, q or r"),
        Said("AxisInBoth", "constraints: [{if: {a: x}, not: {a: y}}]",
             "6:36: \"a\" stands in \"if\" already"),
        Said("RulesOutNothing", "constraints: [{if: {a: x}, then: {b: [p, q, r]}}]",
             "6:17: this rules out no cell"),
        Said("RulesOutAll",
             "constraints: [{if: {a: x}, not: {b: [p, q, r]}}, {if: {a: y}, not: {b: [p, q, r]}}]",
             "6:52: this rules out the last cell")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Include, RefusedMatrix,
    testing::Values(
        Said("IsThereAlready", "include: [{a: x, b: p}]", "6:13: this cell is there already"),
        Said("Twice", "include: [{a: x}, {a: x, b: p}]\n  exclude: [{a: x, b: p}]",
             "6:21: this cell is there already"),
        Said("LacksAnAxis", "include: [{b: p}]", "6:13: a cell needs \"a\""),
        Said("HasTwoValues", "include: [{a: [x, y]}]", "6:17: one cell has one value of \"a\""),
        Said("BreaksAConstraint",
             "include: [{a: x, b: q}]\n  constraints: [{if: {a: x}, not: {b: q}}]",
             "6:13: no cell can be so: line 7 rules it out")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Cover, RefusedMatrix,
    testing::Values(
        Said("UnknownWord", "cover: pairs",
             "6:10: unknown cover \"pairs\"; did you mean \"pairwise\"?"),
        Said("SeedOfAll", "seed: 7", "6:9: a seed is for \"cover: pairwise\"; all cells need none"),
        Said("SeedIsAWord", "cover: pairwise\n  seed: x",
             "7:9: expected a seed, a whole number from 0, got \"x\""),
        Top("OneAxis", "matrix:\n  a: {set: env.A, to: [x, y]}\n  cover: pairwise\n",
            "5:10: pairs need two axes"),
        Top("TooManyCells", TwentyAxes(),
            "4:3: the matrix has more than 1000000 cells; \"cover: pairwise\" takes few of them"),
        Refused{"TooManyPairs", kPlain + LongAxes(),
                "4:3: the matrix has more than 100000 pairs of values"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Broken, RefusedMatrix,
    testing::Values(
        Top("UnknownValue", "matrix:\n  a: {set: env.A, to: [whole, gone], broken: [gnoe]}\n",
            "4:47: unknown value \"gnoe\"; did you mean \"gone\"?"),
        Top("EveryCellHasTwo",
            "matrix:\n  a: {set: env.A, to: [x], broken: x}\n  b: {set: env.B, to: [p], broken: "
            "p}\n",
            "4:3: every cell has two broken values; give the axes a value that is whole"),
        Top("IncludedCellHasTwo",
            "matrix:\n  a: {set: env.A, to: [w, x], broken: x}\n  b: {set: env.B, to: [w, x], "
            "broken: x}\n  include: [{a: x, b: x}]\n",
            "6:13: this cell has two broken values; one would mask the other")),
    NameOf);

}  // namespace
}  // namespace gpustage
