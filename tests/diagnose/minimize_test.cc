#include "harness/diagnose/minimize.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>

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

// A third of the machines, drawn by name; all of them in `harness/dev full why`.
bool IsOfThisPart(const std::string& name) {
  if (std::getenv("GPUSTAGE_WHOLE") != nullptr) return true;
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash % 3 == 0;
}
constexpr char kElsewhere[] = "a third of these is made small here, all in harness/dev full why";

std::string AsTestName(std::string name) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

void ExpectSmall(const Minimized& small) {
  EXPECT_GT(small.floor, 0U);
  EXPECT_LE(small.parts, small.floor + kMostBeyondTheFloor);
  fmt::print("{} of {} parts are left, the floor is {}; {} starts\n", small.parts,
             small.parts_before, small.floor, small.starts);
}

struct Large {
  std::string name;
  std::string lines;
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
  if (!IsOfThisPart(GetParam().name)) GTEST_SKIP() << kElsewhere;
  const FlatCase flat = FlatOf(LargeCase());
  EXPECT_GE(PartsOf(flat).size(), 60U);
  const Minimized small = SmallOf(flat);
  EXPECT_FALSE(small.interrupted);
  EXPECT_TRUE(small.mending);
  ExpectSmall(small);
}

// All that stands with a driver's layout, and what is wrong with it.
std::string WithDriver(const std::string& driver, const std::string& fault) {
  return "layout: [" + driver +
         ", ollama-cuda-12, ollama-cuda-13, nvidia-vulkan, mesa-vulkan, x11, cuda-toolkit-12, "
         "llama-cpp-cuda-13]\nuser: ollama\nruns: [{scanner: ollama-model}]\n" +
         fault;
}

std::vector<Large> AllLarge() {
  const std::string hidden = "env: {CUDA_VISIBLE_DEVICES: \"\"}\n";
  const std::string shut = "tree: [{chmod: /usr/local/lib/ollama, mode: \"0700\"}]\n";
  const std::string closed =
      "tree: [{chmod: /usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04, mode: \"0600\"}]\n";
  std::vector<Large> all = {{"closed", WithDriver("nvidia-driver-debian", closed)}};
  for (const std::string& name : NamesIn(FindCatalog({}).layouts, ".yaml")) {
    if (name.starts_with("nvidia-driver-"))
      all.push_back({name, WithDriver(name, all.size() % 2 == 0 ? hidden : shut)});
    if (name.starts_with("rocm-"))
      all.push_back(
          {name,
           "machine: {devices: [rx-7900-xtx]}\nlayout: [" + name +
               ", ollama-rocm-7, ollama-rocm-6, ggml-hip-7, ollama-cuda-12, mesa-vulkan, x11]\n"
               "tree: [{remove: /dev/kfd}]\nruns: [{scanner: dlopen, args: "
               "[libamdhip64.so." +
               (name == "rocm-7" ? "7" : "6") + "]}]\n"});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Layouts, LargeMachineTest, testing::ValuesIn(AllLarge()),
                         [](const auto& one) { return AsTestName(one.param.name); });

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

// All machines that were captured: healthy ones, too, of which nothing is lost as they are.
class CapturedMachineTest : public MinimizeTest, public testing::WithParamInterface<std::string> {};

TEST_P(CapturedMachineTest, IsTwelveBeyondTheFloorAtMost) {
  if (!IsOfThisPart(GetParam())) GTEST_SKIP() << kElsewhere;
  const Result<std::vector<Case>> cases =
      LoadCases(std::string(GPUSTAGE_MACHINES) + "/" + GetParam() + ".yaml", FindCatalog({}));
  ASSERT_THAT(cases, IsOk());
  const FlatCase flat = FlatOf(cases->front());
  EXPECT_GE(PartsOf(flat).size(), 60U);
  const Minimized small = SmallOf(flat);
  EXPECT_FALSE(small.interrupted);
  ExpectSmall(small);
  const Result<std::string> text = MinimizedText(small, cases->front(), 0, TheKnowledge());
  ASSERT_THAT(text, IsOk());
  if (small.mending) ExpectPasses(*text);
}

INSTANTIATE_TEST_SUITE_P(Captured, CapturedMachineTest,
                         testing::ValuesIn(NamesIn(GPUSTAGE_MACHINES, ".yaml")),
                         [](const auto& one) { return AsTestName(one.param); });

}  // namespace
}  // namespace gpustage
