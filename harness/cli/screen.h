// Where a run's lines go while it goes on: a terminal, whose last line says how far it has come, or
// a file.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "harness/report/text.h"

namespace gpustage {

// `color` is auto, always or never; auto asks the terminal, TERM and NO_COLOR.
TextStyle StyleFor(std::FILE* out, const std::vector<std::string>& ids, const std::string& color);

// A block a failure, then the totals and what changed since the baseline.
void PrintOutcome(const Report& report, const TextStyle& style, std::FILE* out);

class Screen {
 public:
  Screen(std::FILE* out, TextStyle style, size_t all);
  ~Screen() { Clear(); }
  Screen(const Screen&) = delete;
  const TextStyle& style() const { return style_; }

  // The runs of a case that has ended.
  void Ended(const std::vector<ReportedRun>& runs);
  // Takes the last line away.
  void Clear();

 private:
  std::FILE* const out_;
  const TextStyle style_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Progress progress_;
  bool shown_ = false;
};

}  // namespace gpustage
