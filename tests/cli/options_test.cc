// Options that no other test gives: each changes what is printed, written or seen inside. That
// every option is given by some test is held by tests/options_test.py.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OptionsTest : public StagedCliTest {
 protected:
  // A case that loses its device, by a variable alone.
  std::string Losing() const {
    Write("lost.yaml",
          "claim: a mode hides it\nmachine: {devices: [h100-80gb]}\nlayout: []\n"
          "env: {A_MODE: slow, OTHER: x}\nruns:\n  - scanner: script\n    args: ['[ -n "
          "\"$A_MODE\" ] || echo \"GPU 0: all\"']\nexpect: [{devices: 1}]\n");
    return Path("lost.yaml");
  }
};

TEST_F(OptionsTest, TraceShowsTheEventsOfOneLibrary) {
  const std::string scenario = Scenario("open, /lib/libone.so, open, /lib/libtwo.so", "devices: 0");
  const auto traced = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"trace", scenario, "--scanner", Path("actor.yaml")});
    return Run(options).out;
  };
  EXPECT_THAT(traced({"--timeline"}),
              AllOf(HasSubstr("/lib/libone.so: "), HasSubstr("/lib/libtwo.so: ")));
  EXPECT_THAT(traced({"--library", "libone"}),
              AllOf(HasSubstr("/lib/libone.so: "), Not(HasSubstr("/lib/libtwo.so: "))));
}

TEST_F(OptionsTest, WhyHoldsAnAnnouncedChangeAgainstTheMachine) {
  const Ran right = Run({"why", Losing(), "--change", "{env: {A_MODE: \"\"}}"});
  const Ran wrong = Run({"why", Losing(), "--change", "{env: {OTHER: \"\"}}"});
  EXPECT_EQ(right.status, 0) << right.out << right.err;
  EXPECT_EQ(wrong.status, 1) << wrong.out << wrong.err;
}

TEST_F(OptionsTest, WhyPrintsAsManyAnswersAsAreAskedFor) {
  Write("two.yaml",
        "claim: either of two variables\nmachine: {devices: [h100-80gb]}\nlayout: []\n"
        "env: {ONE: x, TWO: x}\nruns:\n  - scanner: script\n    args: ['[ -n \"$ONE\" ] && [ -n "
        "\"$TWO\" ] || echo \"GPU 0: all\"']\nexpect: [{devices: 1}]\n");
  const auto answers = [&](const std::string& most) {
    const std::string page = Run({"why", Path("two.yaml"), "--answers", most}).out;
    return std::pair{page.find("unset ONE") != page.npos, page.find("unset TWO") != page.npos};
  };
  EXPECT_EQ(answers("2"), std::pair(true, true));
  EXPECT_NE(answers("1"), std::pair(true, true));
}

TEST_F(OptionsTest, MinimizeAndImportWriteTheFileThatIsNamed) {
  const Ran small = Run({"minimize", Losing(), "--output", Path("small.yaml")});
  EXPECT_EQ(small.status, 0) << small.err;
  EXPECT_THAT(WholeFile(Path("small.yaml")), AllOf(HasSubstr("A_MODE"), Not(HasSubstr("OTHER"))));
  Write("smi.txt", "GPU 0: NVIDIA H100 PCIe (UUID: GPU-0)\n");
  const Ran imported = Run({"import", Path("smi.txt"), "--output", Path("imported.yaml")});
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(WholeFile(Path("imported.yaml")), HasSubstr("machine:"));
}

TEST_F(OptionsTest, ExplainWritesACommentForAnIssue) {
  Write("issue.md",
        "No GPU is found\n\n```\ntime=2026-01-01T00:00:00.000Z level=INFO source=routes.go:1 "
        "msg=\"server config\"\ntime=2026-01-01T00:00:01.000Z level=INFO source=types.go:60 "
        "msg=\"inference compute\" id=cpu library=cpu\n```\n");
  const Ran comment = Run({"explain", "--issue", Path("issue.md")});
  EXPECT_EQ(comment.status, 0) << comment.err;
  EXPECT_NE(comment.out, Run({"explain", Path("issue.md")}).out);
  EXPECT_NE(Run({"explain", "--issue", Path("no-such-file")}).status, 0);
}

TEST_F(OptionsTest, LintSaysWhatItLooksFor) {
  const Ran rules = Run({"lint", "--rules"});
  EXPECT_EQ(rules.status, 0);
  EXPECT_GT(std::count(rules.out.begin(), rules.out.end(), '\n'), 20);
  EXPECT_THAT(Run({"lint", "first-steps"}).out, Not(HasSubstr(rules.out.substr(0, 200))));
}

TEST_F(OptionsTest, FmtChecksWithoutWriting) {
  const std::string odd = "machine: {devices: []}   \nclaim: x\nexpect: [{devices: 0}]\n";
  Write("odd.yaml", odd);
  EXPECT_EQ(Run({"fmt", "--check", Path("odd.yaml")}).status, 1);
  EXPECT_EQ(WholeFile(Path("odd.yaml")), odd);
  EXPECT_EQ(Run({"fmt", Path("odd.yaml")}).status, 0);
  EXPECT_NE(WholeFile(Path("odd.yaml")), odd);
  EXPECT_EQ(Run({"fmt", "--check", Path("odd.yaml")}).status, 0);
}

