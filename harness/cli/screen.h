// Where a run's lines go while it goes on: a terminal, whose last line says how far it has come, or
// a file.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/report/text.h"

namespace gpustage {

// `color` is auto, always or never; auto asks the terminal, TERM and NO_COLOR. `longest` is how
// long the longest id is.
TextStyle StyleFor(std::FILE* out, size_t longest, const std::string& color);

// What cannot be written is noticed when the program ends; a run goes on.
void Print(std::FILE* out, const std::string& text);

// A block a failure, then the totals and what changed since the baseline.
// `more`: what is said behind the block of a bad run.
using MoreOfRun = std::function<std::string(const ReportedRun&)>;
Status PrintOutcome(const Report& report, const RunList& runs, const TextStyle& style,
                    std::FILE* out, const MoreOfRun& more = {});

// How much is said of what is as expected.
enum class Talk { kQuiet, kUsual, kVerbose };

class Screen {
 public:
  Screen(std::FILE* out, TextStyle style, size_t all, Talk talk);
  ~Screen() { Finish(); }
  Screen(const Screen&) = delete;
  const TextStyle& style() const { return style_; }

  // The runs of a case that has ended. Cases are shown in the order of the list: one that ended
  // before another is shown after that one.
  void Ended(size_t place, const std::vector<ReportedRun>& runs);
  // Shows what waits for a case that never ended, and takes the last line away.
  void Finish();

 private:
  std::string LinesOf(const std::vector<ReportedRun>& runs) const;
  void Clear();

  std::FILE* const out_;
  const TextStyle style_;
  const bool terminal_;
  const Talk talk_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Progress progress_;
  size_t next_ = 0;                        // the place that is shown next
  std::map<size_t, std::string> waiting_;  // lines by place
  bool shown_ = false;
};

}  // namespace gpustage
