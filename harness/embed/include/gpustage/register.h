// Shows every case of scenario files to your own GoogleTest: filters, shards, repetition and its
// XML work as for any test. In a main() of your own, between InitGoogleTest and RUN_ALL_TESTS:
//
//   const gpustage::CaseList list = gpustage::ListCases({"scenarios"});
//   if (!list.error.empty()) return std::fputs(list.error.c_str(), stderr), 2;
//   gpustage::RegisterCases(list.cases);
#pragma once

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "gpustage/cases.h"

namespace gpustage {

class ScenarioTest : public testing::Test {
 public:
  explicit ScenarioTest(ListedCase listed) : listed_(std::move(listed)) {}
  void TestBody() override {
    RecordProperty("id", listed_.id);
    const CaseEnd end = RunListed(listed_);
    if (!end.known_bug.empty()) RecordProperty("known_bug", end.known_bug);
    if (!end.failed.empty()) {
      ADD_FAILURE_AT(end.file.c_str(), end.line) << end.failed;  // the line of the expectation
      return;
    }
    if (!end.skipped.empty()) GTEST_SKIP() << end.skipped;
    if (!end.skips.empty()) std::printf("skipped %s", end.skips.c_str());
    if (!end.known_bug.empty()) std::printf("fails as expected: %s\n", end.known_bug.c_str());
  }

 private:
  ListedCase listed_;
};

inline void RegisterCases(const std::vector<ListedCase>& cases) {
  for (const ListedCase& listed : cases)
    testing::RegisterTest(listed.suite.c_str(), listed.name.c_str(), nullptr, nullptr,
                          listed.file.c_str(), 1,
                          [listed]() -> ScenarioTest* { return new ScenarioTest(listed); });
}

// Whether --gtest_filter takes any of them. A shard may be empty, a filter may not.
inline bool FilterMatchesAny(const std::vector<ListedCase>& cases, const std::string& filter) {
  const auto any_of = [](const std::string& patterns, const std::string& name) {
    for (size_t at = 0; at <= patterns.size();) {
      const size_t end = std::min(patterns.find(':', at), patterns.size());
      if (fnmatch(patterns.substr(at, end - at).c_str(), name.c_str(), FNM_NOESCAPE) == 0)
        return true;
      at = end + 1;
    }
    return false;
  };
  const size_t minus = filter.find('-');
  const std::string wanted = minus == 0 ? "*" : filter.substr(0, minus);
  const std::string unwanted = minus == std::string::npos ? "" : filter.substr(minus + 1);
  for (const ListedCase& listed : cases)
    if (const std::string name = listed.suite + "." + listed.name;
        any_of(wanted, name) && !any_of(unwanted, name))
      return true;
  return false;
}

}  // namespace gpustage
