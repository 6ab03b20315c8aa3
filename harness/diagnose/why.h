// Why a scanner does not see what is there, by experiment: one thing at a time is changed in the
// machine, and the scanner runs again. What is called proven came back with the change and was lost
// without it, three times of three.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/diagnose/goal.h"
#include "harness/diagnose/intervention.h"
#include "harness/diagnose/looked.h"
#include "harness/diagnose/propose.h"
#include "harness/diagnose/trials.h"
#include "harness/scenario/model/claim_parts.h"

namespace gpustage {

struct Mending {
  std::vector<Intervention> changes;            // all are needed
  int size = 0;                                 // single changes
  std::optional<int64_t> after;                 // devices
  int found_at = 0;                             // the start that showed it first
  int came_back = 0;                            // of `rounds` starts with it
  int lost_again = 0;                           // of `rounds` starts without it
  int rounds = 0;                               // 0: not proven yet
  std::vector<std::optional<int64_t>> without;  // each of several changes, with all others
  std::vector<Commands> commands;
  bool IsProven() const { return rounds > 0 && came_back == rounds && lost_again == rounds; }
};

// What else stands in the machine.
struct Influence {
  Intervention without;
  std::optional<int64_t> count;  // devices without it, in the machine that works
  bool matters = false;
};

struct WhyReport {
  std::string id;
  std::string run;
  int64_t there = 0;   // devices of the machine
  CountRange wanted;   // what is to be counted
  bool asked = false;  // somebody said what; else it is all that is there
  Goal goal;           // claims instead: counts are 1 where they hold, and 0
  std::string unmet;   // of the goal: what was expected, and what was seen
  std::optional<int64_t> before;
  bool healthy = false;
  SeenByRun looked;                  // of the first run
  std::string event;                 // of the loss
  std::vector<Mending> answers;      // proven, the first is the best
  std::vector<Mending> consistent;   // came back once, and not each time
  std::vector<Influence> influence;  // of what else is in the working machine
  int tried = 0;                     // changes
  int unseen = 0;                    // changes of what no process looked at: none was started
  int starts = 0;
  int proof_starts = 0;
  int first_answer_at = 0;  // starts until it was there; 0: none
  bool whole = true;        // false: the budget ended it
  bool interrupted = false;
};

struct WhyOptions {
  int budget = 200;  // starts, proofs not counted
  int jobs = 1;
  int rounds = 3;                           // of a proof, each way
  int most_answers = 10;                    // that are proven
  bool weigh = true;                        // what else is there: what matters, and what does not
  std::optional<CountRange> wanted = {};    // devices; none: all that the machine has
  std::optional<CountRange> expected = {};  // by the case: it is wanted where it is not counted
  Goal goal = {};                           // claims that are wanted instead of devices
  // Where no device is lost, the first of these that is not met is wanted.
  std::vector<Goal> stated = {};
  const std::atomic<bool>* stop = nullptr;
  std::function<void(int starts, const Mending* best)> progress;
};

// What the case says that is to be seen, and what its author saw after a fix.
void SayWhatIsExpected(const Case& c, const RunSpec& run, WhyOptions& options);
// Sets what is wanted, and whether it is so, by what the first run showed.
void SetWanted(const WhyOptions& options, const Evidence& evidence, WhyReport& report);
// What the case expects a run to count.
std::optional<CountRange> ExpectedCount(const Case& c, const RunSpec& run);
// Vulkan lists whatever is there; all others only what is of their own maker.
int64_t DevicesFor(const Machine& machine, const SeenByRun& looked);
// 0: it is what is wanted.
int64_t DistanceTo(const CountRange& wanted, int64_t count);
// Whether `count` is nearer to what is wanted than what was seen before.
bool IsBetter(std::optional<int64_t> count, std::optional<int64_t> before, CountRange wanted);

// An error when the machine cannot be made.
Result<WhyReport> Why(const FlatCase& flat, const ProposalContext& knowledge, CaseRunner& runner,
                      const WhyOptions& options);

std::string WhyText(const WhyReport& report, int most_answers);
std::string WhyJson(const WhyReport& report);

}  // namespace gpustage
