// The sentence of every cause, as approved.
#include "tests/evidence/causes.h"

#include <fmt/format.h>

#include <set>

#include "harness/scenario/model/cause.h"
#include "harness/words/words.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

const FunnelRow* RowOf(const Example& example) {
  const FunnelRow* found = nullptr;
  for (const FunnelRow& row : example.evidence.funnel)
    if (row.library == example.library && (found == nullptr || row.reached > found->reached))
      found = &row;
  return found;
}

TEST(Causes, LooksAsApproved) {
  std::string table =
      "# What a loss says\n\nOne run for each cause (tests/evidence/cause_examples.cc). `ninja "
      "approve` accepts what is said now.\n\n"
      "| cause | lost at | when | sentence |\n|---|---|---|---|\n";
  for (const Example& example : CauseExamples()) {
    const FunnelRow* const row = RowOf(example);
    ASSERT_NE(row, nullptr) << example.what;
    table += fmt::format(
        "| {} | {} | {} | {} |\n", ToString(row->cause()),
        row->loss ? ToString(row->loss->at) : "(not lost)", example.what,
        !row->loss || row->loss->reason.empty()
            ? SentenceOf(row->remark)
            : ReasonText(*row) + (row->remark.empty() ? "" : " / " + SentenceOf(row->remark)));
  }
  ExpectGolden("causes.md", table);
}

TEST(Causes, AreAllShown) {
  std::set<std::string> shown;
  for (const Example& example : CauseExamples())
    if (const FunnelRow* row = RowOf(example)) shown.insert(ToString(row->cause()));
  for (const std::string& word : CauseWords())
    EXPECT_TRUE(word == "unknown" || shown.contains(word)) << word;
}

// "no errno number alone"
TEST(Causes, NameEveryNumberThatTheyGive) {
  for (const Example& example : CauseExamples()) {
    const std::optional<PathLoss>& loss = RowOf(example)->loss;
    const std::string reason = loss ? SentenceOf(loss->reason) : "";
    EXPECT_THAT(reason, testing::Not(HasSubstr("errno"))) << example.what;
    const size_t gave = reason.find(" gave ");
    EXPECT_TRUE(gave == std::string::npos || reason.find(" (", gave) != std::string::npos)
        << reason;
  }
}

}  // namespace
}  // namespace gpustage
