#include "harness/suite/processors.h"

#include <gtest/gtest.h>

namespace gpustage {
namespace {

// Documentation/admin-guide/cgroup-v2.rst: cpu.max is "$MAX $PERIOD", "max" is no limit. In v1 a
// quota of -1 is none (Documentation/scheduler/sched-bwc.rst).
TEST(Processors, AreAsManyAsAControlGroupLets) {
  EXPECT_EQ(ProcessorsWith(64, "200000 100000\n"), 2);
  EXPECT_EQ(ProcessorsWith(64, "150000 100000\n"), 2);
  EXPECT_EQ(ProcessorsWith(64, "1000 100000\n"), 1);
  EXPECT_EQ(ProcessorsWith(2, "400000 100000\n"), 2);
  for (const char* none : {"max 100000\n", "-1 100000\n", "", "x", "100000", "100000 0"})
    EXPECT_EQ(ProcessorsWith(64, none), 64) << none;
  EXPECT_EQ(ProcessorsWith(0, ""), 1);
}

}  // namespace
}  // namespace gpustage
