// gpustage for somebody who is not root.
#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

class AsNobodyTest : public CliTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0)
      GTEST_SKIP() << "we are an ordinary user already: all other tests are this one";
    CliTest::SetUp();
    ASSERT_EQ(chmod(scratch_.path().c_str(), 0755), 0);
    ASSERT_EQ(chown(Path("tmp").c_str(), 65534, 65534), 0);
    environment_["HOME"] = Path("tmp");
    environment_["GPUSTAGE_CACHE"] = Path("tmp");
    if (AsNobody({"list"}).status != 0)
      GTEST_SKIP() << "nobody cannot read " GPUSTAGE_PROGRAM " and its scenarios";
    if (AsNobody({"doctor"}).status == 3) GTEST_SKIP() << "nobody gets no user namespace here";
  }

  Ran AsNobody(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {"setpriv", "--reuid",        "65534",         "--regid",
                                    "65534",   "--clear-groups", GPUSTAGE_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    return Finish(Start(all, environment_, scratch_.path()), scratch_.path());
  }
};

TEST_F(AsNobodyTest, AHealthyTreeIsHealthy) {
  const Ran ran = AsNobody({"run", "first-steps/healthy", "--scanner", "ollama-model"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\n4 passed, 0 failed in "));
}

// One id owns the tree and runs the scanner: no verdict is better than a wrong one.
TEST_F(AsNobodyTest, AModeThatCannotDecideIsASkip) {
  const Ran ran = AsNobody({"run", "first-steps/unlistable-directory@mode=0711"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  const bool lent = AsNobody({"doctor"}).out.find("isolation  user namespace with lent ids") == 0;
  EXPECT_THAT(ran.out,
              HasSubstr(lent ? "\n2 passed, 0 failed in " : "needs a second uid: the mode of "));
}

TEST_F(AsNobodyTest, DoctorSaysWhatIsMissing) {
  const std::string out = AsNobody({"doctor"}).out;
  EXPECT_THAT(out, testing::StartsWith("isolation  user namespace with "));
  EXPECT_THAT(out, HasSubstr("user namespace, ids lent by newuidmap"));
}

}  // namespace
}  // namespace gpustage
