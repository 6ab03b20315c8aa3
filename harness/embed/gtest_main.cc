// gpustage-gtest [PATH…] [--scanner NAME]… [--gtest_…]: every case of the scenarios as a test of
// GoogleTest.
#include <cstdio>

#include "gpustage/register.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::string> paths, scanners;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--scanner" && i + 1 < argc) {
      scanners.push_back(argv[++i]);
    } else if (word.starts_with("-")) {
      std::fprintf(
          stderr,
          "usage: gpustage-gtest [PATH...] [--scanner NAME or FILE.yaml]... [--gtest_...]\n");
      return word == "--help" ? 0 : 2;
    } else {
      paths.push_back(word);
    }
  }
  const gpustage::CaseList list = gpustage::ListCases(paths, scanners);
  if (!list.error.empty()) {
    std::fprintf(stderr, "%s\n", list.error.c_str());
    return 2;
  }
  if (!gpustage::FilterMatchesAny(list.cases, testing::GTEST_FLAG(filter))) {
    std::fprintf(stderr, "gpustage: no case matches --gtest_filter=%s\n",
                 testing::GTEST_FLAG(filter).c_str());
    return 2;
  }
  gpustage::RegisterCases(list.cases);
  return RUN_ALL_TESTS();
}
