// GoogleMock matchers over what a run showed. Header-only, so that they are compiled against your
// own GoogleTest; what a failing one prints is the sentence of the check that a scenario's claim is
// held to.
//
//   GPUSTAGE_SKIP_UNLESS_RUN(seen);
//   EXPECT_THAT(seen, FindsDevices(2));
//   EXPECT_THAT(seen, Loads("libcuda.so.1", FoundBy(kRunpath)));
//
// What could not be observed is never a pass: it fails the test, also below testing::Not.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <sstream>
#include <string>
#include <utility>

#include "gpustage/seen_matcher.h"
#include "gpustage/stage.h"

namespace gpustage {

// Any claim that `expect` of a scenario may make, as its text: Shows("outcome: {killed: SIGBUS}").
inline SeenMatcher Shows(const std::string& claim, Here here = Here::current()) {
  return SeenMatcher([claim](const RunResult& seen) { return seen.Check(claim); }, here);
}

inline SeenMatcher FindsDevices(int count, Here here = Here::current()) {
  return Shows("devices: " + std::to_string(count), here);
}
inline SeenMatcher FindsAtLeast(int count, Here here = Here::current()) {
  return Shows("devices: {at_least: " + std::to_string(count) + "}", here);
}

// `text` as a scalar of a claim.
inline std::string InQuotes(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// The rule by which the loader found a library; for Loads.
enum LoaderRule { kLdLibraryPath, kRpath, kRunpath, kCache, kDefaultDirectory };
struct LoadedHow {
  std::string text;
};
inline LoadedHow FoundBy(LoaderRule rule) {
  constexpr const char* kWords[] = {"LD_LIBRARY_PATH", "RPATH", "RUNPATH", "cache", "default"};
  return {std::string(", by: ") + kWords[rule]};
}
// The path that was mapped, in the tree.
inline LoadedHow From(const std::string& path) { return {", from: " + InQuotes(path)}; }

// A name, and the line that says it: what comes behind may be of any number.
struct NameHere {
  NameHere(const char* text, Here at = Here::current()) : name(text), here(at) {}  // NOLINT
  NameHere(std::string text, Here at = Here::current())                            // NOLINT
      : name(std::move(text)), here(at) {}
  std::string name;
  Here here;
};

// By SONAME, base name or path; as it may say, FoundBy(…) and From(…).
template <typename... How>
SeenMatcher Loads(const NameHere& library, const How&... how) {
  return Shows("loads: {library: " + InQuotes(library.name) +
                   (std::string() + ... + LoadedHow(how).text) + "}",
               library.here);
}

// A function of a fake, by anyone, at least once.
inline SeenMatcher Calls(const std::string& function, Here here = Here::current()) {
  return Shows("calls: {function: " + InQuotes(function) + "}", here);
}

// The library is the end of its path; "": any.
inline SeenMatcher LosesDeviceAt(FunnelStep step, const std::string& library = "",
                                 Here here = Here::current()) {
  return SeenMatcher([=](const RunResult& seen) { return seen.CheckLoss(step, library); }, here);
}

// A failure of which no log line says so.
inline SeenMatcher IsSilent(Here here = Here::current()) { return Shows("silent: true", here); }

// A line of the log without its time and colours: Logs(HasSubstr("no CUDA")).
inline SeenMatcher Logs(const testing::Matcher<const std::string&>& line,
                        Here here = Here::current()) {
  std::ostringstream words;
  line.DescribeTo(&words);
  const auto check = [line, expected = "a log line that " + words.str()](const RunResult& seen) {
    for (const std::string& logged : seen.log)
      if (line.Matches(logged)) return Finding{true, false, expected, logged};
    return Finding{false, false, expected, "no such line among " + std::to_string(seen.log.size())};
  };
  return SeenMatcher(check, here);
}

// In a line: a matcher's answer comes behind it, and what led to that below.
inline void PrintTo(const RunResult& seen, std::ostream* out) {
  *out << "a run that "
       << (!seen.error.empty() || !seen.skipped.empty() ? "was not started" : seen.outcome);
}

}  // namespace gpustage

// Skips this test where the machine cannot run what was asked for, and says why; in the test's own
// body, as GTEST_SKIP() is.
#define GPUSTAGE_SKIP_UNLESS_RUN(seen) \
  if ((seen).skipped.empty()) {        \
  } else                               \
    GTEST_SKIP() << (seen).skipped
