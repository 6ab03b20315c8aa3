#include "harness/diagnose/diff.h"

#include <algorithm>

#include "harness/diagnose/trials.h"
#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(WithoutNoise, AddressesAndTimesAreNoDifference) {
  EXPECT_EQ(WithoutNoise("took=12.5ms at 0x7ffd12 for 30s"), "took=T at 0xN for T");
}

TEST(WithoutNoise, NumbersOfOtherThingsStay) {
  EXPECT_EQ(WithoutNoise("libcudart.so.12 has 1 device"), "libcudart.so.12 has 1 device");
}

class DiffTest : public DiagnoseTest {
 protected:
  DiffSide SideOf(const std::string& lines) const {
    FlatCase flat = FlatOf(CaseOf(lines));
    Trials trials(TheRunner(), 1, 1, nullptr);
    const AttemptResult attempt = trials.Explained(flat);
    return {"a side", std::move(flat), attempt->evidence};
  }
};

TEST_F(DiffTest, TheSameMachineTwiceHasNoDifference) {
  const Diff diff = DiffOf(SideOf(""), SideOf(""));
  EXPECT_TRUE(diff.IsEmpty()) << DiffText(diff, "a", "b");
}

TEST_F(DiffTest, ALibraryThatIsGoneIsTheFirstDifferenceAndALossAtTheEnd) {
  const Diff diff = DiffOf(
      SideOf(""), SideOf("tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublasLt.so.12}]\n"));
  EXPECT_THAT(diff.first_b, HasSubstr("libcublasLt.so.12"));
  ASSERT_FALSE(diff.sections.empty());
  EXPECT_EQ(diff.sections.front().title, "tree");
  EXPECT_THAT(diff.sections.front().only_a,
              Contains("/usr/local/lib/ollama/cuda_v12/libcublasLt.so.12 -> "
                       "libcublasLt.so.12.8.4.1"));
  EXPECT_EQ(diff.sections.back().title, "losses");
  EXPECT_THAT(diff.sections.back().only_b,
              Contains(HasSubstr("libggml-cuda.so: lost at loaded (missing-dependency)")));
}

TEST_F(DiffTest, SectionsComeInTheOrderOfARun) {
  const Diff diff =
      DiffOf(SideOf(""), SideOf("env: {OLLAMA_DEBUG: \"2\"}\ntree: [{remove: "
                                "/usr/local/lib/ollama/cuda_v12/libcublasLt.so.12}]\n"));
  const std::vector<std::string> order = {"tree",  "environment", "processes", "loading",
                                          "calls", "log",         "losses"};
  std::vector<std::string> titles;
  for (const DiffSection& section : diff.sections) titles.push_back(section.title);
  EXPECT_GE(titles.size(), 4U);
  auto at = order.begin();
  for (const std::string& title : titles) {
    const auto next = std::find(at, order.end(), title);
    ASSERT_NE(next, order.end()) << title << " stands too late";
    at = next + 1;
  }
}

// The version stands in many lines.
TEST_F(DiffTest, OfTwoVersionsOfAScannerLinesThatNameTheVersionAreNoDifference) {
  const auto side = [&](const std::string& version) {
    DiffSide one = SideOf("");
    one.flat->c.runs.front().scanner.version = version;
    LogLine line;
    line.text = line.message = "Listening on 127.0.0.1:11434 (version " + version + ")";
    one.evidence.log = {line};
    return one;
  };
  const Diff diff = DiffOf(side("0.17.4"), side("0.30.1"));
  for (const DiffSection& section : diff.sections)
    EXPECT_NE(section.title, "log") << testing::PrintToString(section.only_a);
  const Diff same = DiffOf(side("0.17.4"), SideOf(""));
  EXPECT_FALSE(same.sections.empty());
}

// A kept run has no machine: what it did is told all the same.
TEST_F(DiffTest, AKeptRunIsHeldAgainstOneOfNow) {
  DiffSide kept = SideOf("");
  kept.flat.reset();
  const Diff diff = DiffOf(kept, SideOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\n"));
  ASSERT_FALSE(diff.sections.empty());
  for (const DiffSection& section : diff.sections)
    EXPECT_TRUE(section.title != "tree" && section.title != "environment") << section.title;
  EXPECT_EQ(diff.sections.back().title, "losses");
}

TEST_F(DiffTest, OfTwoCapturedMachinesTheShadowingCopyIsTold) {
  const auto side = [](const char* name) {
    const Result<std::vector<Case>> cases =
        LoadCases(std::string(GPUSTAGE_MACHINES) + "/" + name + ".yaml", FindCatalog({}));
    EXPECT_THAT(cases, IsOk());
    FlatCase flat = FlatOf(cases->front());
    Trials trials(TheRunner(), 1, 1, nullptr);
    const AttemptResult attempt = trials.Explained(flat);
    return DiffSide{name, std::move(flat), attempt->evidence};
  };
  const Diff diff = DiffOf(side("h200-healthy"), side("h200-stub-first"));
  EXPECT_FALSE(diff.first_b.empty());
  ASSERT_FALSE(diff.sections.empty());
  EXPECT_EQ(diff.sections.front().title, "tree");
  EXPECT_THAT(diff.sections.front().only_b, Contains(HasSubstr("libcuda.so")));
}

}  // namespace
}  // namespace gpustage
