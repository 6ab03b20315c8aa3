// Matchers for Result<T>. They print the error, never its bytes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "harness/base/result.h"

namespace gpustage {

// "a.yaml:7:14: expected a minor version number".
inline std::string WholeMessage(const Error& error) {
  return error.pos ? ToString(*error.pos) + ": " + error.message : error.message;
}

inline void PrintTo(const Error& error, std::ostream* out) { *out << WholeMessage(error); }

template <typename T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (result.ok())
    *out << "ok, " << testing::PrintToString(*result);
  else
    *out << "error \"" << WholeMessage(result.error()) << '"';
}

// The whole message with its position.
MATCHER_P(FailsWith, message, std::string("fails with ") + testing::PrintToString(message)) {
  if (arg.ok()) return false;
  *result_listener << "it says \"" << WholeMessage(arg.error()) << '"';
  return WholeMessage(arg.error()) == message;
}

// A part of the message, and where.
MATCHER_P3(FailsAt, line, column, part,
           "fails at " + std::to_string(line) + ":" + std::to_string(column) + " with " +
               testing::PrintToString(part)) {
  if (arg.ok()) return false;
  const Error& error = arg.error();
  if (!error.pos) {
    *result_listener << "it failed nowhere: " << error.message;
    return false;
  }
  *result_listener << "it failed at " << error.pos->line << ':' << error.pos->column;
  return error.pos->line == line && error.pos->column == column &&
         error.message.find(part) != std::string::npos;
}

MATCHER(IsOk, "is ok") { return arg.ok(); }

// `inner` is a value or a matcher for the value.
template <typename Inner>
class IsOkAndMatcher {
 public:
  explicit IsOkAndMatcher(Inner inner) : inner_(std::move(inner)) {}

  template <typename T>
  operator testing::Matcher<const Result<T>&>() const {  // NOLINT: as GoogleMock does
    return testing::MakeMatcher(new Implementation<T>(testing::SafeMatcherCast<const T&>(inner_)));
  }
  template <typename T>
  operator testing::Matcher<Result<T>>() const {  // NOLINT
    return testing::SafeMatcherCast<Result<T>>(
        static_cast<testing::Matcher<const Result<T>&>>(*this));
  }

 private:
  template <typename T>
  class Implementation : public testing::MatcherInterface<const Result<T>&> {
   public:
    explicit Implementation(testing::Matcher<const T&> inner) : inner_(std::move(inner)) {}
    bool MatchAndExplain(const Result<T>& result,
                         testing::MatchResultListener* listener) const override {
      return result.ok() && inner_.MatchAndExplain(*result, listener);
    }
    void DescribeTo(std::ostream* out) const override {
      *out << "is ok and ";
      inner_.DescribeTo(out);
    }

   private:
    testing::Matcher<const T&> inner_;
  };

  Inner inner_;
};

template <typename Inner>
IsOkAndMatcher<Inner> IsOkAnd(Inner inner) {
  return IsOkAndMatcher<Inner>(std::move(inner));
}

}  // namespace gpustage
