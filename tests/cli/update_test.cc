// What was seen goes into the file, and nothing else of the file is another.
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/pty.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class UpdateTest : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    environment_["CI"] = "";
  }
  // One run a value of the axis: "GPU" as often as it says.
  void Matrix(const std::string& expect) const {
    Write(
        "s.yaml",
        "claim: the actor acts  # really\nmachine: {devices: []}\nlayout: []\nruns: [{name: r, "
        "scanner: actor}]\nmatrix:\n  gpus:\n    set: runs.r.args\n    to:\n"
        "      - {as: none, value: [out, \"no\\n\"]}\n      - {as: one, value: [out, \"GPU\\n\"]}\n"
        "      - {as: two, value: [out, \"GPU\\nGPU\\n\"]}\n" +
            expect);
  }
  Ran Update(std::vector<std::string> options) const {
    options.insert(options.begin(), {"update", Path("s.yaml"), "--scanner", Path("actor.yaml")});
    return Run(options);
  }
  Ran RunIt() const { return Run({"run", Path("s.yaml"), "--scanner", Path("actor.yaml")}); }
  std::string Text() const { return *ReadFile(Path("s.yaml")); }
};

TEST_F(UpdateTest, ChangesTheValueAndNoOtherByte) {
  Scenario("out, \"GPU\\n\"", "devices: 2,  # two?\n     outcome: {exited: 3}");
  const std::string before = Text();
  const Ran listed = Update({"--list"});
  EXPECT_EQ(listed.status, 1) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("devices: 2\n  seen  1 device"));
  EXPECT_EQ(Text(), before);
  const Ran ran = Update({"--accept", "s"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1 of 1 bad runs hold now\n2 accepted, 0 rejected"));
  std::string wanted = before;
  wanted.replace(wanted.find("devices: 2"), 10, "devices: 1");
  wanted.replace(wanted.find("exited: 3"), 9, "exited: 0");
  EXPECT_EQ(Text(), wanted);
  EXPECT_EQ(RunIt().status, 0);
  EXPECT_THAT(Update({"--accept", "all"}).out, HasSubstr("what is expected is what was seen"));
}

TEST_F(UpdateTest, DividesAnExpectationByTheAxisThatTells) {
  Matrix("expect:\n  - devices: 1  # but\n");
  const Ran ran = Update({"--accept", "all"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(Text(), HasSubstr("expect:\n  - devices: 1  # but\n    when: {gpus: one}\n"));
  EXPECT_THAT(Text(), HasSubstr("  - {when: {gpus: none}, devices: 0}\n"));
  EXPECT_THAT(Text(), HasSubstr("  - {when: {gpus: two}, devices: 2}\n"));
  EXPECT_THAT(Text(), HasSubstr("the actor acts  # really\n"));
  EXPECT_EQ(RunIt().status, 0) << Text();
}

// The other claims of the expectation go on to hold of all cells.
TEST_F(UpdateTest, AClaimAmongOthersLeavesThemAlone) {
  Matrix("expect:\n  - devices: 1\n    outcome: {exited: 0}\n");
  EXPECT_EQ(Update({"--accept", "all"}).status, 0);
  EXPECT_THAT(Text(), HasSubstr("expect:\n  - outcome: {exited: 0}\n"));
  EXPECT_THAT(Text(), HasSubstr("  - {when: {gpus: one}, devices: 1}\n"));
  EXPECT_EQ(RunIt().status, 0) << Text();
}

TEST_F(UpdateTest, WritesWhatIsExpectedOfARunThatHasNothing) {
  Matrix("");
  EXPECT_EQ(Update({"--accept", "all"}).status, 0);
  EXPECT_THAT(Text(), HasSubstr("{when: {gpus: two}, devices: 2}"));
  EXPECT_EQ(RunIt().status, 0) << Text();
}

TEST_F(UpdateTest, CountsWhatIsCounted) {
  Scenario("out, \"GPU\\n\"", "devices: 1, process: [{role: actor, count: 3}, {role: nobody}]");
  EXPECT_EQ(Update({"--accept", "all"}).status, 0);
  EXPECT_THAT(Text(), HasSubstr("process: [{role: actor, count: 1}, {role: nobody, count: 0}]"));
  EXPECT_EQ(RunIt().status, 0) << Text();
}

TEST_F(UpdateTest, WhatOnlySomebodyCanSayStays) {
  Scenario("out, \"GPU\\n\"", "devices: 1, log: {has: [nothing of the kind]}");
  const std::string before = Text();
  const Ran ran = Update({"--accept", "all"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("by hand: "));
  EXPECT_THAT(ran.out, HasSubstr("0 accepted, 0 rejected, 0 skipped, 1 by hand"));
  EXPECT_EQ(Text(), before);
}

// A fix that gives what was there before is no fix.
TEST_F(UpdateTest, AChangeThatTheFileCannotHaveIsTakenBack) {
  Write("s.yaml",
        "claim: a fix mends it\nmachine: {devices: []}\nlayout: []\nruns: [{name: r, scanner: "
        "actor, args: [out, \"GPU\\n\"]}]\nexpect: [{run: r, devices: 0}]\n"
        "fix: {env: {A: b}, expect: [{run: r, devices: 1}]}\n");
  const std::string before = Text();
  const Ran ran = Update({"--accept", "all"});
  EXPECT_EQ(ran.status, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("with this change the file is wrong, so it stays as it was"));
  EXPECT_EQ(Text(), before);
}

TEST_F(UpdateTest, AKnownBugIsLeftAlone) {
  Scenario("out, \"GPU\\n\"", "devices: 2");
  Write("s.yaml", Text() + "xfail: {reason: org/project#1}\n");
  EXPECT_THAT(Update({"--list"}).out, HasSubstr("what is expected is what was seen"));
}

TEST_F(UpdateTest, IsRefusedWhereCiIsSet) {
  Scenario("out, \"GPU\\n\"", "devices: 2");
  const std::string before = Text();
  environment_["CI"] = "true";
  const Ran ran = Update({"--accept", "all"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("CI is set"));
  EXPECT_EQ(Text(), before);
  const Ran listed = Update({"--json"});
  EXPECT_EQ(listed.status, 1);
  const json proposals = json::parse(listed.out)["proposals"];
  ASSERT_EQ(proposals.size(), 1u);
  EXPECT_EQ(proposals[0]["expected"], "devices: 2");
  EXPECT_EQ(proposals[0]["line"], 6);
  EXPECT_THAT(proposals[0]["diff"].get<std::string>(), HasSubstr("+   - {devices: 1}\n"));
}

TEST_F(UpdateTest, AnUnknownCaseIsToldTheNearest) {
  Matrix("expect: [{devices: 1}]\n");
  const Ran ran = Update({"--accept", "s@gpus=tow"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("did you mean \"s@gpus=two\"?"));
}

TEST_F(UpdateTest, AsksOnATerminal) {
  Scenario("out, \"GPU\\n\"", "devices: 2, silent: true, outcome: {exited: 3}");
  std::map<std::string, std::string> environment = environment_;
  Pty pty({GPUSTAGE_PROGRAM, "update", Path("s.yaml"), "--scanner", Path("actor.yaml")},
          environment, {24, 100, 0, 0});
  ASSERT_TRUE(pty.Shows("[1 of 3] a: accept"));
  pty.Type("x");  // no key of it
  pty.Type("r");
  ASSERT_TRUE(pty.Shows("[2 of 3]"));
  pty.Type("s");
  ASSERT_TRUE(pty.Shows("[3 of 3]"));
  pty.Type("a");
  ASSERT_TRUE(pty.Shows("1 accepted, 1 rejected, 1 skipped, 0 by hand"));
  EXPECT_THAT(Text(), HasSubstr("{devices: 1, silent: true, outcome: {exited: 3}}"));
}

}  // namespace
}  // namespace gpustage
