#include "gpustage/register.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

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

}  // namespace
}  // namespace gpustage
