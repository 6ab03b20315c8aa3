// Every mistake of a file at once, and none that is there only because of another.
#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

MistakesOfFile MistakesOf(const std::string& text) {
  const ScenarioFiles files;
  files.Write("scenarios/s.yaml", text);
  Fixtures fixtures(files.catalog());
  return MistakesIn(files.Path("scenarios/s.yaml"), fixtures);
}

// "2:11: unknown key …" of each.
std::vector<std::string> Told(const std::string& text) {
  std::vector<std::string> told;
  for (const Error& error : MistakesOf(text).told)
    told.push_back(!error.pos ? error.message
                              : std::to_string(error.pos->line) + ":" +
                                    std::to_string(error.pos->column) + ": " + error.message);
  return told;
}

TEST(MistakesIn, AreNoneInAFileThatIsRight) {
  EXPECT_THAT(Told("claim: c\nlayout: [driver]\nruns: [{scanner: dlopen}]\n"
                   "expect: [{outcome: {exited: 0}}]\n"),
              IsEmpty());
}

TEST(MistakesIn, AreToldFromTopToBottom) {
  EXPECT_THAT(
      Told("claim: c\n"
           "machine: {devces: [h100], driver: \"580\"}\n"
           "layout: [driver, divers]\n"
           "tagss: [a]\n"
           "env: {A: [1]}\n"
           "tree: [{remov: /opt/x}, {symlink: /opt/y, target: z}]\n"
           "runs: [{scaner: dlopen}, {name: b, scanner: dlopn}]\n"
           "expect: [{devices: 1, outcom: {exited: 0}}, {lost: {libary: x, at: loaded}}]\n"),
      ElementsAre(
          StartsWith("2:11: unknown key \"devces\""), StartsWith("2:35: expected a driver version"),
          StartsWith("3:18: unknown layout \"divers\""), StartsWith("4:1: unknown key \"tagss\""),
          StartsWith("5:10: expected the text of a variable"),
          StartsWith("6:9: unknown operation \"remov\""),
          StartsWith("6:43: unknown key \"target\""), StartsWith("7:9: unknown key \"scaner\""),
          StartsWith("7:45: unknown scanner \"dlopn\""), StartsWith("8:23: unknown key \"outcom\""),
          StartsWith("8:53: unknown key \"libary\"")));
}

TEST(MistakesIn, EachKeyOfAMapHasItsOwnPlace) {
  EXPECT_THAT(Told("claim: c\nexpcet: [{outcome: {exited: 0}}]\nmachin: {}\nlayout: [divers]\n"),
              ElementsAre("2:1: unknown key \"expcet\"; did you mean \"expect\"?",
                          "3:1: unknown key \"machin\"; did you mean \"machine\"?",
                          StartsWith("4:10: unknown layout")));
}

// It is put in the place of what is wrong, and the rest read with it.
TEST(MistakesIn, WhatWasMeantIsTakenForGranted) {
  EXPECT_THAT(
      Told("clam: c\nlayout: [drivr]\nmatirx: {mask: {sett: env.A, to: [\"0\"]}}\n"
           "runs: [{nmae: one, scanner: dlopen}, {name: two, scanner: dlopen}]\n"
           "expect: [{when: {mask: \"0\"}, run: one, outcome: {exited: x}}, "
           "{run: two, lost: {library: a, at: lodaed}}]\n"),
      ElementsAre(
          StartsWith("1:1: unknown key \"clam\""), StartsWith("2:10: unknown layout \"drivr\""),
          StartsWith("3:1: unknown key \"matirx\""), StartsWith("3:17: unknown key \"sett\""),
          StartsWith("4:9: unknown key \"nmae\""), StartsWith("5:58: expected an exit status"),
          StartsWith("5:97: unknown step \"lodaed\"")));
}

