#include "harness/cli/help_topic.h"

#include <gmock/gmock.h>

#include "harness/scenario/model/cause.h"
#include "harness/scenario/model/claim_parts.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;

TEST(TopicText, SaysWhatAKeyMeansAndWhatItTakes) {
  const auto text = TopicText("lost", 100);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("in expect"));
  EXPECT_THAT(*text, HasSubstr("keys     library, at, because, cause, known"));
  EXPECT_THAT(*text, HasSubstr("example  lost: {library: libggml-cuda.so"));
}

TEST(TopicText, KnowsEveryCauseStepAndWayToBeBroken) {
  const std::vector<std::string> words = TopicWords();
  EXPECT_THAT(words, IsSupersetOf(CauseWords()));
  EXPECT_THAT(words, IsSupersetOf(BreakageWords()));
  for (Step step = Step::kListed; step <= Step::kReported; step = Step(static_cast<int>(step) + 1))
    EXPECT_THAT(words, testing::Contains(ToString(step)));
}

TEST(TopicText, HasAWordOfMeaningForEach) {
  for (const std::string& word : TopicWords())
    EXPECT_GT(TopicText(word, 100)->size(), word.size() + 20) << word;
}

TEST(TopicText, KnowsNothingOfOtherWords) { EXPECT_FALSE(TopicText("frobnicate", 100)); }

}  // namespace
}  // namespace gpustage