TEST_F(OptionsTest, ADirectoryOfTheMachineIsShownInside) {
  Write("any.yaml",
        "claim: any\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: dlopen, args: "
        "[/x.so]}]\nexpect: [{devices: 0}]\n");
  const std::string scenario = Path("any.yaml");
  for (const char* verb : {"exec", "shell"}) {
    const auto status = [&](std::vector<std::string> option) {
      std::vector<std::string> words = {verb, scenario};
      words.insert(words.end(), option.begin(), option.end());
      words.insert(words.end(), {"--", "/bin/sh", "-c", "test -e /usr/share/doc"});
      return Run(words).status;
    };
    EXPECT_EQ(status({"--host-dir", "/usr/share/doc"}), 0) << verb;
    EXPECT_NE(status({}), 0) << verb;
  }
}

TEST_F(OptionsTest, CompareKnowsWhatIsKnown) {
  for (const char* name : {"one", "two"})
    Write(std::string(name) + ".yaml",
          std::string("scanner: ") + name +
              "\nabout: one sees a device\nprogram: {path: " + GPUSTAGE_ACTOR +
              "}\nat: /bin/actor\nargv: [/bin/actor, out, \"" + (*name == 'o' ? "GPU" : "none") +
              "\\n\"]\nfits: nothing\ndevices: {read: lines, stream: any, match: '^GPU'}\n");
  Write("c.yaml",
        "claim: x\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: one}, {scanner: two}]\n"
        "expect: [{devices: {at_least: 0}}]\n");
  Write("known.yaml",
        "- {case: c, field: devices, reason: two is blind}\n"
        "- {case: c, field: log, reason: two is blind}\n");
  std::vector<std::string> words = {"compare",      "one",           "two",
                                    Path("c.yaml"), "--scanner",     Path("one.yaml"),
                                    "--scanner",    Path("two.yaml")};
  EXPECT_EQ(Run(words).status, 1);
  words.insert(words.end(), {"--known", Path("known.yaml")});
  const Ran ran = Run(words);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1 agree, 0 differ, 2 differences are known"));
}

TEST_F(OptionsTest, TheDriverThatIsAskedIsTheOneThatIsNamed) {
  const Ran ran =
      Run({"record-device", "--library", Path("no-such-library.so"), "--output", Path("devices")});
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.err, HasSubstr("no-such-library.so"));
}

TEST_F(OptionsTest, RecordsTheLevelsThatAreNamed) {
  const std::string scenario = Scenario("flood, \"2\", out, \"GPU\\n\"", "devices: 1");
  const auto record = [&](const std::string& levels) {
    return Run(
        {"record", Path("kept"), scenario, "--scanner", Path("actor.yaml"), "--level", levels});
  };
  EXPECT_THAT(record("0,seven").err, HasSubstr("expected 0, 1, 2, 3 or unset, got \"seven\""));
  const Ran ran = record("0,unset");
  ASSERT_EQ(ran.status, 0) << ran.err;
  std::string recorded;
  for (const auto& file : std::filesystem::recursive_directory_iterator(Path("kept")))
    if (file.is_regular_file()) recorded += *ReadFile(file.path());
  EXPECT_THAT(recorded, HasSubstr("debug=0"));
  EXPECT_THAT(recorded, HasSubstr("debug=unset"));
  EXPECT_THAT(recorded, Not(HasSubstr("debug=1")));
}

// What memory a run of the actor's scenario takes at most, in KiB.
class MemoryTest : public OptionsTest {
 protected:
  long Kilobytes(const std::string& scenario, const std::vector<std::string>& options) {
    std::vector<std::string> words = {GPUSTAGE_PROGRAM,   "run",    scenario, "--scanner",
                                      Path("actor.yaml"), "--quiet"};
    words.insert(words.end(), options.begin(), options.end());
    environment_["ASAN_OPTIONS"] = "quarantine_size_mb=1";
    const pid_t gpustage = Start(words, environment_, scratch_.path());
    int status = 0;
    rusage used = {};
    wait4(gpustage, &status, 0, &used);
    EXPECT_EQ(status, 0) << WholeFile(Path("out")) << WholeFile(Path("err"));
    return used.ru_maxrss;
  }
};

// Of all starts but one nothing is kept in memory.
TEST_F(MemoryTest, OfRepeatsIsThatOfOneStart) {
  const std::string scenario = Scenario("flood, \"2000\", out, \"GPU\\n\"", "devices: 1");
  const long few = Kilobytes(scenario, {"--repeat", "5"});
  EXPECT_LT(Kilobytes(scenario, {"--repeat", "60"}) - few, 48 << 10)
      << "sixty times 2 MB of output";
}

// Each record is written as it is made: all as one text took five times what is recorded.
TEST_F(MemoryTest, OfKeptEvidenceIsThatOfTheRun) {
  const std::string scenario = Scenario("hush, \"64\"", "devices: 0");
  const long unkept = Kilobytes(scenario, {});
  EXPECT_LT(Kilobytes(scenario, {"--evidence-dir", Path("kept")}) - unkept, 64 << 10);
}

}  // namespace
}  // namespace gpustage
