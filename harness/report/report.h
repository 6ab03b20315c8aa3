// What is said of a whole run of gpustage, or of several that were merged, and its exit status. Its
// runs are a RunList.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/report/baseline.h"
#include "harness/report/tally.h"

namespace gpustage {

inline constexpr int kReportVersion = 3;
inline constexpr int kOldestReport = 2;  // that is still read

// Why a run is not as expected, whatever its verdicts are.
struct Problem {
  // What it is about: "require", "deadline", "shard", "interrupted", "max-failures".
  std::string kind;
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

// Which cases were chosen, before they were divided: shards of one run have the same.
struct ReportedSelection {
  int64_t cases = 0;
  std::string digest;  // of their ids and runs
  friend bool operator==(const ReportedSelection&, const ReportedSelection&) = default;
};

// What `why` proved to bring the devices of a run back.
struct ProvenAnswer {
  std::string run;
  std::string words;
  friend bool operator==(const ProvenAnswer&, const ProvenAnswer&) = default;
};

struct Report {
  Tally tally;
  double seconds = 0;                           // by the clock; of merged reports together
  int reports = 1;                              // how many were merged
  std::vector<ReportedShard> shards;            // none: of all cases; several: of merged reports
  std::optional<ReportedSelection> selection;   // none: of reports that are no shards of one run
  std::optional<std::string> interrupted = {};  // the signal that ended it: "SIGTERM"
  std::vector<Problem> problems;
  std::optional<BaselineChanges> baseline;
  std::vector<ProvenAnswer> proven = {};  // where --why asked
  friend bool operator==(const Report&, const Report&) = default;
};

// 0 as expected, 1 something is bad, 77 nothing ran and something was required; 128 and the signal
// when it was interrupted. With a baseline it is not the verdicts that are bad but what got worse.
int ExitStatus(const Report& report);

// The signals that end a run and let it write its reports.
std::optional<int> SignalOf(const std::string& name);
std::string SignalName(int signal);

// Several reports as one run of all their cases would have reported, the cases by their ids. A run
// or a shard that two of them have is an error that names both, as are shards of different
// selections; that a shard is in none of them is a problem of the whole.
class Merger {
 public:
  Merger() { whole_.reports = 0; }
  Status AddRun(const std::string& file, const ReportedRun& run);
  // After its runs.
  Status AddReport(const std::string& file, Report part);
  Report Whole() &&;
  // The numbers of the runs, as they were added, in the order of the whole.
  std::vector<size_t> Order() const;

 private:
  Status AddShards(const std::string& file, const Report& part);
  void AddProblems(const std::string& file, const Report& part);

  Report whole_;
  std::string first_;  // of the files
  std::vector<std::string> files_;
  std::map<std::string, size_t> runs_;         // by name -> which of files_ has it
  std::vector<std::string> ids_;               // of the runs, as they were added
  std::map<ReportedShard, std::string> from_;  // the file that has a shard
  std::optional<ReportedSelection> of_shards_;
};

}  // namespace gpustage
