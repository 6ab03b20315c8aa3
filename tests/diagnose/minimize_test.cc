#include "harness/diagnose/minimize.h"

#include <gtest/gtest.h>

#include "harness/diagnose/trials.h"
#include "harness/pipeline.h"
#include "harness/scenario/catalog/fixtures.h"
#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr size_t kMostBeyondTheFloor = 12;
constexpr char kNoCublas[] =
    "env: {OLLAMA_NUM_GPU: \"999\"}\n"
    "tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}]\n";

class MinimizeTest : public DiagnoseTest {
 protected:
  static WhyOptions Options() {
    WhyOptions options;
    options.weigh = false;
    options.most_answers = 1;
    options.budget = 1000;
    return options;
  }
  static Minimized SmallOf(const FlatCase& flat) {
    const Result<Minimized> small = Minimize(flat, WhyOf(flat, Options()), TheRunner(), Options());
    EXPECT_THAT(small, IsOk());
    return small ? *small : Minimized{};
  }
  // Starts of their own: nothing that made it small is used.
  static bool IsStillSo(const FlatCase& less, const Minimized& small) {
    Trials trials(TheRunner(), 1, 4, nullptr);
    FlatCase mended = less;
    if (small.mending)
      for (const Intervention& change : small.mending->changes) Apply(change, mended);
    const std::vector<AttemptResult> results = trials.Run({less, mended});
    return results[0]->count == small.count &&
           IsSameLoss(LookedAt(results[0]->evidence, less.tree).loss, small.loss) &&
           (!small.mending || results.back()->count == small.mending->after);
  }
  void ExpectPasses(const std::string& text) const {
    const std::string file = scratch_.path() + "/small.yaml";
    ASSERT_THAT(WriteFile(file, text), IsOk());
    const Result<std::vector<Case>> cases = LoadCases(file, FindCatalog({}));
    ASSERT_THAT(cases, IsOk()) << text;
    const CaseReport report = RunCase(cases->front(), TheRunner());
    ASSERT_EQ(report.runs.size(), 2U) << "with the fix, and without it";
    for (const RunReport& run : report.runs)
      EXPECT_EQ(run.verdict.kind, VerdictKind::kPass) << run.spec.name << '\n' << text;
  }

 private:
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_F(MinimizeTest, NoPartCanBeLeftOut) {
  const Minimized small = SmallOf(FlatOf(CaseOf(kNoCublas)));
  ASSERT_TRUE(small.mending);
  EXPECT_TRUE(IsStillSo(small.flat, small));
  for (const Part& part : PartsOf(small.flat))
    EXPECT_FALSE(IsStillSo(Without(small.flat, {part}), small)) << part.name;
}

TEST_F(MinimizeTest, TheScenarioThatIsWrittenHoldsItsClaimAndItsFix) {
  const Case c = CaseOf(kNoCublas);
  const Minimized small = SmallOf(FlatOf(c));
  const Result<std::string> text = MinimizedText(small, c, 0, TheKnowledge());
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, testing::Not(HasSubstr("OLLAMA_NUM_GPU")));
  EXPECT_THAT(MinimizedJson(small, *text), HasSubstr("\"cause\": \"missing-dependency\""));
  EXPECT_THAT(MinimizedJson(small, *text), HasSubstr("\"whole\": true"));
  ExpectPasses(*text);
}

TEST_F(MinimizeTest, ABrokenLibraryIsWrittenAsItsAuthorWroteIt) {
  const Case c = CaseOf(
      "tree:\n  - {library: /usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90, fake: cudart-12, "
      "broken: {version_table: none, soname: libcudart.so.12}}\n");
  const Minimized small = SmallOf(FlatOf(c));
  const Result<std::string> text = MinimizedText(small, c, 0, TheKnowledge());
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("broken: {soname: libcudart.so.12, version_table: none}"));
  ExpectPasses(*text);
}

struct Large {
  const char* name;
  const char* lines;
};

