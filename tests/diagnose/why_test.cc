#include "harness/diagnose/why.h"

#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kNoCublas[] = "tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}]\n";

std::string InOneLine(const std::string& text) {
  std::string line;
  for (const char c : text)
    if (const bool space = c == ' ' || c == '\n'; !space || !line.ends_with(' '))
      line += space ? ' ' : c;
  return line;
}

class WhyTest : public DiagnoseTest {
 protected:
  static WhyOptions WithoutWeighing() {
    WhyOptions options;
    options.weigh = false;
    return options;
  }
};

TEST_F(WhyTest, AHealthyMachineHasNoCause) {
  WhyOptions options = WithoutWeighing();
  const WhyReport report = WhyOf(FlatOf(CaseOf("")), options);
  EXPECT_TRUE(report.healthy);
  EXPECT_TRUE(report.answers.empty() && report.consistent.empty());
  EXPECT_EQ(report.starts, 1);
}

TEST_F(WhyTest, ALinkThatIsMissingIsPutWhereItWasLookedFor) {
  const WhyReport report = WhyOf(FlatOf(CaseOf(kNoCublas)), WithoutWeighing());
  EXPECT_EQ(FirstOf(report),
            "link /usr/local/lib/ollama/cuda_v12/libcublas.so.12 to libcublas.so.12.8.4.1");
  ASSERT_FALSE(report.answers.empty());
  const Mending& best = report.answers.front();
  EXPECT_EQ(best.commands.front().apply,
            "sudo ln -s libcublas.so.12.8.4.1 /usr/local/lib/ollama/cuda_v12/libcublas.so.12");
  EXPECT_EQ(best.commands.front().undo, "sudo rm /usr/local/lib/ollama/cuda_v12/libcublas.so.12");
}

TEST_F(WhyTest, OneDirectoryIsOpenedByOneBit) {
  const WhyReport report =
      WhyOf(FlatOf(CaseOf("tree: [{chmod: /usr/local/lib/ollama/cuda_v12, mode: \"0711\"}]\n")),
            WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "chmod o+r /usr/local/lib/ollama/cuda_v12");
}

