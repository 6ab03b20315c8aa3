// Whether the claims of reports are about their faults: each fault is exchanged for a neighbour,
// and where the symptom stays, a claim below it must fail.
//
//   mutants [--sample N] [--seed N] [--only TEXT]
//
// Prints what survives, and the counts; exits with 1 when something survives that
// tests/collection/survivors.yaml does not know, 77 when nothing can be run here.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <random>

#include "harness/pipeline.h"
#include "harness/suite/scenario_words.h"
#include "harness/verdict/verdict.h"
#include "tests/collection/collection.h"
#include "tests/collection/mutants.h"
#include "tests/collection/neighbours.h"
#include "tests/support/workspace.h"

namespace gpustage {
namespace {

struct Options {
  size_t sample = 0;  // 0: all
  unsigned seed = 1;
  std::string only;
};

struct Counts {
  int scenarios = 0, killed = 0, by_log = 0, survived = 0, known = 0, other_symptom = 0,
      impossible = 0;
  int bare = 0;     // scenarios that claim nothing below it, or cannot run here
  int without = 0;  // scenarios of which no neighbour keeps the symptom
};

// What a user sees, without knowing why.
bool IsSymptom(const Claim& claim) {
  return std::holds_alternative<DevicesClaim>(claim.what) ||
         std::holds_alternative<DistributionClaim>(claim.what) ||
         std::holds_alternative<OutcomeClaim>(claim.what) ||
         std::holds_alternative<DeviceClaim>(claim.what) ||
         std::holds_alternative<SilentClaim>(claim.what);
}

// A line of the log is the report's symptom, too, but a program may say one thing for two faults:
// it tells nothing from the fault, and another line makes no other symptom.
bool IsLog(const Claim& claim) {
  return std::holds_alternative<LogClaim>(claim.what) ||
         std::holds_alternative<LogOrderClaim>(claim.what);
}

std::vector<Claim> ClaimsOn(const Case& c, const RunSpec& run) {
  std::vector<Claim> claims;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    claims.insert(claims.end(), expectation->claims.begin(), expectation->claims.end());
  return claims;
}

enum class Fate { kKilled, kToldByLog, kSurvived, kOtherSymptom, kImpossible };

Fate FateOf(const Mutant& mutant, CaseRunner& runner) {
  const CaseReport report = RunCase(mutant.c, runner);
  const RunReport& run = report.runs.front();
  if (run.verdict.checks.empty()) return Fate::kImpossible;  // it could not be staged or started
  const auto was_called = [&](const std::string& function) {
    CallsClaim called;
    called.function = function;
    Claim claim;
    claim.what = called;
    return CheckClaim(run.evidence, claim).ok;
  };
  if (!mutant.calls.empty() && std::none_of(mutant.calls.begin(), mutant.calls.end(), was_called))
    return Fate::kImpossible;
  bool kept = true, told = false, by_log = false;
  for (const Claim& claim : ClaimsOn(mutant.c, run.spec)) {
    if (CheckClaim(run.evidence, claim).ok) continue;
    (IsSymptom(claim) ? kept : IsLog(claim) ? by_log : told) = !IsSymptom(claim);
  }
  if (!kept) return Fate::kOtherSymptom;
  return told ? Fate::kKilled : by_log ? Fate::kToldByLog : Fate::kSurvived;
}

// "scenario [run] operator" -> why it may.
std::map<std::string, std::string> Survivors() {
  std::map<std::string, std::string> known;
  const Result<YamlNode> root = ReadYamlFile(InSources("/tests/collection/survivors.yaml"));
  if (!root) std::cerr << root.error().message << "\n";
  if (root)
    for (const YamlNode& one : root->items)
      known[one.Find("mutant")->text] = one.Find("reason")->text;
  return known;
}

std::vector<std::string> Chosen(const Options& options) {
  std::vector<std::string> files;
  for (const FoundScenario& scenario : AllScenarioFiles())
    if (std::any_of(scenario.thread.begin(), scenario.thread.end(), IsThread) &&
        scenario.id.find(options.only) != std::string::npos)
      files.push_back(scenario.file);
  if (options.sample == 0 || options.sample >= files.size()) return files;
  std::mt19937 random(options.seed);
  std::shuffle(files.begin(), files.end(), random);
  files.resize(options.sample);
  return files;
}

// Whether the run says why, beside what a user sees: one that is there for comparison does not.
bool SaysWhy(const std::vector<Claim>& claims) {
  return std::any_of(claims.begin(), claims.end(), IsSymptom) &&
         std::any_of(claims.begin(), claims.end(),
                     [](const Claim& claim) { return !IsSymptom(claim) && !IsLog(claim); });
}

// The first cell in which a run that is not mended says why; the first of all where none does.
void KeepOneThatSaysWhy(std::vector<Case>& cases) {
  const auto says = std::find_if(cases.begin(), cases.end(), [](const Case& c) {
    return std::any_of(c.runs.begin(), c.runs.end(), [&](const RunSpec& run) {
      return !run.fixed && run.scanner.missing.empty() && SaysWhy(ClaimsOn(c, run));
    });
  });
  if (says != cases.end()) std::swap(cases.front(), *says);
  cases.resize(1);
}

class Trial {
 public:
  explicit Trial(CaseRunner& runner)
      : runner_(runner), known_(Survivors()), catalog_(FindCatalog({})) {
    for (const Thread& thread : Threads()) reports_.insert(thread.source);
  }

