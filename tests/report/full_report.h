// Finished reports of whole runs, of what reports.h has.
#pragma once

#include "tests/report/reports.h"
#include "tests/report/whole_report.h"

namespace gpustage {

inline std::vector<ReportedRun> Reported(const std::vector<CaseReport>& reports) {
  std::vector<ReportedRun> runs;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) runs.push_back(ReportedRunOf(report, run, "root"));
  return runs;
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
