// A GoogleMock matcher made of a check of what a run showed. Header-only, so that it is compiled
// against your own GoogleTest. Included by gpustage/matchers.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <utility>

#include "gpustage/stage.h"

namespace gpustage {

class SeenMatcher {
 public:
  using is_gtest_matcher = void;
  using Checker = std::function<Finding(const RunResult&)>;
  explicit SeenMatcher(Checker check)
      : check_(std::move(check)), expected_(check_(RunResult()).expected) {}

  bool MatchAndExplain(const RunResult& seen, testing::MatchResultListener* listener) const {
    const std::string& why_not = seen.error.empty() ? seen.skipped : seen.error;
    if (!why_not.empty()) return CannotSay("the scanner did not run: " + why_not, listener);
    const Finding finding = check_(seen);
    if (finding.unknown) return CannotSay("not observable: " + finding.seen, listener);
    *listener << finding.seen;
    return finding.ok;
  }
  void DescribeTo(std::ostream* out) const { *out << expected_; }
  void DescribeNegationTo(std::ostream* out) const { *out << "not " << expected_; }

 private:
  bool CannotSay(const std::string& why, testing::MatchResultListener* listener) const {
    ADD_FAILURE() << expected_ << ": " << why;
    *listener << why;
    return false;
  }

  Checker check_;
  std::string expected_;
};

}  // namespace gpustage
