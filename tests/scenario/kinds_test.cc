// The format promises kinds of faults and of broken libraries; each promise is kept by a scenario
// whose claims pass and, turned round, fail (tests/pipeline), or by a test that is named here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/scenario/read/readers.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::IsEmpty;

// What no scenario can wait for.
const std::map<std::string, std::string> kInTests = {
    {"hang", "Fake.HangsWhenAFaultSaysSoAndIsSeenToHaveBeenCalled"}};

class Kinds : public testing::Test {
 protected:
  static const std::vector<Case>& Cases() {
    static const std::vector<Case> cases = [] {
      std::vector<Case> all;
      const Catalog catalog = FindCatalog({});
      const auto files = DiscoverScenarios({catalog.scenarios});
      EXPECT_THAT(files, IsOk());
      for (const std::string& file : *files) {
        const auto some = LoadCases(file, catalog);
        EXPECT_THAT(some, IsOk());
        if (some) all.insert(all.end(), some->begin(), some->end());
      }
      return all;
    }();
    return cases;
  }

  // The words that no case with a claim has, less those that a test has.
  template <typename Has>
  static std::set<std::string> Missing(const std::vector<std::string>& words, Has has) {
    std::set<std::string> missing(words.begin(), words.end());
    for (const auto& [word, test] : kInTests) missing.erase(word);
    for (size_t kind = 0; kind < words.size(); ++kind)
      for (const Case& c : Cases())
        if (!c.expect.empty() && has(c, kind)) missing.erase(words[kind]);
    return missing;
  }
};

TEST_F(Kinds, OfFaultsEachHaveAScenario) {
  EXPECT_THAT(Missing(FaultWords(),
                      [](const Case& c, size_t kind) {
                        for (const FaultSpec& fault : c.machine.faults)
                          if (fault.kind == static_cast<FaultKind>(kind)) return true;
                        return false;
                      }),
              IsEmpty());
}

TEST_F(Kinds, OfBrokenLibrariesEachHaveAScenario) {
  EXPECT_THAT(Missing(BreakageWords(),
                      [](const Case& c, size_t kind) {
                        for (const TreeOp& op : c.tree)
                          if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
                              placed != nullptr &&
                              std::any_of(placed->broken.begin(), placed->broken.end(),
                                          [&](const Breakage& broken) {
                                            return broken.kind == static_cast<Breakage::Kind>(kind);
                                          }))
                            return true;
                        return false;
                      }),
              IsEmpty());
}

// A kind that the reader's table lacks would be counted nowhere.
TEST_F(Kinds, AreAllInTheTables) {
  EXPECT_EQ(FaultWords().size(), static_cast<size_t>(FaultKind::kErrno) + 1);
  EXPECT_EQ(BreakageWords().size(), static_cast<size_t>(Breakage::Kind::kConstructorCrashes) + 1);
  ASSERT_EQ(BreakageWords()[static_cast<size_t>(Breakage::Kind::kStaticTls)], "static_tls");
  ASSERT_EQ(FaultWords()[static_cast<size_t>(FaultKind::kLost)], "lost");
}

}  // namespace
}  // namespace gpustage
