// What changed since an earlier report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/report/reported_run.h"

namespace gpustage {

struct MovedDevice {
  std::string run;     // "first-steps/healthy@gpus=1 [ggml]"
  std::string device;  // its UUID, PCI id or name, whichever it has
  std::string from;    // "CUDA, /usr/local/lib/ollama/cuda_v12/libggml-cuda.so"
  std::string to;
  friend bool operator==(const MovedDevice&, const MovedDevice&) = default;
};

struct BaselineChanges {
  std::string file;  // of the earlier report
  std::vector<std::string> newly_failing;
  std::vector<std::string> newly_passing;
  std::vector<MovedDevice> moved;
  std::vector<std::string> newly_silent;  // silent failures that were none
  std::vector<std::string> still_failing;
  std::vector<std::string> not_run;  // the earlier report has them; skipped now, or not selected
  // Still failing and newly passing are not worse; nor is what did not run, which has its reason.
  bool Worse() const { return !newly_failing.empty() || !moved.empty() || !newly_silent.empty(); }
  friend bool operator==(const BaselineChanges&, const BaselineChanges&) = default;
};

// What is remembered of an earlier report, and what has changed since.
class Baseline {
 public:
  explicit Baseline(std::string file) { changes_.file = std::move(file); }
  void AddBefore(const ReportedRun& run);
  void AddNow(const ReportedRun& run);
  // After all of both.
  BaselineChanges Changes() &&;

 private:
  using Backends = std::map<std::string, std::vector<std::string>>;  // by the device they report
  struct Before {
    std::string name;
    VerdictKind verdict = VerdictKind::kPass;
    bool silent = false;
    bool runs_now = false;
    Backends backends;
  };
  static Backends BackendsOf(const ReportedRun& run);

  std::vector<Before> before_;
  std::map<std::string, size_t> by_name_;
  BaselineChanges changes_;
};

// Of the shards of one run, all held against the same earlier report.
BaselineChanges Joined(BaselineChanges a, const BaselineChanges& b);

}  // namespace gpustage
