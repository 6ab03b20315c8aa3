// Reports with their runs in memory, and what reads and writes them.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "harness/report/json.h"
#include "harness/report/repeats.h"
#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

// A report with its runs, in memory.
struct WholeReport : Report {
  std::vector<ReportedRun> runs;

  // What is said of it as a whole.
  Report Head() const {
    Report head = *this;
    head.tally = {};
    for (const ReportedRun& run : runs) head.tally.Add(run);
    return head;
  }
  friend bool operator==(const WholeReport& a, const WholeReport& b) {
    return a.Head() == b.Head() && a.runs == b.runs;
  }
};

class RunsInMemory : public RunList {
 public:
  explicit RunsInMemory(const std::vector<ReportedRun>& runs) : runs_(runs) {}
  Status Each(const RunVisitor& visit) const override {
    for (const ReportedRun& run : runs_) TRY(visit(run));
    return Ok();
  }

 private:
  const std::vector<ReportedRun>& runs_;
};

// What a writer of reports writes of it.
template <typename Write, typename... Options>
std::string Written(const WholeReport& report, Write write, const Options&... options) {
  std::ostringstream out;
  const Status written = write(report.Head(), RunsInMemory(report.runs), options..., out);
  return written ? out.str() : "error: " + written.error().message;
}

inline std::string JsonReport(const WholeReport& report) {
  return Written(report, WriteJsonReport);
}
inline Result<WholeReport> ParseJsonReport(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  WholeReport whole;
  TRY(static_cast<Report&>(whole), ReadJsonReport(in, file, [&](const ReportedRun& run) -> Status {
        whole.runs.push_back(run);
        return Ok();
      }));
  return whole;
}

inline BaselineChanges ChangesSince(const std::vector<ReportedRun>& before, const std::string& file,
                                    const std::vector<ReportedRun>& now) {
  Baseline baseline(file);
  for (const ReportedRun& run : before) baseline.AddBefore(run);
  for (const ReportedRun& run : now) baseline.AddNow(run);
  return std::move(baseline).Changes();
}

struct Repeated {
  ReportedRun run;
  size_t start = 0;  // the one that is told of
};
inline Repeated Combine(const std::vector<ReportedRun>& starts,
                        const std::vector<const Claim*>& distributions = {}) {
  Repeats repeats;
  size_t told = 0;
  for (size_t i = 0; i < starts.size(); ++i)
    if (repeats.Add(starts[i])) told = i;
  return {std::move(repeats).Told(distributions), told};
}

}  // namespace gpustage
