// GoogleMock matchers over what a run showed. Header-only, so that they are compiled against your
// own GoogleTest; what a failing one prints is the sentence of the check that a scenario's claim is
// held to.
//
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

#include "gpustage/seen_matcher.h"
#include "gpustage/stage.h"

namespace gpustage {

// Any claim that `expect` of a scenario may make, as its text: Shows("outcome: {killed: SIGBUS}").
inline SeenMatcher Shows(const std::string& claim) {
  return SeenMatcher([claim](const RunResult& seen) { return seen.Check(claim); });
}

inline SeenMatcher FindsDevices(int count) { return Shows("devices: " + std::to_string(count)); }
inline SeenMatcher FindsAtLeast(int count) {
  return Shows("devices: {at_least: " + std::to_string(count) + "}");
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

// By SONAME, base name or path; as it may say, FoundBy(…) and From(…).
template <typename... How>
SeenMatcher Loads(const std::string& library, const How&... how) {
  return Shows("loads: {library: " + InQuotes(library) +
               (std::string() + ... + LoadedHow(how).text) + "}");
}

// A function of a fake, by anyone, at least once.
inline SeenMatcher Calls(const std::string& function) {
  return Shows("calls: {function: " + InQuotes(function) + "}");
}

// The library is the end of its path; "": any.
inline SeenMatcher LosesDeviceAt(FunnelStep step, const std::string& library = "") {
  return SeenMatcher([=](const RunResult& seen) { return seen.CheckLoss(step, library); });
}

// A failure of which no log line says so.
inline SeenMatcher IsSilent() { return Shows("silent: true"); }

// A line of the log without its time and colours: Logs(HasSubstr("no CUDA")).
inline SeenMatcher Logs(const testing::Matcher<const std::string&>& line) {
  std::ostringstream words;
  line.DescribeTo(&words);
  return SeenMatcher([line, expected = "a log line that " + words.str()](const RunResult& seen) {
    for (const std::string& logged : seen.log)
      if (line.Matches(logged)) return Finding{true, false, expected, logged};
    return Finding{false, false, expected, "no such line among " + std::to_string(seen.log.size())};
  });
}

// What a failing test shows beside the sentence: how it ended, where each library got to, and the
// log.
inline void PrintTo(const RunResult& seen, std::ostream* out) {
  constexpr size_t kLines = 40;
  *out << (!seen.error.empty()     ? seen.error
           : !seen.skipped.empty() ? seen.skipped
                                   : seen.outcome + "\n" + seen.funnel);
  for (size_t i = 0; i < seen.log.size() && i < kLines; ++i)
    *out << "  log       " << seen.log[i] << "\n";
  if (seen.log.size() > kLines)
    *out << "  log       and " << seen.log.size() - kLines << " lines more\n";
}

}  // namespace gpustage
