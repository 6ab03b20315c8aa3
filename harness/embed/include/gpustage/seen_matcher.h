// A GoogleMock matcher made of a check of what a run showed. Header-only, so that it is compiled
// against your own GoogleTest. Included by gpustage/matchers.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <source_location>
#include <string>
#include <utility>

#include "gpustage/stage.h"

namespace gpustage {

using Here = std::source_location;  // never given: it is the line of the call

class SeenMatcher {
 public:
  using is_gtest_matcher = void;
  using Checker = std::function<Finding(const RunResult&)>;
  explicit SeenMatcher(Checker check, Here here = Here::current())
      : check_(std::move(check)),
        expected_(check_(RunResult()).expected),
        untold_(std::make_shared<Untold>(here)) {}

  // What a failing EXPECT_THAT shows: the answer, and the claim that it is to, since AllOf does not
  // say which of its parts it was; then where each library got to, and the log.
  bool MatchAndExplain(const RunResult& seen, testing::MatchResultListener* listener) const {
    if (listener->IsInterested())
      untold_->why.clear();  // it is told by this answer
    else
      untold_->Tell();
    const std::string& why_not = seen.error.empty() ? seen.skipped : seen.error;
    if (!why_not.empty()) return CannotSay("the scanner did not run: " + why_not, listener);
    const Finding finding = check_(seen);
    if (finding.unknown) return CannotSay("not observable: " + finding.seen, listener);
    if (!listener->IsInterested()) return finding.ok;
    *listener << "for which \"" << expected_ << "\" "
              << (finding.ok ? "holds: " : "does not hold: ") << finding.seen;
    const std::string more = More(seen);
    if (!more.empty()) *listener << "\n" << more;
    return finding.ok;
  }
  void DescribeTo(std::ostream* out) const { *out << expected_; }
  void DescribeNegationTo(std::ostream* out) const { *out << "not " << expected_; }

 private:
  // EXPECT_THAT asks twice where it fails, and the second time it prints what it hears. Below Not
  // it asks once and takes "false" for a pass, so what was not told by then is told here.
  struct Untold {
    explicit Untold(Here place) : here(place) {}
    ~Untold() { Tell(); }
    void Tell() {
      if (!why.empty()) ADD_FAILURE_AT(here.file_name(), static_cast<int>(here.line())) << why;
      why.clear();
    }
    Here here;
    std::string why;
  };

  bool CannotSay(const std::string& why, testing::MatchResultListener* listener) const {
    if (listener->IsInterested())
      *listener << "of which nobody can say \"" << expected_ << "\": " << why;
    else
      untold_->why = "\"" + expected_ + "\": " + why;
    return false;
  }

  static std::string More(const RunResult& seen) {
    constexpr size_t kLines = 12, kColumns = 160;
    std::string text = seen.funnel;
    const size_t first = seen.log.size() > kLines ? seen.log.size() - kLines : 0;
    if (first > 0)
      text += "  log       the last of " + std::to_string(seen.log.size()) + " lines:\n";
    for (size_t i = first; i < seen.log.size(); ++i) {
      const std::string& line = seen.log[i];
      text +=
          "  log       " + (line.size() > kColumns ? line.substr(0, kColumns) + " …" : line) + "\n";
    }
    return text;
  }

  Checker check_;
  std::string expected_;
  std::shared_ptr<Untold> untold_;
};

}  // namespace gpustage
