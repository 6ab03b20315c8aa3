// What a project that runs gpustage every day asks of it: baselines, known failures, deadlines,
// repeats; and every exit status.
#include <seccomp.h>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class DailyUseTest : public StagedCliTest {
 protected:
  static constexpr char kOneDevice[] = R"(out, "GPU a\n")";
  std::string Json(const std::string& name) const { return "json=" + Path(name); }
  json Report(const std::string& name) const { return json::parse(WholeFile(Path(name))); }
};

// ---- --baseline ---------------------------------------------------------------------------------

TEST_F(DailyUseTest, ABaselineTellsWhatGotWorse) {
  ASSERT_EQ(RunActor(kOneDevice, "devices: 1", {"--report", Json("old.json")}).status, 0);
  const Ran ran = RunActor(kOneDevice, "devices: 2",
                           {"--baseline", Path("old.json"), "--report", Json("new.json")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("\nworse since " + Path("old.json") +
                                 "\n  newly failing: 1\n    s [actor]\n"));
  EXPECT_EQ(Report("new.json")["baseline"]["newly_failing"], json::parse(R"(["s [actor]"])"));
}

TEST_F(DailyUseTest, WithABaselineWhatFailedBeforeIsNoNews) {
  ASSERT_EQ(RunActor(kOneDevice, "devices: 2", {"--report", Json("old.json")}).status, 1);
  const Ran still = RunActor(kOneDevice, "devices: 2", {"--baseline", Path("old.json")});
  EXPECT_EQ(still.status, 0) << still.out;
  EXPECT_THAT(still.out, HasSubstr("\nnothing got worse since " + Path("old.json") +
                                   "\n  still failing: 1\n    s [actor]\n"));
  const Ran mended = RunActor(kOneDevice, "devices: 1", {"--baseline", Path("old.json")});
  EXPECT_EQ(mended.status, 0);
  EXPECT_THAT(mended.out, HasSubstr("  newly passing: 1\n    s [actor]\n"));
}

TEST_F(DailyUseTest, ABaselineSeesADeviceMove) {
  Write("actor.yaml",
        std::string("scanner: actor\nabout: it says where its device is from\nprogram: {path: ") +
            GPUSTAGE_ACTOR +
            "}\nat: /bin/actor\nargv: [/bin/actor]\nfits: nothing\n"
            "devices: {read: lines, stream: any, match: '^(?P<uuid>GPU-\\S+) (?P<library>\\S+) "
            "(?P<library_path>\\S+)'}\n");
  ASSERT_EQ(
      RunActor(R"(out, "GPU-1 CUDA /v12/a.so\n")", "devices: 1", {"--report", Json("old.json")})
          .status,
      0);
  const Ran ran =
      RunActor(R"(out, "GPU-1 Vulkan /vk/b.so\n")", "devices: 1", {"--baseline", Path("old.json")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("  moved to another backend or library: 1\n    s [actor]\n      "
                                 "GPU-1\n      from CUDA, /v12/a.so\n"
                                 "      to   Vulkan, /vk/b.so\n"));
}

TEST_F(DailyUseTest, ABaselineThatIsNoReportIsBadInput) {
  Write("old.json", "{\"version\": 9}\n");
  const Ran ran = RunActor(kOneDevice, "devices: 1", {"--baseline", Path("old.json")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(
      ran.err,
      StartsWith(Path("old.json") +
                 ":1:1: this report is of version 9; this gpustage reads versions 2 to 3\n"));
  EXPECT_THAT(ran.out, IsEmpty());
}

// ---- --xfail-from -------------------------------------------------------------------------------

TEST_F(DailyUseTest, AKnownFailureIsExpected) {
  Write("known.yaml",
        "- {case: \"s*\", reason: counts one too few, thread: org/project#1, until: 2999-12-31}\n");
  const Ran ran = RunActor(kOneDevice, "devices: 2",
                           {"--xfail-from", Path("known.yaml"), "--report", Json("r.json")});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("xfail s"));
  EXPECT_THAT(ran.out, HasSubstr("0 passed, 0 failed, 1 failed as expected in "));
  EXPECT_THAT(Report("r.json")["cases"][0]["because"],
              StartsWith("counts one too few, org/project#1: #"));
}

TEST_F(DailyUseTest, AKnownFailureThatPassesIsNews) {
  Write("known.yaml", "- {case: s, run: actor, reason: counts one too few, until: 2999-12-31}\n");
  const Ran ran = RunActor(kOneDevice, "devices: 1", {"--xfail-from", Path("known.yaml")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out,
              HasSubstr("  because   expected to fail (counts one too few), and it passes:"));
  EXPECT_THAT(InOneLine(ran.out), HasSubstr(InOneLine(Path("known.yaml") + ":1:10 can go ")));
}

TEST_F(DailyUseTest, AKnownFailureExpires) {
  Write("known.yaml", "- {case: s, reason: counts one too few, until: 2020-02-29}\n");
  const Ran ran = RunActor(kOneDevice, "devices: 2", {"--xfail-from", Path("known.yaml")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(
      ran.out,
      HasSubstr(
          "it was expected to fail until 2020-02-29 (counts one too few), and that day is over\n"));
  EXPECT_THAT(InOneLine(ran.out), HasSubstr(InOneLine(" expected mended by 2020-02-29 " +
                                                      Path("known.yaml") + ":1:10 seen ")));
  EXPECT_THAT(InOneLine(ran.out), HasSubstr(" expected devices: 2 "));
}

TEST_F(DailyUseTest, AKnownFailureOfNothingIsAnError) {
  Write("known.yaml",
        "- {case: \"*\", reason: x, until: 2999-12-31}\n- {case: other/*, reason: x, until: "
        "2999-12-31}\n");
  const Ran ran = RunActor(kOneDevice, "devices: 1", {"--xfail-from", Path("known.yaml")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, Path("known.yaml") +
                         ":2:10: no run of this selection is \"other/*\"; gpustage list shows all\n"
                         "    2 | - {case: other/*, reason: x, until: 2999-12-31}\n"
                         "      |          ^~~~~~~\n");
}

TEST_F(DailyUseTest, AFileOfKnownFailuresIsReadStrictly) {
  const auto error = [&](const std::string& text) {
    Write("known.yaml", text);
    return RunActor(kOneDevice, "devices: 1", {"--xfail-from", Path("known.yaml")})
        .err.substr(Path("known.yaml").size());
  };
  EXPECT_THAT(error("- {case: s, reason: x, until: 2025-02-29}\n"),
              StartsWith(":1:31: expected a day such as 2026-12-31, got \"2025-02-29\"\n"));
  EXPECT_THAT(error("- {case: s, reason: x, until: tomorrow}\n"),
              StartsWith(":1:31: expected a day such as 2026-12-31, got \"tomorrow\"\n"));
  EXPECT_THAT(error("- {case: s, reson: x, until: 2999-12-31}\n"),
              StartsWith(":1:13: unknown key \"reson\"; did you mean \"reason\"?\n"));
  EXPECT_THAT(error("- {case: s, reason: x}\n"), HasSubstr("until"));
  EXPECT_THAT(error("case: s\n"), HasSubstr("expected a list of known failures"));
}

// ---- --fail-on, --deadline, --repeat ------------------------------------------------------------

TEST_F(DailyUseTest, ASilentFailureFailsWhenItShall) {
  const std::vector<std::string> words = {"run", "ollama/damaged@damage=no-cublaslt", "--scanner",
                                          "ollama-model"};
  ASSERT_EQ(Run(words).status, 0);
  std::vector<std::string> strict = words;
  strict.insert(strict.end(), {"--fail-on", "silent-failure", "--report", "github=-"});
  const Ran ran = Run(strict);
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("expected: no silent failure (--fail-on silent-failure)%0Aseen: "
                                 "libggml-cuda.so was lost at \"loaded\", and none of "));
  EXPECT_EQ(RunActor(kOneDevice, "devices: 1", {"--fail-on", "anything"}).status, 2);
}

TEST_F(DailyUseTest, ADeadlineEndsWhatRunsAndStartsNothing) {
  Write("m.yaml",
        "claim: it hangs\nmachine: {devices: []}\nlayout: []\nmatrix: {which: {set: env.WHICH, to: "
        "[a, b]}}\n"
        "runs: [{scanner: actor, args: [hang]}]\nexpect: [{outcome: timed_out}]\n");
  const Ran ran = Run({"run", Path("m.yaml"), "--scanner", Path("actor.yaml"), "--jobs", "1",
                       "--deadline", "1s", "--report", Json("r.json")});
  EXPECT_EQ(ran.status, 1) << ran.out;
  EXPECT_EQ(ran.err,
            "gpustage: the deadline of 1 s passed: 2 of 2 runs did not start or did not end\n");
  EXPECT_THAT(ran.out, HasSubstr("  skipped 1: the deadline of 1 s came while it ran\n  skipped 1: "
                                 "the deadline of 1 s had passed\n"));
  EXPECT_EQ(Report("r.json")["exit_status"], 1);
  EXPECT_EQ(Report("r.json")["problems"][0]["kind"], "deadline");
  EXPECT_EQ(Run({"merge", Path("r.json")}).status, 1);
}

TEST_F(DailyUseTest, ADeadlineThatIsFarAwayChangesNothing) {
  EXPECT_EQ(RunActor(kOneDevice, "devices: 1", {"--deadline", "10m"}).status, 0);
  for (const char* wrong : {"10", "10 parsecs", "-1s", "soon"})
    EXPECT_EQ(RunActor(kOneDevice, "devices: 1", {"--deadline", wrong}).status, 2) << wrong;
}

TEST_F(DailyUseTest, RepeatsThatAgreeAreOneAnswer) {
  const Ran ran = RunActor(kOneDevice, "devices: 1", {"--repeat", "3", "--report", Json("r.json")});
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("1 device, 3 times"));
  EXPECT_THAT(ran.out, HasSubstr("\n1 passed, 0 failed in "));
  EXPECT_EQ(Report("r.json")["cases"][0]["answers"],
            json::parse(R"([{"times":3,"verdict":"pass","device_count":1,"lost_at":null}])"));
}

// All 40 alike: once in 2^39.
TEST_F(DailyUseTest, RepeatsThatDoNotAgreeAreFlaky) {
  const Ran ran = RunActor(R"(toss, "GPU a\n")", "devices: {at_least: 0}",
                           {"--repeat", "40", "--report", Json("r.json")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, StartsWith("FLAKY s"));
  EXPECT_THAT(ran.out, HasSubstr("in 40 starts the number of devices differs: "));
  EXPECT_THAT(ran.out, HasSubstr("\n0 passed, 0 failed, 1 flaky in "));
  int starts = 0;
  const json report = Report("r.json");
  for (const json& answer : report["cases"][0]["answers"]) starts += answer["times"].get<int>();
  EXPECT_EQ(starts, 40);
}

// A tossed coin. That it is refused as even happens to 1 of 20,000 runs of this test; that it looks
// like 5% to none.
TEST_F(DailyUseTest, RepeatsMayDifferAsTheScenarioStates) {
  const auto started = [&](const std::string& claim) {
    return RunActor(R"(toss, "GPU a\n")", claim, {"--repeat", "150", "--report", Json("r.json")});
  };
  const Ran even = started("distribution: {0: 50%, 1: 50%}");
  EXPECT_EQ(even.status, 0) << even.out;
  EXPECT_THAT(even.out, HasSubstr("of 150 starts: 0 devices in "));
  EXPECT_EQ(Report("r.json")["cases"][0]["answers"].size(), 2u);
  const Ran other = started("distribution: {0: 5%, 1: 95%}");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(InOneLine(other.out), HasSubstr(InOneLine(" expected distribution: {0: 5%, 1: 95%} " +
                                                        Path("s.yaml") + ":")));
  EXPECT_THAT(InOneLine(other.out), HasSubstr("comes by chance in less than 1 of 20000 repeats"));
  EXPECT_EQ(RunActor(kOneDevice, "distribution: {0: 5%, 1: 95%}").status, 0);
  EXPECT_EQ(RunActor(kOneDevice, "distribution: {0: 5%, 2: 95%}").status, 1);
}

// ---- Exit statuses: 0, 1, 2 and 77 are above and in run_test.cc ---------------------------------

TEST_F(DailyUseTest, ExitsWith3WhereNoPrivateRootIsToBeHad) {
  const std::string scenario = Scenario("exit, 0", "devices: 0");
  const pid_t child = fork();
  if (child == 0) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0);
    if (seccomp_load(filter) != 0) _exit(98);
    const pid_t program =
        Start({GPUSTAGE_PROGRAM, "run", scenario, "--scanner", Path("actor.yaml")}, environment_,
              scratch_.path());
    int status = 0;
    waitpid(program, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_THAT(WholeFile(Path("err")), StartsWith("gpustage: "));
}

}  // namespace
}  // namespace gpustage
