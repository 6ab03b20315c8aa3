// A whole run of gpustage, or several that were merged, and its exit status.
#pragma once

#include <string>
#include <vector>

#include "harness/report/baseline.h"
#include "harness/report/reported_run.h"

namespace gpustage {

inline constexpr int kReportVersion = 2;

struct Totals {
  int pass = 0, fail = 0, skip = 0, xfail = 0, xpass = 0, error = 0, flaky = 0;
  void Add(VerdictKind kind);
  int All() const { return pass + fail + skip + xfail + xpass + error + flaky; }
  bool Bad() const { return fail + xpass + error + flaky > 0; }
  friend bool operator==(const Totals&, const Totals&) = default;
};

// Why a run is not as expected, whatever its verdicts are.
struct Problem {
  std::string kind;  // the option that it is about: "require", "deadline", "shard"
  std::string text;
  friend bool operator==(const Problem&, const Problem&) = default;
};

inline constexpr int kMostShards = 100000;

// Which part of all cases a report is of.
struct ReportedShard {
  int index = 1;  // from 1
  int total = 1;  // kMostShards at most
  friend auto operator<=>(const ReportedShard&, const ReportedShard&) = default;
};

struct Report {
  std::vector<ReportedRun> runs;
  double seconds = 0;                 // by the clock; of merged reports together
  int reports = 1;                    // how many were merged
  std::vector<ReportedShard> shards;  // none: of all cases; several: of merged reports
  std::vector<Problem> problems;
  std::optional<BaselineChanges> baseline;
  friend bool operator==(const Report&, const Report&) = default;
};

Totals Count(const std::vector<ReportedRun>& runs);

// 0 as expected, 1 something is bad, 77 nothing ran and something was required. With a baseline it
// is not the verdicts that are bad but what got worse.
int ExitStatus(const Report& report);

struct NamedReport {
  std::string name;  // of its file
  Report report;
};
// As one run of all their cases would have reported. A run or a shard that two of them have is an
// error that names both; that a shard is in none of them is a problem of the whole.
Result<Report> Merge(std::vector<NamedReport> parts);

}  // namespace gpustage
