// A signal, or what we did not think of, in the middle of a run: what was done is told.
#include <fmt/format.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class InterruptTest : public StagedCliTest {
 protected:
  // Two cases: the first ends, the second hangs.
  void SetUp() override {
    StagedCliTest::SetUp();
    signal(SIGINT, SIG_DFL);  // a shell starts what it puts behind itself with it ignored
    mark_ = UniqueWord();
    Write("m.yaml",
          "claim: the second hangs\nmachine: {devices: []}\nlayout: []\nmatrix:\n  does:\n    set: "
          "runs.r.args\n    to: [{as: ends, value: [out, \"GPU\\n\"]}, {as: hangs, value: [hang, " +
              mark_ + "]}]\nruns: [{name: r, scanner: actor}]\nexpect: [{devices: 1}]\n");
    ASSERT_EQ(mkdir(Path("first").c_str(), 0700), 0);
  }

  pid_t StartRun() const {
    std::vector<std::string> words = {
        GPUSTAGE_PROGRAM, "run", Path("m.yaml"), "--scanner", Path("actor.yaml"), "--jobs", "1"};
    for (const char* kind : {"json", "junit", "markdown", "text", "github"})
      words.insert(words.end(), {"--report", std::string(kind) + "=" + Path(kind)});
    return Start(words, environment_, Path("first"));
  }
  bool Hangs() const {
    return Eventually([&] { return ProcessesWith(mark_).size() == 1; });
  }

  std::string mark_;
};

TEST_F(InterruptTest, ASignalEndsTheRunAndTheReportsAreWritten) {
  for (const auto& [signal, name] :
       {std::pair{SIGINT, "SIGINT"}, std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGHUP, "SIGHUP"}}) {
    const pid_t gpustage = StartRun();
    ASSERT_TRUE(Hangs()) << WholeFile(Path("first/err"));
    kill(gpustage, signal);
    const Ran ran = Finish(gpustage, Path("first"));
    EXPECT_EQ(ran.status, 128 + signal);
    EXPECT_EQ(ran.err,
              std::string("gpustage: interrupted by ") + name + ": 1 of 2 cases were done\n");
    EXPECT_THAT(ran.out, HasSubstr("1 passed, 0 failed in "));
    const json report = json::parse(WholeFile(Path("json")));
    EXPECT_EQ(report["interrupted"], name);
    EXPECT_EQ(report["exit_status"], 128 + signal);
    ASSERT_EQ(report["cases"].size(), 1u);
    EXPECT_EQ(report["cases"][0]["id"], "m@does=ends");
    EXPECT_THAT(WholeFile(Path("junit")),
                HasSubstr(std::string("<property name=\"interrupted\" value=\"") + name + "\"/>"));
    EXPECT_THAT(WholeFile(Path("markdown")), HasSubstr("## ❌ gpustage: interrupted\n"));
    for (const char* kind : {"markdown", "text", "github"})
      EXPECT_THAT(WholeFile(Path(kind)), HasSubstr(std::string("interrupted by ") + name)) << kind;
    EXPECT_TRUE(Eventually([&] { return ProcessesWith(mark_).empty(); }));
    EXPECT_EQ(rmdir(Path("tmp").c_str()), 0) << "something stayed in TMPDIR";
    ASSERT_EQ(mkdir(Path("tmp").c_str(), 0700), 0);
  }
}

// nohup: whoever wants a signal ignored has said so.
TEST_F(InterruptTest, ASignalThatWasIgnoredStaysSo) {
  signal(SIGHUP, SIG_IGN);
  const pid_t gpustage = StartRun();
  signal(SIGHUP, SIG_DFL);
  ASSERT_TRUE(Hangs());
  kill(gpustage, SIGHUP);
  kill(gpustage, SIGTERM);
  EXPECT_EQ(Finish(gpustage, Path("first")).status, 128 + SIGTERM);
}

