// Where finished runs wait for the reports.
#include "harness/suite/spool.h"

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReportedRun RunOf(const std::string& id, VerdictKind verdict = VerdictKind::kPass) {
  ReportedRun run;
  run.id = id;
  run.verdict = verdict;
  run.log = {"a line\nof two", "odd \x01"};
  return run;
}

class SpoolTest : public testing::Test {
 protected:
  template <typename Read>
  std::vector<std::string> Ids(Read read) {
    std::vector<std::string> ids;
    EXPECT_THAT((spool_.*read)([&](const ReportedRun& run) -> Status {
                  ids.push_back(run.id);
                  return Ok();
                }),
                IsOk());
    return ids;
  }
  Spool spool_ = *Spool::Make();
};

TEST_F(SpoolTest, GivesRunsBackByThePlacesOfTheirCases) {
  for (const auto& [id, place] : {std::pair{"c1", 2}, {"a1", 0}, {"c2", 2}, {"b1", 1}})
    ASSERT_THAT(spool_.Add(RunOf(id), static_cast<size_t>(place)), IsOk());
  for (int again = 0; again < 2; ++again)
    EXPECT_THAT(Ids(&Spool::Each), ElementsAre("a1", "b1", "c1", "c2"));
  EXPECT_THAT(Ids(&Spool::EachBad), IsEmpty());
  spool_.Order({3, 2, 1, 0});
  EXPECT_THAT(Ids(&Spool::Each), ElementsAre("b1", "c2", "a1", "c1"));
}

TEST_F(SpoolTest, GivesEachRunBackAsItWas) {
  const ReportedRun run = RunOf("a", VerdictKind::kFail);
  ASSERT_THAT(spool_.Add(run, 0), IsOk());
  EXPECT_THAT(spool_.EachBad([&](const ReportedRun& read) -> Status {
    EXPECT_EQ(read, run);
    return Ok();
  }),
              IsOk());
}

TEST_F(SpoolTest, EndsAtAnErrorOfItsReader) {
  ASSERT_THAT(spool_.Add(RunOf("a"), 0), IsOk());
  EXPECT_THAT(spool_.Each([](const ReportedRun&) -> Status { return Error{"enough"}; }),
              FailsWith("enough"));
}

}  // namespace
}  // namespace gpustage