  Status Try(const std::string& file) {
    TRY(std::vector<Case> cases, LoadCases(file, catalog_));
    if (neighbours_.empty()) {
      TRY(neighbours_, ReadNeighbours());
    }
    ++counts_.scenarios;
    if (!IsOfAReport(cases.front())) KeepOneThatSaysWhy(cases);  // of what is no report's own
    kept_ = judged_ = false;
    for (const Case& c : cases)
      for (size_t run = 0; run < c.runs.size(); ++run) {
        TRY(TryRun(c, run, c == cases.front()));
      }
    const std::string& scenario = cases.front().scenario;
    counts_.without += judged_ && !kept_;
    counts_.bare += !judged_;
    if (!judged_)
      fmt::print("claims nothing below its symptom, or no run of it can be started here: {}\n",
                 scenario);
    else if (!kept_)
      fmt::print("no neighbour keeps the symptom: {}\n", scenario);
    return Ok();
  }

  const Counts& counts() const { return counts_; }

 private:
  bool IsOfAReport(const Case& c) const {
    const std::set<std::string> threads = ThreadsIn(c.source);
    return std::any_of(threads.begin(), threads.end(),
                       [&](const std::string& thread) { return reports_.contains(thread); });
  }

  Status TryRun(const Case& c, size_t run, bool first) {
    const RunSpec& spec = c.runs[run];
    if (spec.fixed || !spec.scanner.missing.empty()) return Ok();
    const std::vector<Claim> claims = ClaimsOn(c, spec);
    if (!SaysWhy(claims)) return Ok();
    judged_ = true;
    for (const Mutant& mutant : MutantsOf(c, run, claims)) Note(c, spec, mutant);
    for (const Neighbour& neighbour : neighbours_) {
      if (!first || neighbour.scenario != c.scenario || neighbour.run != spec.name) continue;
      TRY(const Mutant mutant, MutantOf(neighbour, c.file, catalog_));
      Note(c, spec, mutant);
    }
    return Ok();
  }

  void Note(const Case& c, const RunSpec& run, const Mutant& mutant) {
    const std::string name = fmt::format("{} [{}] {}", c.id, run.name, mutant.by);
    const Fate fate = FateOf(mutant, runner_);
    kept_ = kept_ || (fate != Fate::kOtherSymptom && fate != Fate::kImpossible);
    counts_.killed += fate == Fate::kKilled;
    counts_.by_log += fate == Fate::kToldByLog;
    counts_.other_symptom += fate == Fate::kOtherSymptom;
    counts_.impossible += fate == Fate::kImpossible;
    if (fate != Fate::kSurvived && fate != Fate::kToldByLog) return;
    const bool is_known = known_.contains(name);
    if (fate == Fate::kSurvived) ++(is_known ? counts_.known : counts_.survived);
    fmt::print("{}{}: {}\n", fate == Fate::kSurvived ? "survives" : "told by its log alone",
               is_known ? " (known)" : "", name);
  }

  CaseRunner& runner_;
  std::map<std::string, std::string> known_;
  Catalog catalog_;
  std::set<std::string> reports_;
  std::vector<Neighbour> neighbours_;
  Counts counts_;
  bool kept_ = false, judged_ = false;  // of the scenario that is tried
};

int Main(const Options& options) {
  if (!TheWorkspace()) {
    fmt::print("skipped: {}\n", TheWorkspace().error().message);
    return 77;
  }
  CaseRunner runner(*TheWorkspace(), FindRecorders(), false);
  Trial trial(runner);
  for (const std::string& file : Chosen(options)) {
    const Status tried = trial.Try(file);
    if (!tried) {
      fmt::print("{}\n", tried.error().message);
      return 1;
    }
    std::fflush(stdout);
  }
  const Counts& counts = trial.counts();
  fmt::print(
      "{} scenarios (seed {}): {} neighbours with the same symptom are told from the fault, {} are "
      "not, {} are not for a known reason; {} show another symptom, {} cannot be staged; of {} "
      "scenarios no neighbour keeps the symptom, and of {} nothing below it is claimed\n",
      counts.scenarios, options.seed, counts.killed, counts.survived, counts.known,
      counts.other_symptom, counts.impossible, counts.without, counts.bare);
  return counts.survived == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  gpustage::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--sample") == 0) options.sample = std::stoul(argv[i + 1]);
    if (std::strcmp(argv[i], "--seed") == 0)
      options.seed = static_cast<unsigned>(std::stoul(argv[i + 1]));
    if (std::strcmp(argv[i], "--only") == 0) options.only = argv[i + 1];
  }
  return gpustage::Main(options);
}
