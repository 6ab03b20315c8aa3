#include "harness/diagnose/diff.h"

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

}  // namespace
}  // namespace gpustage
