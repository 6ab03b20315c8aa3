// gpustage-gtest [PATH…] [--gtest_…]: every case of the scenarios as a test of GoogleTest.
#include <cstdio>

#include "harness/embed/register.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto cases = gpustage::ListCases({argv + 1, argv + argc});
  if (!cases) {
    std::fprintf(stderr, "%s\n", gpustage::Rendered(cases.error()).c_str());
    return 2;
  }
  if (!gpustage::FilterMatchesAny(*cases, testing::GTEST_FLAG(filter))) {
    std::fprintf(stderr, "gpustage: no case matches --gtest_filter=%s\n", testing::GTEST_FLAG(filter).c_str());
    return 2;
  }
  gpustage::RegisterCases(*cases);
  return RUN_ALL_TESTS();
}
