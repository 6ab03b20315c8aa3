// Finished reports of every kind, written by hand.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/path/funnel.h"
#include "harness/evidence/records/decode.h"
#include "harness/report/case_report.h"
#include "tests/support/after_run.h"
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

}  // namespace gpustage
