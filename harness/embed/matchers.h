// GoogleMock matchers over what a run showed. Header-only, so that they are compiled against your own GoogleTest; what a
// failing one prints is the sentence of the check that a scenario's claim is held to.
//
// What could not be observed is never a pass: it fails the test, also below testing::Not.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>

#include "harness/embed/stage.h"

namespace gpustage {

// The rule by which the loader found a library.
enum FoundByRule { kLdLibraryPath, kRpath, kRunpath, kCache, kDefaultDirectory };

class SeenMatcher {
 public:
  using is_gtest_matcher = void;
  using Checker = std::function<Check(const Evidence&)>;
  SeenMatcher(std::string expected, Checker check) : expected_(std::move(expected)), check_(std::move(check)) {}

  bool MatchAndExplain(const Seen& seen, testing::MatchResultListener* listener) const {
    const std::string& why_not = seen.error.empty() ? seen.skipped : seen.error;
    if (!why_not.empty()) return CannotSay("the scanner did not run: " + why_not, listener);
    return MatchAndExplain(seen.evidence, listener);
  }
  bool MatchAndExplain(const Evidence& evidence, testing::MatchResultListener* listener) const {
    const Check check = check_(evidence);
    if (check.unknown) return CannotSay("not observable: " + check.seen, listener);
    *listener << check.seen;
    return check.ok;
  }
  void DescribeTo(std::ostream* out) const { *out << expected_; }
  void DescribeNegationTo(std::ostream* out) const { *out << "not " << expected_; }

 private:
  bool CannotSay(const std::string& why, testing::MatchResultListener* listener) const {
    ADD_FAILURE() << expected_ << ": " << why;
    *listener << why;
    return false;
  }

  std::string expected_;
  Checker check_;
};

inline SeenMatcher Shows(Claim claim) {
  const std::string expected = ToString(claim);
  return {expected, [claim = std::move(claim)](const Evidence& evidence) { return CheckClaim(evidence, claim); }};
}

inline SeenMatcher FindsDevices(int count) { return Shows({DevicesClaim{{count, count}}, false, {}}); }
inline SeenMatcher FindsAtLeast(int count) { return Shows({DevicesClaim{{count, std::nullopt}}, false, {}}); }

// FoundBy(kRunpath), for Loads.
inline std::string FoundBy(FoundByRule rule) {
  constexpr const char* kWords[] = {"LD_LIBRARY_PATH", "RPATH", "RUNPATH", "cache", "default"};
  return kWords[rule];
}

// By SONAME, base name or path.
inline SeenMatcher Loads(const std::string& library, std::optional<std::string> found_by = std::nullopt) {
  LoadsClaim claim;
  claim.library = library;
  claim.by = std::move(found_by);
  return Shows({claim, false, {}});
}

inline SeenMatcher LosesDeviceAt(Step step, const std::string& library = "") {
  return {"lost at \"" + ToString(step) + "\"" + (library.empty() ? "" : ": " + library),
          [=](const Evidence& evidence) { return CheckLoses(evidence, step, library); }};
}

inline SeenMatcher Calls(const std::string& function) {
  CallsClaim claim;
  claim.function = function;
  return Shows({claim, false, {}});
}

// A line of the log without its time and colours: Logs(HasSubstr("no CUDA")).
inline SeenMatcher Logs(const testing::Matcher<const std::string&>& line) {
  std::ostringstream words;
  line.DescribeTo(&words);
  return {"a log line that " + words.str(), [line](const Evidence& evidence) {
            for (const LogLine& logged : evidence.log)
              if (line.Matches(logged.text)) return CheckLog(evidence, {{logged.text, false}, true});
            return CheckLog(evidence, {{"[^\\s\\S]", true}, true});  // its words for a line that is not there
          }};
}

inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << (!seen.error.empty() ? seen.error : !seen.skipped.empty() ? seen.skipped : DevicesSeen(seen.evidence));
}
inline void PrintTo(const Evidence& evidence, std::ostream* out) { *out << DevicesSeen(evidence); }

}  // namespace gpustage
