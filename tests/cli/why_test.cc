// gpustage why, and what other commands say of it.
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/pty.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A program that counts one device when A_MODE is not set, among variables that do not matter.
class WhyCommandTest : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    environment_["GPUSTAGE_CACHE"] = Path("cache");
    std::string others;
    for (int i = 0; i < 300; ++i) others += ", OTHER_" + std::to_string(i) + ": a";
    Write("mode.yaml",
          "claim: a mode hides it\nmachine: {devices: [h100-80gb]}\nlayout: []\n"
          "env: {A_MODE: slow" +
              others +
              "}\nruns:\n  - scanner: script\n"
              "    args: ['[ -n \"$A_MODE\" ] || echo \"GPU 0: all\"; echo \"a line\"; exit 0']\n"
              "expect: [{devices: 1}]\n");
    Write("lacking.yaml",
          "claim: it lacks a library\nmachine: {devices: [h100-80gb]}\n"
          "layout: [nvidia-driver-debian, ollama-cuda-12]\n"
          "tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublasLt.so.12}]\n"
          "runs: [{scanner: ollama-model}]\nexpect: [{devices: 1}]\n");
  }
};

// The best answer so far is on the screen, and is what is left of it.
TEST_F(WhyCommandTest, CtrlCEndsItWithTheBestAnswerSoFar) {
  Pty pty({GPUSTAGE_PROGRAM, "why", Path("mode.yaml"), "--jobs", "1", "--budget", "1000"},
          environment_, {40, 120, 0, 0});
  ASSERT_TRUE(pty.Shows(" starts, unset A_MODE")) << pty.seen();
  pty.Type("\x03");
  EXPECT_EQ(pty.Wait(), 130);
  EXPECT_THAT(pty.seen(), HasSubstr("(proven: 3 of 3 starts with it, 3 of 3 without it):\r\n"
                                    "  1. unset A_MODE\r\n"));
  EXPECT_THAT(pty.seen(), HasSubstr("; interrupted.\r\n"));
  // Each of three hundred variables would have been unset, in this machine and in the mended one.
  const size_t proofs = pty.seen().find(" for proofs");
  ASSERT_NE(proofs, std::string::npos) << pty.seen();
  const std::string last = pty.seen().substr(pty.seen().rfind('\n', proofs) + 1);
  EXPECT_LT(std::strtol(last.c_str(), nullptr, 10), 300) << last;
}

TEST_F(WhyCommandTest, ClaimsMayBeWanted) {
  const Ran ran = Run({"why", Path("mode.yaml"), "--want", "{log: {has: [a line]}}"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("wanted: log: {has: \"a line\"}\nIt is so.\n"));
  const Ran lost = Run({"why", Path("mode.yaml"), "--want", "{log: {hsa: [a line]}}"});
  EXPECT_EQ(lost.status, 2);
  EXPECT_THAT(lost.err, HasSubstr("did you mean \"has\"?"));
  const Ran many = Run({"why", Path("mode.yaml"), "--want", "1001"});
  EXPECT_EQ(many.status, 2);
  EXPECT_THAT(many.err, HasSubstr("--want 1001: 0 to 1000 devices"));
}

TEST_F(WhyCommandTest, AnErrorInAnAnnouncedChangeHasItsLineAndACaret) {
  const Ran ran = Run({"why", Path("mode.yaml"), "--change", "{env: {A: a}, driver: '570.1'}"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--change:1:15: unknown key \"driver\"; say machine: {driver: …}\n"
                                 "    1 | {env: {A: a}, driver: '570.1'}\n"
                                 "      |               ^~~~~~\n"));
}

// A claim that is not met is a failure like any other.
TEST_F(WhyCommandTest, AFailingRunWithoutALossLeadsToItToo) {
  Write("line.yaml",
        "claim: a line is there\nmachine: {devices: [h100-80gb]}\nlayout: []\nenv: {QUIET: a}\n"
        "runs:\n  - scanner: script\n"
        "    args: ['echo \"GPU 0: all\"; [ -n \"$QUIET\" ] || echo \"a line\"; exit 0']\n"
        "expect: [{devices: 1, log: {has: [a line]}}]\n");
  const Ran ran = Run({"run", Path("line.yaml"), "--why"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("  next      " GPUSTAGE_PROGRAM " why "));
  EXPECT_THAT(InOneLine(ran.out), HasSubstr("why unset QUIET (proven: 3 of 3 starts with it"));
}

TEST_F(WhyCommandTest, SaysForProgramsWhatItSaysForPeople) {
  const Ran ran = Run({"why", Path("mode.yaml"), "--want", "1", "--json", "--budget", "60"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  const json report = json::parse(ran.out);
  EXPECT_EQ(report["answers"][0]["changes"][0]["words"], "unset A_MODE");
  EXPECT_EQ(report["answers"][0]["proven"], true);
  EXPECT_EQ(report["answers"][0]["commands"][0]["do"], "unset A_MODE");
  EXPECT_EQ(report["answers"][0]["commands"][0]["undo"], "export A_MODE=slow");
  for (const json& answer : report["answers"]) EXPECT_EQ(answer["proven"], true) << answer;
}

// As a case fails, the next command is there; --why asks it at once; trace knows it then.
TEST_F(WhyCommandTest, AFailingRunLeadsToItAndTraceMarksWhatWasProven) {
  const Ran plain = Run({"run", Path("lacking.yaml")});
  EXPECT_EQ(plain.status, 1);
  EXPECT_THAT(plain.out, HasSubstr("  next      " GPUSTAGE_PROGRAM " why "));
  EXPECT_THAT(plain.out, Not(HasSubstr("  why       ")));
  const Ran asked = Run({"run", Path("lacking.yaml"), "--why"});
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(InOneLine(asked.out),
              HasSubstr("why link /usr/local/lib/ollama/cuda_v12/libcublasLt.so.12 to "
                        "libcublasLt.so.12.8.4.1 (proven: 3 of 3 starts with it, 3 of 3"));
  const Ran trace = Run({"trace", Path("lacking.yaml")});
  EXPECT_THAT(trace.out, HasSubstr("(proven by gpustage why"));
  const Ran spent = Run({"run", Path("lacking.yaml"), "--why", "--why-budget", "1"});
  EXPECT_THAT(InOneLine(spent.out),
              HasSubstr("why nothing that was tried in 1 starts brings it back"));
}

TEST_F(WhyCommandTest, TwoRunsOfACaseAreHeldAgainstOneAnother) {
  Write("two.yaml",
        "claim: two\nmachine: {devices: [h100-80gb]}\nlayout: []\nruns:\n"
        "  - {name: first, scanner: script, args: ['echo \"GPU 0: all\"']}\n"
        "  - {name: second, scanner: script, args: ['echo nothing']}\n"
        "expect: [{run: first, devices: 1}, {run: second, devices: 0}]\n");
  const Ran same = Run({"diff", Path("two.yaml"), Path("two.yaml")});
  EXPECT_EQ(same.status, 0) << same.out << same.err;
  const Ran apart =
      Run({"diff", Path("two.yaml"), Path("two.yaml"), "--run", "first", "--run", "second"});
  EXPECT_EQ(apart.status, 1) << apart.err;
  EXPECT_THAT(apart.out, StartsWith("- two [first]\n+ two [second]\n"));
  EXPECT_THAT(apart.out, HasSubstr("log\n  - GPU 0: all\n  + nothing\n"));
}

}  // namespace
}  // namespace gpustage
