// Finished reports of every kind, written by hand.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/decode.h"
#include "harness/evidence/funnel.h"
#include "harness/report/repeats.h"
#include "harness/report/report.h"
#include "tests/support/hand_made.h"

namespace gpustage {

inline Case HealthyCase() {
  Case c;
  c.id = "first-steps/healthy@cuda=12,gpus=1";
  c.scenario = "first-steps/healthy";
  c.file = "scenarios/first-steps/healthy.yaml";
  c.claim = "a complete tree gives one device for each GPU";
  c.axes = {{"cuda", "12"}, {"gpus", "1"}};
  c.expect = {{std::nullopt, {}, {{DevicesClaim{{1, 1}}, false, {c.file, 31, 5}}}, {}}};
  return c;
}

inline RunSpec ScannerRun(const std::string& name) {
  RunSpec run;
  run.name = name;
  run.scanner.name = name;
  run.scanner.devices = {DeviceReader::Kind::kJson, "stdout", ""};
  return run;
}

inline constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";

inline RunReport Judged(const Case& c, const RunSpec& run, const RawRun& raw) {
  RunReport report{run, {}, Decode(raw, run.scanner, {kBackend})};
  ExplainLosses({{kBackend, 0, 0, 0, "libcuda.so.1: cannot open shared object file"}}, 65534,
                report.evidence);
  report.verdict = Judge(c, run, report.evidence);
  report.evidence.duration_ns = 31'400'000;
  return report;
}

// What a scanner does that finds its backend.
inline HandMadeRun LoadedRun() {
  return HandMadeRun()
      .Process(2, 1, "/usr/local/bin/ggml_driver", "ggml_driver")
      .Search(2, 1, kBackend)
      .Load(2, 50, kBackend);
}

inline RawRun GoodRun() {
  return LoadedRun()
      .Symbol(2, 50, "ggml_backend_init")
      .Call(2, "cudaGetDeviceCount", 0)
      .Call(2, "cudaGetDeviceProperties", 0, 0)
      .Prints(Stream::kStderr, "loaded CUDA backend\n")
      .Prints(Stream::kStdout,
              R"([{"name":"NVIDIA H100","library":"CUDA","library_path":")" +
                  std::string(kBackend) +
                  R"(","pci_id":"0000:01:00.0","uuid":"GPU-1","memory_total":85017493504}])")
      .Unload(2, 1);
}

// It lacks the driver, and says so in bytes that are no UTF-8.
inline RawRun BadRun() {
  return LoadedRun()
      .Search(2, 50, "libcuda.so.1")
      .Search(2, 50, "/usr/lib/libcuda.so.1", LA_SER_CONFIG)
      .Unload(2, 50)
      .Prints(Stream::kStderr, "odd \xff\xfe bytes\n")
      .Prints(Stream::kStdout, "[]");
}

// One of each kind, in this order: pass, fail, two skips for one reason, xfail, xpass, error, error
// before it ran.
inline std::vector<CaseReport> EveryKind() {
  const RunSpec ggml = ScannerRun("ggml"), ollama = ScannerRun("ollama"),
                model = ScannerRun("ollama-model");
  const Case healthy = HealthyCase();
  Case known = healthy;
  known.id = "ollama/known-bug";
  known.xfail = ExpectedFailure{"org/project#1", {}};
  Case silent = healthy;
  silent.id = "first-steps/unreadable";
  Case broken = healthy;
  broken.id = "first-steps/cannot-be-staged";
  return {
      {healthy, {Judged(healthy, ggml, GoodRun()), Judged(healthy, model, BadRun())}},
      {healthy, {{ollama, Skipped("no ollama here"), {}}, {model, Skipped("no ollama here"), {}}}},
      {known, {Judged(known, ggml, BadRun()), Judged(known, model, GoodRun())}},
      {silent,
       {Judged(silent, ggml, HandMadeRun().Ends({Outcome::Kind::kTimedOut, 9, "after 30 s"}))}},
      {broken,
       {{ggml,
         Failed({"cannot remove /x: No such file or directory", SourcePos{broken.file, 12, 5}}),
         {}}}}};
}

inline std::vector<ReportedRun> Reported(const std::vector<CaseReport>& reports) {
  std::vector<ReportedRun> runs;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) runs.push_back(ReportedRunOf(report, run, "root"));
  return runs;
}

// A run of EveryKind and nothing else.
inline Report PlainReport() {
  Report report;
  report.runs = Reported(EveryKind());
  report.seconds = 1.94;
  return report;
}

// Started three times, and lost once.
inline ReportedRun FlakyRun() {
  Case c = HealthyCase();
  c.id = "first-steps/races@delay=5";
  const CaseReport report = {c, {Judged(c, ScannerRun("ggml"), GoodRun()), Judged(c, ScannerRun("ggml"), BadRun())}};
  const ReportedRun good = ReportedRunOf(report, report.runs[0], "root"), bad = ReportedRunOf(report, report.runs[1], "root");
  return Combine({good, bad, good}).run;
}

// With everything that a report can have: flaky runs, problems, a baseline, several machines.
inline Report FullReport() {
  Report report = PlainReport();
  report.runs.push_back(FlakyRun());
  report.runs.back().isolation = "user namespace with lent ids";
  report.reports = 2;
  report.problems = {{"deadline", "the deadline of 600 s passed: 2 of 9 runs did not start or did not end"}};
  BaselineChanges changes;
  changes.file = "old.json";
  changes.newly_failing = {"first-steps/healthy@cuda=12,gpus=1 [ollama-model]"};
  changes.newly_passing = {"ollama/known-bug [ollama-model]"};
  changes.moved = {{"first-steps/healthy@cuda=12,gpus=1 [ggml]", "GPU-1", "CUDA, /opt/v12/libggml-cuda.so", "Vulkan, /opt/libggml-vulkan.so"}};
  changes.newly_silent = {"ollama/known-bug [ggml]"};
  changes.still_failing = {"first-steps/unreadable [ggml]"};
  changes.not_run = {"first-steps/gone [ggml]"};
  report.baseline = changes;
  return report;
}

}  // namespace gpustage
