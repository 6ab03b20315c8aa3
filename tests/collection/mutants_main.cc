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
#include "tests/support/workspace.h"

namespace gpustage {
namespace {

struct Options {
  size_t sample = 0;  // 0: all
  unsigned seed = 1;
  std::string only;
};

struct Counts {
  int scenarios = 0, killed = 0, survived = 0, known = 0, other_symptom = 0, impossible = 0;
  int bare = 0;     // scenarios that claim nothing below it, or cannot run here
  int without = 0;  // scenarios of which no neighbour keeps the symptom
};

// What a user sees, without knowing why.
bool IsSymptom(const Claim& claim) {
  return std::holds_alternative<DevicesClaim>(claim.what) ||
         std::holds_alternative<DistributionClaim>(claim.what) ||
         std::holds_alternative<OutcomeClaim>(claim.what) ||
         std::holds_alternative<SilentClaim>(claim.what);
}

std::vector<Claim> ClaimsOn(const Case& c, const RunSpec& run) {
  std::vector<Claim> claims;
  for (const Expectation* expectation : ExpectationsFor(c, run))
    claims.insert(claims.end(), expectation->claims.begin(), expectation->claims.end());
  return claims;
}

enum class Fate { kKilled, kSurvived, kOtherSymptom, kImpossible };

Fate FateOf(const Mutant& mutant, CaseRunner& runner) {
  const CaseReport report = RunCase(mutant.c, runner);
  const RunReport& run = report.runs.front();
  if (run.verdict.checks.empty()) return Fate::kImpossible;  // it could not be staged or started
  bool kept = true, told = false;
  for (const Claim& claim : ClaimsOn(mutant.c, run.spec)) {
    if (CheckClaim(run.evidence, claim).ok) continue;
    if (IsSymptom(claim))
      kept = false;
    else
      told = true;
  }
  if (!kept) return Fate::kOtherSymptom;
  return told ? Fate::kKilled : Fate::kSurvived;
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

void Try(const Case& c, const std::map<std::string, std::string>& known, CaseRunner& runner,
         Counts& counts) {
  bool kept = false, judged = false;
  for (size_t run = 0; run < c.runs.size(); ++run) {
    if (c.runs[run].fixed || !c.runs[run].scanner.missing.empty()) continue;
    const std::vector<Claim> claims = ClaimsOn(c, c.runs[run]);
    // A run that is there for comparison claims its devices alone.
    if (std::none_of(claims.begin(), claims.end(), IsSymptom) ||
        std::all_of(claims.begin(), claims.end(), IsSymptom))
      continue;
    judged = true;
    for (const Mutant& mutant : MutantsOf(c, run)) {
      const std::string name = fmt::format("{} [{}] {}", c.scenario, c.runs[run].name, mutant.by);
      const Fate fate = FateOf(mutant, runner);
      kept = kept || fate == Fate::kKilled || fate == Fate::kSurvived;
      counts.killed += fate == Fate::kKilled;
      counts.other_symptom += fate == Fate::kOtherSymptom;
      counts.impossible += fate == Fate::kImpossible;
      if (fate != Fate::kSurvived) continue;
      ++(known.contains(name) ? counts.known : counts.survived);
      fmt::print("survives{}: {}\n", known.contains(name) ? " (known)" : "", name);
    }
  }
  counts.without += judged && !kept;
  counts.bare += !judged;
  if (!judged)
    fmt::print("claims nothing below its symptom, or no run of it can be started here: {}\n",
               c.scenario);
  else if (!kept)
    fmt::print("no neighbour keeps the symptom: {}\n", c.scenario);
}

int Main(const Options& options) {
  if (!TheWorkspace()) {
    fmt::print("skipped: {}\n", TheWorkspace().error().message);
    return 77;
  }
  CaseRunner runner(*TheWorkspace(), FindRecorders(), false);
  const std::map<std::string, std::string> known = Survivors();
  const Catalog catalog = FindCatalog({});
  Counts counts;
  for (const std::string& file : Chosen(options)) {
    const Result<std::vector<Case>> cases = LoadCases(file, catalog);
    if (!cases) {
      fmt::print("{}\n", cases.error().message);
      return 1;
    }
    ++counts.scenarios;
    Try(cases->front(), known, runner, counts);
    std::fflush(stdout);
  }
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