TEST(MistakesIn, APartOfATextIsMendedAlone) {
  EXPECT_THAT(Told("claim: c\nlayout: [driver]\nruns: [{scanner: dlopn}]\n"
                   "matrix: {a: {set: mashine.driver, to: [535.183.01]}, "
                   "b: {set: machine.drivr, to: [535.183.01]}}\n"
                   "expect: [{outcome: {exited: 0}}]\n"),
              ElementsAre(StartsWith("3:18: unknown scanner"),
                          StartsWith("4:19: an axis cannot set \"mashine.driver\""),
                          StartsWith("4:71: unknown key \"drivr\"")));
}

TEST(MistakesIn, AFileWithoutAClaimIsReadOn) {
  EXPECT_THAT(Told("layout: [divers]\nruns: [{scanner: dlopen}]\n"
                   "expect: [{outcome: {exited: 0}}]\n"),
              ElementsAre("1:1: a scenario needs \"claim\"", StartsWith("1:10: unknown layout")));
}

TEST(MistakesIn, TheRestOfAnOperationIsNone) {
  EXPECT_THAT(
      Told("claim: c\nlayout: [driver]\ntree:\n  - zzzz: /usr\n    mode: \"0711\"\n"
           "  - file: /etc/foo\n    mode: \"0644\"\n"
           "runs: [{scanner: dlopen}]\nexpect: [{outcome: {exited: 0}}]\n"),
      ElementsAre(StartsWith("4:5: unknown operation \"zzzz\""), StartsWith("6:5: a file needs")));
}

TEST(MistakesIn, WhatAMistakeAloneBringsAboutIsNone) {
  // Nothing is expected without its only expectation; a run is unknown where its own is wrong.
  EXPECT_THAT(Told("claim: c\nlayout: [driver]\nruns: [{scanner: dlopen}]\n"
                   "expect: [{devises: 1}]\n"),
              ElementsAre(StartsWith("4:11: unknown key \"devises\"")));
  EXPECT_THAT(Told("claim: c\nlayout: [driver]\n"
                   "runs: [{name: first, scanner: zzzzzz}, {scanner: dlopen}]\n"
                   "expect: [{run: first, outcome: {exited: 0}}]\n"),
              ElementsAre(StartsWith("3:31: unknown scanner \"zzzzzz\"")));
  // A label goes with its value, and with it whatever names it.
  EXPECT_THAT(Told("claim: c\nlayout: [driver]\nruns: [{scanner: dlopen}]\nmatrix:\n"
                   "  driver: {set: machine.driver, to: [{as: old, value: 535x}, "
                   "{as: new, value: 580.159.04}], default: old, broken: [old]}\n"
                   "  mask: {set: env.MASK, to: [a, b, c]}\n"
                   "  exclude: [{driver: old, mask: b}]\n"
                   "  constraints: [{if: {driver: old}, not: {mask: c}}]\n"
                   "expect: [{outcome: {exited: 0}}]\n"),
              ElementsAre(StartsWith("5:55: ")));
}

TEST(MistakesIn, OfAKeyThatIsUnknownMayBeWhatAnotherLacks) {
  EXPECT_THAT(Told("claim: c\nlayout: []\nrnus: [{scanner: dlopen}]\n"
                   "expect: [{outcome: {exited: 0}}]\n"),
              ElementsAre(StartsWith("3:1: unknown key \"rnus\"")));
}

TEST(MistakesIn, AFileThatIsNoYamlHasOne) {
  EXPECT_THAT(Told("claim: c\nexpect: [\n"), ElementsAre("2:9: this bracket is never closed"));
}

TEST(MistakesIn, AreNeverMoreThanTwenty) {
  std::string text = "claim: c\nlayout: [driver]\nenv:\n";
  for (int i = 0; i < 30; ++i) text += "  V" + std::to_string(i) + ": [x]\n";
  EXPECT_EQ(MistakesOf(text).told.size(), 20U);
  EXPECT_TRUE(MistakesOf(text).more);
  text.erase(text.rfind("  V20"));
  EXPECT_EQ(MistakesOf(text).told.size(), 20U);
  EXPECT_FALSE(MistakesOf(text).more);
}

}  // namespace
}  // namespace gpustage
