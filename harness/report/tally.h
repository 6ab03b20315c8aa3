// What is counted of runs as they end, so that nobody has to read them all again for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/report/reported_run.h"

namespace gpustage {

struct Totals {
  int pass = 0, fail = 0, skip = 0, xfail = 0, xpass = 0, error = 0, flaky = 0;
  void Add(VerdictKind kind);
  int All() const { return pass + Bad() + skip + xfail; }
  int Bad() const { return fail + xpass + error + flaky; }
  friend bool operator==(const Totals&, const Totals&) = default;
};

struct SlowRun {
  std::string name;
  double milliseconds = 0;
  friend bool operator==(const SlowRun&, const SlowRun&) = default;
};

struct Tally {
  Totals totals;
  std::map<std::string, int> skipped;                      // by reason
  std::map<std::string, int> passed;                       // by scanner
  std::map<std::string, std::vector<float>> milliseconds;  // of its runs, by scanner
  int assuming = 0;              // runs that read values of a device that nobody recorded
  int unjudged = 0;              // claims that nobody could judge, since it was not watched
  std::vector<SlowRun> slowest;  // a few, the slowest first
  void Add(const ReportedRun& run);
  friend bool operator==(const Tally&, const Tally&) = default;
};

}  // namespace gpustage
