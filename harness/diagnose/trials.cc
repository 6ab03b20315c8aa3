#include "harness/diagnose/trials.h"

#include <algorithm>

#include "harness/base/threads.h"
#include "harness/evidence/path/known.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/records/decode.h"
#include "harness/stage/plan.h"

namespace gpustage {
namespace {

Result<Attempt> StartOnce(const Case& c, bool explain, CaseRunner& runner) {
  const RunSpec& spec = c.runs.front();
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  TRY(const std::unique_ptr<StagedCase> staged, runner.Build(plan));
  TRY(RawRun raw, runner.Run(c, spec, *staged));
  Attempt trial;
  trial.evidence = Decode(std::move(raw), spec.scanner, CandidateLibraries(c, spec));
  if (!explain) return trial;
  TRY(const AfterRun after, runner.Ask(c, spec, *staged, QuestionsOf(trial.evidence)));
  Conclude(after, trial.evidence);
  return trial;
}

}  // namespace

Attempt Trials::Start(const Case& c, bool explain) {
  Result<Attempt> trial = StartOnce(c, explain, runner_);
  if (trial) {
    trial->count = CountOf(trial->evidence);
    return *std::move(trial);
  }
  Attempt failed;
  failed.failure = trial.error().message;
  return failed;
}

std::optional<int64_t> Trials::CountOf(const Evidence& evidence) const {
  if (goal_.empty()) return evidence.device_count;
  return FirstUnmet(goal_, evidence) == nullptr ? 1 : 0;
}

void Trials::MeasureBy(const Goal& goal) {
  goal_ = goal;
  for (auto& [key, result] : known_)
    if (result && result->failure.empty()) {
      auto again = std::make_shared<Attempt>(*result);
      again->count = CountOf(again->evidence);
      result = std::move(again);
    }
}

AttemptResult Trials::Explained(const FlatCase& flat) {
  ++starts_;
  return known_[KeyOf(flat)] = std::make_shared<Attempt>(Start(ToCase(flat), true));
}

std::vector<AttemptResult> Trials::Run(const std::vector<FlatCase>& machines) {
  std::vector<std::string> keys;
  std::vector<size_t> fresh;
  for (size_t i = 0; i < machines.size(); ++i) {
    keys.push_back(KeyOf(machines[i]));
    if (const auto known = known_.find(keys.back()); known != known_.end()) {
      ++cached_;
    } else if (!IsSpent()) {
      known_[keys.back()] = nullptr;
      fresh.push_back(i);
      ++starts_;
    }
  }
  std::vector<AttemptResult> made(fresh.size());
  InThreads(jobs_, fresh.size(), [&](size_t i) {
    made[i] = std::make_shared<Attempt>(Start(ToCase(machines[fresh[i]]), false));
  });
  for (size_t i = 0; i < fresh.size(); ++i) known_[keys[fresh[i]]] = made[i];
  std::vector<AttemptResult> results;
  for (const std::string& key : keys) {
    const auto known = known_.find(key);
    results.push_back(known == known_.end() ? nullptr : known->second);
  }
  return results;
}

std::vector<std::optional<int64_t>> Trials::Again(const Case& c, int times) {
  std::vector<std::optional<int64_t>> counts(static_cast<size_t>(times));
  proof_starts_ += times;
  InThreads(jobs_, counts.size(), [&](size_t i) { counts[i] = Start(c, false).count; });
  return counts;
}

std::vector<std::optional<int64_t>> Trials::Again(const FlatCase& flat, int times) {
  return Again(ToCase(flat), times);
}

}  // namespace gpustage
