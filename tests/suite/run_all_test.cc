// What goes wrong in one case stays in it.
#include "harness/suite/run_all.h"

#include <new>
#include <stdexcept>
#include <system_error>

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

class GuardedTest : public testing::Test {
 protected:
  GuardedTest() {
    outline_.c.id = "a";
    outline_.runs.resize(2);
  }
  CaseReport outline_;
};

TEST_F(GuardedTest, AnExceptionIsTheErrorOfItsCase) {
  const CaseReport thrown =
      Guarded([]() -> CaseReport { throw std::out_of_range("at 7"); }, outline_);
  ASSERT_EQ(thrown.runs.size(), 2u);
  for (const RunReport& run : thrown.runs) {
    EXPECT_EQ(run.verdict.kind, VerdictKind::kError);
    EXPECT_EQ(run.verdict.because, "gpustage has a bug: at 7");
  }
}

TEST_F(GuardedTest, SoIsALackOfMemory) {
  const CaseReport thrown = Guarded([]() -> CaseReport { throw std::bad_alloc(); }, outline_);
  EXPECT_EQ(thrown.runs[0].verdict.because, "gpustage has no memory left for it");
}

// A thread that cannot be started, where processes or addresses are limited.
TEST_F(GuardedTest, SoIsALackOfThreadsAndItIsNoBug) {
  const CaseReport thrown = Guarded(
      []() -> CaseReport {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      },
      outline_);
  EXPECT_EQ(thrown.runs[0].verdict.because,
            "this machine does not give gpustage what it needs: Resource temporarily unavailable");
}

TEST_F(GuardedTest, WhatDoesNotHoldIsAnErrorToo) {
  const CaseReport thrown = Guarded(
      []() -> CaseReport {
        GPUSTAGE_CHECK(1 + 1 == 3);
        return {};
      },
      outline_);
  EXPECT_EQ(thrown.runs[0].verdict.kind, VerdictKind::kError);
  EXPECT_THAT(thrown.runs[0].verdict.because, testing::HasSubstr("run_all_test.cc"));
}

}  // namespace
}  // namespace gpustage