TEST_F(WhyTest, OfTwoCausesBothAreNamed) {
  const WhyReport report =
      WhyOf(FlatOf(CaseOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\n" + std::string(kNoCublas))),
            WithoutWeighing());
  EXPECT_THAT(FirstOf(report), HasSubstr("libcublas.so.12"));
  EXPECT_THAT(FirstOf(report), HasSubstr("unset CUDA_VISIBLE_DEVICES"));
  // Each was left out once.
  EXPECT_THAT(report.answers.front().without, testing::ElementsAre(0, 0));
  EXPECT_THAT(WhyText(report, 1), HasSubstr("0 devices without \"unset CUDA_VISIBLE_DEVICES\""));
}

// Each alone leaves it as it is: what tells them apart is which processes were started.
TEST_F(WhyTest, OfTwoVariablesBothAreNamed) {
  const WhyReport report = WhyOf(
      FlatOf(CaseOf("env: {OLLAMA_LLM_LIBRARY: cpu, TMPDIR: /nowhere}\n")), WithoutWeighing());
  EXPECT_THAT(FirstOf(report), HasSubstr("OLLAMA_LLM_LIBRARY"));
  EXPECT_TRUE(FirstOf(report).find("TMPDIR") != std::string::npos ||
              FirstOf(report).find("/nowhere") != std::string::npos);
}

TEST_F(WhyTest, NodesThatWereShutTogetherAreOpenedTogether) {
  WhyOptions options = WithoutWeighing();
  const WhyReport report = WhyOf(FlatOf(CaseOf("tree:\n"
                                               "  - {chmod: /dev/nvidiactl, mode: \"0600\"}\n"
                                               "  - {chmod: /dev/nvidia0, mode: \"0600\"}\n"
                                               "  - {chmod: /dev/nvidia-uvm, mode: \"0600\"}\n")),
                                 options);
  EXPECT_EQ(FirstOf(report), "chmod o+rw /dev/nvidia*");
  EXPECT_EQ(report.answers.front().size, 3);
  EXPECT_EQ(report.first_answer_at, 2);
}

TEST_F(WhyTest, OneEntryOfThePreloadsOfAllProgramsIsDropped) {
  const WhyReport report = WhyOf(
      FlatOf(CaseOf(
          "tree:\n"
          "  - {library: /opt/swallows.so, fake: preload-returns-null}\n"
          "  - {library: /opt/harmless.so, fake: x11}\n"
          "  - {file: /etc/ld.so.preload, content: \"/opt/harmless.so\\n/opt/swallows.so\\n\"}\n")),
      WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "leave of /etc/ld.so.preload only /opt/harmless.so");
}

TEST_F(WhyTest, WhatAModuleOfTheKernelMakesComesBackWithIt) {
  const WhyReport report =
      WhyOf(FlatOf(WholeCaseOf("machine: {devices: [rx-7900-xtx]}\nlayout: [rocm-6]\n"
                               "tree: [{remove: /sys/class/kfd}, {remove: /dev/kfd}]\n"
                               "runs: [{scanner: dlopen, args: [libamdhip64.so.6]}]\n")),
            WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "load the module amdgpu");
}

TEST_F(WhyTest, AGpuOfNoKnownTargetIsTakenForItsRelative) {
  const WhyReport report =
      WhyOf(FlatOf(WholeCaseOf(
                "machine: {devices: [{profile: rx-9070-xt, gfx: gfx1299}]}\n"
                "layout: [rocm-6]\nruns: [{scanner: dlopen, args: [libhsa-runtime64.so.1]}]\n")),
            WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "set HSA_OVERRIDE_GFX_VERSION=12.0.1");
}

TEST_F(WhyTest, WhoWantsFewerDevicesThanThereAreIsToldWhatHidesThem) {
  WhyOptions options = WithoutWeighing();
  options.wanted = CountRange{0, 0};
  const WhyReport report = WhyOf(FlatOf(CaseOf("")), options);
  EXPECT_FALSE(report.healthy);
  EXPECT_EQ(FirstOf(report), "set CUDA_VISIBLE_DEVICES=-1");
  EXPECT_THAT(WhyText(report, 1), HasSubstr("\n1 device, and 0 are wanted.\n"));
}

// What its case expects is wanted only where it is not what is counted.
TEST_F(WhyTest, WhatTheCaseExpectsIsWantedWhereItIsNotCounted) {
  WhyOptions options = WithoutWeighing();
  options.expected = CountRange{1, 1};
  EXPECT_TRUE(WhyOf(FlatOf(CaseOf("")), options).healthy);
  options.expected = CountRange{0, 0};
  EXPECT_FALSE(WhyOf(FlatOf(CaseOf("")), options).healthy);
}

TEST_F(WhyTest, AVariableThatTheProgramsTextAsksForIsTried) {
  const WhyReport report = WhyOf(
      FlatOf(WholeCaseOf("machine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian]\n"
                         "runs:\n  - scanner: script\n"
                         "    args: ['[ -n \"${SEES_ALL}\" ] && echo \"GPU 0: all\"; exit 0']\n")),
      WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "set SEES_ALL=1");
}

TEST_F(WhyTest, ALibraryOfNoPackageIsStoodInForByOneWithNothingInIt) {
  const WhyReport report =
      WhyOf(FlatOf(WholeCaseOf(
                "machine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian, ggml-cuda-12]\n"
                "tree: [{library: /usr/local/lib/ollama/cuda_v12/libcublas.so.12.8.4.1, "
                "fake: cublas-12, broken: {needs: [libstranger.so.7]}}]\n"
                "runs: [{scanner: ggml}]\n")),
            WithoutWeighing());
  bool any = false;
  for (const Mending& answer : report.answers)
    any = any || ToString(answer.changes.front())
                         .find("libstranger.so.7 (one with nothing in it was enough)") !=
                     std::string::npos;
  EXPECT_TRUE(any);
}

TEST_F(WhyTest, WhatIsCalledProvenCameBackEachTimeAndWasLostEachTime) {
  const WhyReport report = WhyOf(FlatOf(CaseOf(kNoCublas)), WithoutWeighing());
  ASSERT_FALSE(report.answers.empty());
  for (const Mending& answer : report.answers) {
    EXPECT_EQ(answer.came_back, 3);
    EXPECT_EQ(answer.lost_again, 3);
    EXPECT_TRUE(IsBetter(answer.after, report.before, report.wanted));
  }
  EXPECT_THAT(InOneLine(WhyText(report, 1)), HasSubstr("cause: libcublas.so.12, needed by "));
  EXPECT_THAT(InOneLine(WhyText(report, 1)),
              HasSubstr("; with change 1 1 device, and undone 0 devices again: proven by 6 starts, "
                        "3 of 3 both ways #"));
  EXPECT_EQ(report.proof_starts, 3 + 3 * static_cast<int>(report.answers.size()));
}

TEST_F(WhyTest, StartsNoMoreThanTheBudget) {
  WhyOptions options;
  options.budget = 5;
  const WhyReport report = WhyOf(FlatOf(CaseOf(kNoCublas)), options);
  EXPECT_EQ(report.starts, 5);
  EXPECT_FALSE(report.whole);
}

TEST_F(WhyTest, SaysTheSameWithEveryNumberOfJobs) {
  const FlatCase flat = FlatOf(CaseOf(kNoCublas));
  WhyOptions options = WithoutWeighing();
  options.most_answers = 2;
  WhyReport one = WhyOf(flat, options);
  options.jobs = 3;
  EXPECT_EQ(WhyJson(WhyOf(flat, options)), WhyJson(one));
}

TEST_F(WhyTest, VariablesOfNoInfluenceAreNamedSo) {
  WhyOptions options;
  options.most_answers = 1;
  const WhyReport report =
      WhyOf(FlatOf(CaseOf("env: {OLLAMA_NUM_GPU: \"999\"}\n" + std::string(kNoCublas))), options);
  EXPECT_THAT(WhyText(report, 1), HasSubstr("No influence in the mended machine: "));
  const auto about =
      std::find_if(report.influence.begin(), report.influence.end(),
                   [](const Influence& one) { return one.without.subject == "OLLAMA_NUM_GPU"; });
  ASSERT_NE(about, report.influence.end());
  EXPECT_FALSE(about->matters);
  const auto needed =
      std::find_if(report.influence.begin(), report.influence.end(), [](const Influence& one) {
        return one.without.subject == "/usr/local/lib/ollama/cuda_v12/libcublasLt.so.12";
      });
  ASSERT_NE(needed, report.influence.end());
  EXPECT_TRUE(needed->matters);
}

TEST_F(WhyTest, AFaultIsOpenedLastAndNobodyIsToldToMendIt) {
  Case c = CaseOf("");
  FaultSpec fault;
  fault.function = "cuInit";
  fault.code = 999;
  c.machine.faults.push_back(fault);
  const WhyReport report = WhyOf(FlatOf(c), WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "cuInit does not fail");
  EXPECT_THAT(WhyText(report, 1), HasSubstr("     nobody     can change that"));
  EXPECT_THAT(WhyText(report, 1), Not(HasSubstr("sudo")));
}

// What came back once and not each time.
TEST(WhyText, WhatIsNotProvenIsNoCause) {
  Mending shaky;
  shaky.changes.push_back(Change(Intervention::Kind::kUnsetVariable, kVariable, "A_MODE"));
  shaky.rounds = 3;
  shaky.came_back = 2;
  shaky.lost_again = 3;
  EXPECT_FALSE(shaky.IsProven());
  WhyReport report;
  report.before = 0;
  report.wanted = CountRange{1, 1};
  report.consistent.push_back(shaky);
  EXPECT_THAT(WhyText(report, 5), HasSubstr("Only consistent with: unset A_MODE (2 of 3 starts)."));
  EXPECT_THAT(WhyText(report, 5), Not(HasSubstr("1. ")));
  EXPECT_THAT(WhyJson(report), HasSubstr("\"answers\": []"));
  // It came back by itself.
  shaky.came_back = 3;
  shaky.lost_again = 2;
  EXPECT_FALSE(shaky.IsProven());
}

TEST_F(WhyTest, ACapturedMachineThatWorksIsHealthy) {
  const Result<std::vector<Case>> cases =
      LoadCases(std::string(GPUSTAGE_MACHINES) + "/h200-healthy.yaml", FindCatalog({}));
  ASSERT_THAT(cases, IsOk());
  const WhyReport report = WhyOf(FlatOf(cases->front()), WithoutWeighing());
  EXPECT_TRUE(report.healthy) << FirstOf(report);
  EXPECT_TRUE(report.answers.empty() && report.consistent.empty());
}

// What was seen is not what the change is about.
TEST(WhyText, WhatTheChangeIsNotAboutIsNotCalledTheCause) {
  Mending best;
  best.changes.push_back(Change(Intervention::Kind::kUnsetVariable, kVariable, "A_MODE"));
  best.rounds = best.came_back = best.lost_again = 3;
  best.after = 1;
  WhyReport report;
  report.before = 0;
  report.looked.loss.any = true;
  report.looked.loss.reason = "a failed";
  report.answers.push_back(best);
  EXPECT_THAT(WhyText(report, 1), HasSubstr("  seen: a failed; with change 1 1 device, "));
  report.looked.loss.named = {"A_MODE"};
  EXPECT_THAT(WhyText(report, 1), HasSubstr("  cause: a failed; with change 1 1 device, "));
}

class AnnouncedTest : public WhyTest {
 protected:
  static Held HeldOf(const FlatCase& flat, const std::string& text) {
    const Result<Announcement> announced = ReadAnnouncement(text);
    EXPECT_THAT(announced, IsOk());
    WhyOptions options = WithoutWeighing();
    options.most_answers = 1;
    return Hold(*announced, flat, WhyOf(flat, options), TheRunner(), options);
  }
};

TEST_F(AnnouncedTest, WhatIsSoAlreadyIsRefuted) {
  const Held held =
      HeldOf(FlatOf(CaseOf("env: {OLLAMA_NUM_GPU: \"999\"}\n" + std::string(kNoCublas))),
             "OLLAMA_NUM_GPU=999 must be set");
  EXPECT_TRUE(held.is_so_already);
  EXPECT_FALSE(held.brings_back);
  EXPECT_FALSE(held.is_needed);
  EXPECT_THAT(HeldText(held), HasSubstr("refuted    it is so already, and there are 0 devices, 3 "
                                        "of 3 starts\n"));
  EXPECT_THAT(HeldText(held),
              HasSubstr("then, without what was announced: 1 device, 3 of 3 starts\n"));
}

TEST_F(AnnouncedTest, WhatBringsTheDeviceBackIsConfirmed) {
  const Held held = HeldOf(FlatOf(CaseOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\n")),
                           "CUDA_VISIBLE_DEVICES must not be set");
  EXPECT_TRUE(held.brings_back);
  EXPECT_THAT(HeldText(held), HasSubstr("confirmed  with it 1 device, 3 of 3 starts\n"));
}

TEST(Announcement, WordsThatNameNothingAreRefused) {
  const Result<Announcement> announced = ReadAnnouncement("it is the weather");
  ASSERT_FALSE(announced.ok());
  EXPECT_THAT(announced.error().message,
              HasSubstr("\"it is the weather\" names nothing that can be changed; say \"NAME=VALUE "
                        "must be set\""));
}

}  // namespace
}  // namespace gpustage