// A scanner in the box cannot end us: its init takes no signal for us.
TEST_F(InterruptTest, AScannerCannotInterruptTheRun) {
  Write(
      "m.yaml",
      "claim: it signals its init\nmachine: {devices: []}\nlayout: []\nruns: [{name: r, scanner: "
      "sh, args: ['kill -TERM 1; kill -INT 1; kill -HUP 1; echo GPU']}]\nexpect: [{devices: 1}]\n");
  Write("sh.yaml",
        "scanner: sh\nabout: a shell\nprogram: {path: /bin/sh}\nat: /bin/sh\nargv: [/bin/sh, "
        "-c]\nfits: nothing\ndevices: {read: lines, stream: any, match: '^GPU'}\n");
  const Ran ran = Run({"run", Path("m.yaml"), "--scanner", Path("sh.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

TEST_F(InterruptTest, ExecPassesASignalOn) {
  Write("s.yaml",
        "claim: any\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: dlopen, args: "
        "[/x.so]}]\nexpect: [{devices: 0}]\n");
  const std::string scenario = Path("s.yaml");
  const pid_t gpustage =
      Start({GPUSTAGE_PROGRAM, "exec", scenario, "--", "/bin/sh", "-c",
             "trap 'echo told; exit 9' TERM; echo ready; while :; do read x || sleep 0.05; done"},
            environment_, Path("first"));
  ASSERT_TRUE(Eventually([&] { return WholeFile(Path("first/out")) == "ready\n"; }))
      << WholeFile(Path("first/err"));
  kill(gpustage, SIGTERM);
  const Ran ran = Finish(gpustage, Path("first"));
  EXPECT_EQ(ran.status, 9);
  EXPECT_EQ(ran.out, "ready\ntold\n");
}

TEST_F(InterruptTest, MergeSaysThatAPartWasInterrupted) {
  const pid_t gpustage = StartRun();
  ASSERT_TRUE(Hangs());
  kill(gpustage, SIGTERM);
  Finish(gpustage, Path("first"));
  const Ran merged = Run({"merge", Path("json")});
  EXPECT_EQ(merged.status, 1);
  EXPECT_EQ(merged.err,
            "gpustage: " + Path("json") + " was interrupted by SIGTERM: 1 of 2 cases were done\n");
}

// As they run out where it was seen: what fails first differs with the machine.
// tests/run/memory_test has each allocation of a box fail.
TEST_F(InterruptTest, AddressesThatRunOutEndNoRunByAbort) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer takes terabytes of addresses";
#endif
  for (const int megabytes : {42, 44, 46, 48, 50, 52, 94, 100, 104, 108, 110}) {
    const Ran ran =
        Finish(Start({"prlimit", fmt::format("--as={}", megabytes << 20), GPUSTAGE_PROGRAM, "run",
                      InSources("/scenarios/first-steps/healthy.yaml"), "--scanner", "ollama-model",
                      "--jobs", "2"},
                     environment_, Path("first")),
               Path("first"));
    EXPECT_THAT(ran.status, testing::AllOf(testing::Ge(0), testing::Le(3)))
        << megabytes << ran.out << ran.err;
    EXPECT_THAT(ran.err, testing::Not(HasSubstr("terminate called"))) << megabytes;
    EXPECT_EQ(rmdir(Path("tmp").c_str()), 0) << megabytes << ": something stayed in TMPDIR";
    mkdir(Path("tmp").c_str(), 0700);
  }
}

// A path and a version are bytes; JSON is UTF-8. All had run, and nothing was written.
TEST_F(InterruptTest, WhatIsNotUtf8CostsNoReport) {
  const std::string odd = Path("old-\xff.json");
  ASSERT_EQ(RunActor("out, \"GPU\\n\"", "devices: 1", {"--report", "json=" + odd}).status, 0);
  const Ran ran = RunActor("out, \"GPU\\n\"", "devices: 1",
                           {"--baseline", odd, "--report", "json=" + Path("new.json")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(json::parse(WholeFile(Path("new.json")))["baseline"]["file"].get<std::string>(),
              HasSubstr("old-\xef\xbf\xbd.json"));
}

}  // namespace
}  // namespace gpustage
