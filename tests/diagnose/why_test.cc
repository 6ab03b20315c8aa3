#include "harness/diagnose/why.h"

#include <set>

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

using WhyTest = DiagnoseTest;

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

TEST_F(WhyTest, AnIndexThatIsNoneIsDroppedFromAListOfDevices) {
  WhyOptions options = WithoutWeighing();
  options.wanted = CountRange{2, 2};
  const WhyReport report = WhyOf(
      FlatOf(WholeCaseOf("machine: {devices: [h100-80gb, h100-80gb, h100-80gb]}\n"
                         "layout: [nvidia-driver-debian]\nenv: {CUDA_VISIBLE_DEVICES: \"0,-1,1\"}\n"
                         "runs: [{scanner: dlopen, args: [libcuda.so.1]}]\n")),
      options);
  EXPECT_EQ(report.before, 1);
  EXPECT_EQ(FirstOf(report), "leave of CUDA_VISIBLE_DEVICES only 0,1");
}

TEST_F(WhyTest, AFileThatIsNoProgramIsLinkedToWhereItWasLookedFor) {
  const WhyReport report =
      WhyOf(FlatOf(ScriptCaseOf("tree: [{file: /srv/kernels.dat, content: a, mode: \"0644\"}]\n",
                                "[ -e /opt/a/kernels.dat ]")),
            WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "link /opt/a/kernels.dat to /srv/kernels.dat");
}

TEST_F(WhyTest, AVariableForAPathThatTheTextAsksForIsSetToWhereTheFileStands) {
  const WhyReport report = WhyOf(
      FlatOf(ScriptCaseOf("tree: [{file: /srv/kernels.dat, content: a, mode: \"0644\"}]\n",
                          "[ ! -e /opt/a/kernels.dat ] && [ -e \"${KERNELS_PATH}/kernels.dat\" ]")),
      WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "set KERNELS_PATH=/srv");
}

TEST_F(WhyTest, ALoadersCacheThatIsOlderThanItsLibrariesIsMadeAnew) {
  const WhyReport report = WhyOf(
      FlatOf(CaseOf("tree:\n  - {remove: /usr/lib/x86_64-linux-gnu/libcuda.so.1}\n"
                    "  - {ldconfig: /etc/ld.so.cache}\n"
                    "  - {library: /opt/driver/libcuda.so.1, fake: cuda}\n"
                    "  - {file: /etc/ld.so.conf.d/driver.conf, content: \"/opt/driver\\n\"}\n")),
      WithoutWeighing());
  bool any = false;
  for (const Mending& answer : report.answers)
    any = any || ToString(answer.changes.front()) == "make /etc/ld.so.cache anew";
  EXPECT_TRUE(any) << FirstOf(report);
}

// Each alone changes nothing that can be seen, and two of them do not: no state leads to the next.
TEST_F(WhyTest, OfThreeVariablesAllAreNamedAndNoOther) {
  const WhyReport report =
      WhyOf(FlatOf(ScriptCaseOf("env: {A_MODE: a, B_MODE: b, C_MODE: c, D_MODE: d, E_MODE: e}\n",
                                "[ -z \"$A_MODE$C_MODE$E_MODE\" ]")),
            WithoutWeighing());
  EXPECT_EQ(FirstOf(report), "unset A_MODE, unset C_MODE, unset E_MODE");
  ASSERT_FALSE(report.answers.empty());
  EXPECT_THAT(report.answers.front().without, testing::ElementsAre(0, 0, 0));
}

TEST_F(WhyTest, WhenNothingElseHelpsItIsGivenToItsUserOrRunAsItsOwner) {
  if (!TheRunner().CanSetOwners()) GTEST_SKIP() << "this machine has one user here";
  const WhyReport report =
      WhyOf(FlatOf(ScriptCaseOf("tree: [{file: /opt/a, content: a}, {chown: /opt/a, user: user}]\n",
                                "[ -O /opt/a ]")),
            WithoutWeighing());
  std::vector<std::string> words;
  for (const Mending& answer : report.answers) words.push_back(ToString(answer.changes.front()));
  ASSERT_THAT(words, testing::ElementsAre("chown ollama /opt/a", "run it as user"));
  EXPECT_EQ(report.answers.front().commands.front().undo, "sudo chown user /opt/a");
}

TEST_F(WhyTest, WhenNothingElseHelpsALinkIsACopyAFolderGoesAndAListIsReordered) {
  const auto first = [](const Case& c) { return FirstOf(WhyOf(FlatOf(c), WithoutWeighing())); };
  EXPECT_EQ(first(ScriptCaseOf("tree: [{file: /opt/b, content: b}, {symlink: /opt/a, to: b}]\n",
                               "[ -f /opt/a ] && [ ! -L /opt/a ]")),
            "copy /opt/b to /opt/a");
  EXPECT_EQ(first(ScriptCaseOf("tree: [{dir: /opt/folder}]\n", "[ ! -d /opt/folder ]")),
            "take /opt/folder away");
  EXPECT_EQ(first(ScriptCaseOf("env: {A_PATH: \"/a:/b\"}\n", "[ \"$A_PATH\" = /b:/a ]")),
            "set A_PATH=/b:/a");
}

TEST_F(WhyTest, WhatNothingPointsToIsProposedOnlyLast) {
  const FlatCase flat = FlatOf(CaseOf(kNoCublas));
  const WhyReport report = WhyOf(flat, WithoutWeighing());
  for (const Intervention& change :
       Propose(flat, report.looked, TheKnowledge(), std::optional<int64_t>()))
    EXPECT_LT(change.tier, kLate) << ToString(change);
  const std::vector<Intervention> late = ProposeLate(flat, report.looked, TheKnowledge());
  ASSERT_FALSE(late.empty());
  std::set<std::string> kinds;
  for (const Intervention& change : late) {
    EXPECT_EQ(change.tier, kLate) << ToString(change);
    kinds.insert(ToString(change.kind));
    FlatCase other = flat;
    EXPECT_TRUE(Apply(change, other)) << ToString(change) << ": it is so already";
  }
  EXPECT_THAT(kinds, testing::IsSupersetOf({"user", "copy", "link", "cuda-version"}));
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

// One cause, two, three that only a merged trial tells apart, and none.
TEST_F(WhyTest, SaysTheSameWithEveryNumberOfJobs) {
  for (const Case& c :
       {CaseOf(kNoCublas), CaseOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\n" + std::string(kNoCublas)),
        ScriptCaseOf("env: {A_MODE: a, B_MODE: b, C_MODE: c, D_MODE: d, E_MODE: e}\n",
                     "[ -z \"$A_MODE$C_MODE$E_MODE\" ]"),
        CaseOf("")}) {
    const FlatCase flat = FlatOf(c);
    WhyOptions options = WithoutWeighing();
    options.most_answers = 2;
    const std::string one = WhyJson(WhyOf(flat, options));
    options.jobs = 3;
    EXPECT_EQ(WhyJson(WhyOf(flat, options)), one);
  }
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

}  // namespace
}  // namespace gpustage
