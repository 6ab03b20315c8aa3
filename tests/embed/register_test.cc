#include "gpustage/register.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/base/files.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

TEST(ListCases, NamesHaveNothingThatAFilterTakesForItsOwn) {
  const CaseList list = ListCases({});
  ASSERT_EQ(list.error, "");
  ASSERT_FALSE(list.cases.empty());
  std::set<std::string> names;
  for (const ListedCase& listed : list.cases) {
    const std::string text = listed.suite + listed.name;
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '/' || c == '=';
    })) << text;
    EXPECT_TRUE(names.insert(listed.suite + "." + listed.name).second) << listed.id;
  }
}

TEST(ListCases, UnknownScenarioIsAnError) {
  EXPECT_THAT(ListCases({"first-steps/no-such"}).error, HasSubstr("first-steps/no-such"));
}

// Patterns are those of --gtest_filter: ':' between them, '-' before what is not wanted.
TEST(FilterMatchesAny, ReadsAFilterAsGoogleTestDoes) {
  const std::vector<ListedCase> cases = {{"", "first_steps", "links/cuda=12", "", nullptr}};
  for (const char* filter : {"*", "first_steps.*", "x:*=12", "-other.*", "*cuda=1?"})
    EXPECT_TRUE(FilterMatchesAny(cases, filter)) << filter;
  for (const char* filter : {"", "other.*", "first_steps", "*-*links*", "-first_steps.*"})
    EXPECT_FALSE(FilterMatchesAny(cases, filter)) << filter;
}

// The line of the expectation, and none of ours.
TEST(ScenarioTest, FailsWhereTheScenarioSaysIt) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string file = scratch.path() + "/two.yaml";
  ASSERT_TRUE(WriteFile(file,
                        "claim: there are two\nmachine: {devices: [h100-80gb]}\n"
                        "layout: [nvidia-driver-debian, ollama-cuda-12]\n"
                        "runs: [{scanner: ollama-model}]\nexpect:\n  - outcome: {exited: 0}\n"
                        "  - devices: 2\n")
                  .ok());
  const CaseList list = ListCases({file});
  ASSERT_EQ(list.error, "");
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    ScenarioTest(list.cases.at(0)).TestBody();
  }
  ASSERT_EQ(results.size(), 1);
  const testing::TestPartResult& result = results.GetTestPartResult(0);
  if (result.skipped()) GTEST_SKIP() << result.message();
  EXPECT_EQ(result.file_name(), file);
  EXPECT_EQ(result.line_number(), 7);
}

}  // namespace
}  // namespace gpustage
