// Starts of the scanner in changed machines: counted, within a budget, several at a time, and none
// twice.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/diagnose/flat_case.h"
#include "harness/diagnose/goal.h"
#include "harness/evidence/evidence.h"

namespace gpustage {

struct Attempt {
  std::optional<int64_t> count;  // of devices; none: it did not say. By a goal: 1 where it is met
  Evidence evidence;
  std::string failure;  // of ours: the machine could not be made, or the run not be watched
};
using AttemptResult = std::shared_ptr<const Attempt>;

class Trials {
 public:
  Trials(CaseRunner& runner, int jobs, int budget, const std::atomic<bool>* stop)
      : runner_(runner), jobs_(jobs), budget_(budget), stop_(stop) {}

  // Of which each start says whether it is met; without one, devices are counted.
  void MeasureBy(const Goal& goal);

  // With the system asked why, as `trace` does.
  AttemptResult Explained(const FlatCase& flat);
  // In order. Null where the budget is spent or somebody wants an end.
  std::vector<AttemptResult> Run(const std::vector<FlatCase>& machines);
  // From scratch, `times` over, cached or not and outside the budget: what each counted.
  std::vector<std::optional<int64_t>> Again(const FlatCase& flat, int times);
  std::vector<std::optional<int64_t>> Again(const Case& c, int times);

  int starts() const { return starts_; }
  int proof_starts() const { return proof_starts_; }
  int cached() const { return cached_; }
  bool IsSpent() const { return starts_ >= budget_ || IsStopped(); }
  bool IsStopped() const { return stop_ != nullptr && *stop_; }

 private:
  Attempt Start(const Case& c, bool explain);
  std::optional<int64_t> CountOf(const Evidence& evidence) const;

  CaseRunner& runner_;
  const int jobs_;
  const int budget_;
  const std::atomic<bool>* const stop_;
  Goal goal_;
  std::map<std::string, AttemptResult> known_;
  int starts_ = 0;
  int proof_starts_ = 0;
  int cached_ = 0;
};

}  // namespace gpustage
