// What a share of a distribution allows. The odds were computed apart, in exact binomial sums: of
// 40 starts and a share of 50%, 7 or fewer have 2.11e-5 and 8 or fewer 9.11e-5; of 100 and 20%, 5
// or fewer 1.87e-5, 6 or fewer 7.80e-5, 38 or more 2.50e-5 and 37 or more 6.19e-5. The limit is 1
// of 20,000 divided by two shares: 2.5e-5.
#include "harness/verdict/distribution.h"

#include <gmock/gmock.h>

#include "harness/scenario/model/case.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

Claim Stated(std::map<int64_t, double> shares) {
  return {DistributionClaim{std::move(shares)}, false, {"s.yaml", 3, 5}};
}

TEST(Distribution, AllowsWhatChanceGives) {
  const Claim even = Stated({{0, 0.5}, {1, 0.5}});
  EXPECT_FALSE(CheckDistribution(even, {{0, 7}, {1, 33}}).ok);
  EXPECT_TRUE(CheckDistribution(even, {{0, 8}, {1, 32}}).ok);
  EXPECT_TRUE(CheckDistribution(even, {{0, 32}, {1, 8}}).ok);
  EXPECT_FALSE(CheckDistribution(even, {{0, 33}, {1, 7}}).ok);
  const Claim fifth = Stated({{0, 0.2}, {2, 0.8}});
  EXPECT_FALSE(CheckDistribution(fifth, {{0, 5}, {2, 95}}).ok);
  EXPECT_TRUE(CheckDistribution(fifth, {{0, 6}, {2, 94}}).ok);
  EXPECT_TRUE(CheckDistribution(fifth, {{0, 37}, {2, 63}}).ok);
  EXPECT_FALSE(CheckDistribution(fifth, {{0, 38}, {2, 62}}).ok);
}

TEST(Distribution, SaysWhatWasSeenAndWhatWasToBeExpected) {
  const Check rare = CheckDistribution(Stated({{0, 0.2}, {1, 0.8}}), {{0, 60}, {1, 40}});
  EXPECT_EQ(rare.expected, "distribution: {0: 20%, 1: 80%}");
  EXPECT_EQ(rare.seen,
            "of 100 starts: 0 devices in 60, 1 device in 40; 0 devices so often, where 20 starts "
            "are to be expected, comes by chance in less than 1 of 20000 repeats");
  EXPECT_EQ(rare.pos->line, 3);
  EXPECT_THAT(CheckDistribution(Stated({{0, 0.5}, {1, 0.5}}), {{1, 40}}).seen,
              HasSubstr("0 devices in 0, 1 device in 40; 0 devices so rarely, where 20 "));
}

// 2^-15 is more than 2.5e-5, 2^-16 less.
TEST(Distribution, SaysWhenSoFewStartsCannotRefuteIt) {
  const Claim even = Stated({{0, 0.5}, {1, 0.5}});
  const Check few = CheckDistribution(even, {{1, 15}});
  EXPECT_TRUE(few.ok);
  EXPECT_THAT(
      few.seen,
      HasSubstr("of 15 starts: 0 devices in 0, 1 device in 15; so few starts could not refute it"));
  const Check enough = CheckDistribution(even, {{1, 16}});
  EXPECT_FALSE(enough.ok);
  EXPECT_THAT(enough.seen, Not(HasSubstr("so few")));
}

TEST(Distribution, IsFoundAmongTheExpectationsOfItsRun) {
  Case c;
  RunSpec run;
  run.name = "a";
  c.runs = {run};
  c.expect = {{std::string("a"), {}, {Stated({{0, 0.5}, {1, 0.5}})}, {}},
              {std::string("b"), {}, {Stated({{0, 0.2}, {1, 0.8}})}, {}}};
  ASSERT_EQ(DistributionsOf(c, run).size(), 1u);
  EXPECT_EQ(ToString(*DistributionsOf(c, run).front()), "distribution: {0: 50%, 1: 50%}");
}

}  // namespace
}  // namespace gpustage
