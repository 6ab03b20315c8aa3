// Finished reports of whole runs, of what reports.h has.
#pragma once

#include <sstream>

#include "harness/report/json.h"
#include "harness/report/repeats.h"
#include "harness/report/report.h"
#include "harness/report/run_list.h"
#include "tests/report/reports.h"

namespace gpustage {

inline std::vector<ReportedRun> Reported(const std::vector<CaseReport>& reports) {
  std::vector<ReportedRun> runs;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) runs.push_back(ReportedRunOf(report, run, "root"));
  return runs;
}

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

// A run of EveryKind and nothing else.
inline WholeReport PlainReport() {
  WholeReport report;
  report.runs = Reported(EveryKind());
  report.seconds = 1.94;
  return report;
}

// Started three times, and lost once.
inline ReportedRun FlakyRun() {
  Case c = HealthyCase();
  c.id = "first-steps/races@delay=5";
  const CaseReport report = {
      c, {Judged(c, ScannerRun("ggml"), GoodRun()), Judged(c, ScannerRun("ggml"), BadRun())}};
  const ReportedRun good = ReportedRunOf(report, report.runs[0], "root"),
                    bad = ReportedRunOf(report, report.runs[1], "root");
  return Combine({good, bad, good}).run;
}

// With everything that a report can have: flaky runs, problems, a baseline, several machines.
inline WholeReport FullReport() {
  WholeReport report = PlainReport();
  report.runs.push_back(FlakyRun());
  report.runs.back().unjudged = 1;
  report.runs.back().isolation = "user namespace with lent ids";
  report.reports = 2;
  report.shards = {{1, 3}, {3, 3}};
  report.selection = ReportedSelection{12, "00c0ffee00c0ffee"};
  report.problems = {
      {"shard", "shard 2 of 3 is in none of these reports"},
      {"deadline", "the deadline of 600 s passed: 2 of 9 runs did not start or did not end"}};
  BaselineChanges changes;
  changes.file = "old.json";
  changes.newly_failing = {"first-steps/healthy@cuda=12,gpus=1 [ollama-model]"};
  changes.newly_passing = {"ollama/known-bug [ollama-model]"};
  changes.moved = {{"first-steps/healthy@cuda=12,gpus=1 [ggml]", "GPU-1",
                    "CUDA, /opt/v12/libggml-cuda.so", "Vulkan, /opt/libggml-vulkan.so"}};
  changes.newly_silent = {"ollama/known-bug [ggml]"};
  changes.still_failing = {"first-steps/unreadable [ggml]"};
  changes.not_run = {"first-steps/gone [ggml]"};
  report.baseline = changes;
  return report;
}

}  // namespace gpustage
