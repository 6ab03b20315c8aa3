// Approved texts: what a report looks like, in tests/golden/. `ninja approve` accepts what it looks
// like now; look at the difference in git before it is committed.
#pragma once

#include <cstdlib>
#include <string>

#include "harness/base/files.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {

inline void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = InSources("/tests/golden/") + name;
  if (std::getenv("GPUSTAGE_APPROVE") != nullptr) {
    ASSERT_THAT(WriteFile(path, text), IsOk());
    return;
  }
  const Result<std::string> approved = ReadFile(path);
  ASSERT_THAT(approved, IsOk());
  EXPECT_EQ(text, *approved) << "tests/golden/" << name << " is approved by: ninja approve";
}

}  // namespace gpustage
