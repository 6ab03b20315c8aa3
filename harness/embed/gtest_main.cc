// gpustage-gtest [PATH…] [--gtest_…]: every case of the scenarios as a test of GoogleTest.
#include <cstdio>

#include "gpustage/register.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const gpustage::CaseList list = gpustage::ListCases({argv + 1, argv + argc});
  if (!list.error.empty()) {
    std::fprintf(stderr, "%s\n", list.error.c_str());
    return 2;
  }
  if (!gpustage::FilterMatchesAny(list.cases, testing::GTEST_FLAG(filter))) {
    std::fprintf(stderr, "gpustage: no case matches --gtest_filter=%s\n", testing::GTEST_FLAG(filter).c_str());
    return 2;
  }
  gpustage::RegisterCases(list.cases);
  return RUN_ALL_TESTS();
}