// Layouts that together have sixty entries or more, with one fault each.
class LargeMachineTest : public MinimizeTest, public testing::WithParamInterface<Large> {
 protected:
  Case LargeCase() const {
    const std::string file = scratch_.path() + "/large.yaml";
    const std::string lines = GetParam().lines;
    EXPECT_THAT(WriteFile(file, "claim: large\n" +
                                    std::string(lines.starts_with("machine")
                                                    ? ""
                                                    : "machine: {devices: [h100-80gb]}\n") +
                                    lines + "expect: [{devices: 0}]\n"),
                IsOk());
    const Result<std::vector<Case>> cases = LoadCases(file, FindCatalog({}));
    EXPECT_THAT(cases, IsOk());
    return cases ? cases->front() : Case{};
  }

 private:
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_P(LargeMachineTest, IsTwelveBeyondTheFloorAtMost) {
  const FlatCase flat = FlatOf(LargeCase());
  EXPECT_GE(PartsOf(flat).size(), 60U);
  const Minimized small = SmallOf(flat);
  EXPECT_GT(small.floor, 0U);
  EXPECT_LE(small.parts, small.floor + kMostBeyondTheFloor);
  EXPECT_FALSE(small.interrupted);
}

constexpr char kAllOfOllama[] =
    "layout: [nvidia-driver-debian, ollama-cuda-12, ollama-cuda-13, nvidia-vulkan, mesa-vulkan, "
    "x11, "
    "llama-cpp-cuda-13]\nuser: ollama\nruns: [{scanner: ollama-model}]\n";
const std::string kClosed =
    std::string(kAllOfOllama) +
    "tree: [{chmod: /usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04, mode: \"0600\"}]\n";
const std::string kHidden = std::string(kAllOfOllama) + "env: {CUDA_VISIBLE_DEVICES: \"\"}\n";
// All of AMD's.
const std::string kNoKfd =
    "machine: {devices: [rx-7900-xtx]}\n"
    "layout: [rocm-7, ollama-rocm-7, ggml-hip-7, mesa-vulkan, x11]\n"
    "tree: [{remove: /dev/kfd}]\nruns: [{scanner: dlopen, args: [libamdhip64.so.7]}]\n";
INSTANTIATE_TEST_SUITE_P(Layouts, LargeMachineTest,
                         testing::Values(Large{"closed", kClosed.c_str()},
                                         Large{"hidden", kHidden.c_str()},
                                         Large{"no_kfd", kNoKfd.c_str()}),
                         [](const auto& one) { return std::string(one.param.name); });

// A layout alone is smaller than that: one that grows to sixty entries is to be of the above.
TEST_F(MinimizeTest, NoLayoutAloneHasSixtyEntries) {
  for (const std::string& name : NamesIn(FindCatalog({}).layouts, ".yaml")) {
    Fixtures fixtures(FindCatalog({}));
    const Result<Layout> layout =
        ReadLayoutFile(FindCatalog({}).layouts + "/" + name + ".yaml", fixtures);
    ASSERT_THAT(layout, IsOk());
    EXPECT_LT(layout->tree.size(), 60U) << name;
  }
}

// Machines that were captured, broken on purpose.
class CapturedMachineTest : public MinimizeTest, public testing::WithParamInterface<const char*> {};

TEST_P(CapturedMachineTest, IsTwelveBeyondTheFloorAtMost) {
  const Result<std::vector<Case>> cases =
      LoadCases(std::string(GPUSTAGE_MACHINES) + "/h200-" + GetParam() + ".yaml", FindCatalog({}));
  ASSERT_THAT(cases, IsOk());
  const FlatCase flat = FlatOf(cases->front());
  EXPECT_GE(PartsOf(flat).size(), 60U);
  const Minimized small = SmallOf(flat);
  EXPECT_LE(small.parts, small.floor + kMostBeyondTheFloor);
  const Result<std::string> text = MinimizedText(small, cases->front(), 0, TheKnowledge());
  ASSERT_THAT(text, IsOk());
  if (small.mending) ExpectPasses(*text);
}

INSTANTIATE_TEST_SUITE_P(Captured, CapturedMachineTest,
                         testing::Values("ctl-hidden", "dangling-first", "masked", "stub-first",
                                         "truncated-first", "uvm-hidden", "wrong-user"),
                         [](const auto& one) {
                           std::string name = one.param;
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace gpustage
