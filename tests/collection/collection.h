// The public reports, the kinds of 2026, and the scenarios that say which thread they are of.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/suite/find.h"
#include "harness/suite/installation.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {

struct Thread {
  std::string id, source, title;
};
struct Kind {
  std::string number, whose, is;
  std::set<std::string> threads;
};
std::vector<Thread> Threads();       // the 112
std::vector<Thread> NewerThreads();  // what came after them; without ids
std::vector<Kind> Kinds();

// "ollama/ollama#15964", of that, of its address, and of each of "a/b#1, c/d#2".
std::set<std::string> ThreadsIn(const std::vector<std::string>& source);

// thread -> the scenarios that have it as a source.
using ByThread = std::map<std::string, std::vector<FoundScenario>>;
ByThread ScenariosByThread(const std::vector<FoundScenario>& scenarios);
std::vector<FoundScenario> AllScenarioFiles();

// What is claimed of the faults of each run, but for what a user sees: a claim a line.
struct ClaimedChain {
  std::string id;   // of the case
  std::string run;  // its name
  std::string chain;
};
std::vector<ClaimedChain> ChainsOf(const std::vector<FoundScenario>& scenarios);

// root_causes.yaml: what of a chain is a report's root cause, or why none says it.
struct RootCause {
  std::string id;  // of the report
  std::vector<std::string> shown_by;
  std::string near;
};
std::vector<RootCause> RootCauses();

// The runs of a report that show its root cause: those that claim the most of it. Empty: it is only
// `near`.
std::vector<ClaimedChain> RunsThatShow(const RootCause& cause,
                                       const std::vector<FoundScenario>& own);

}  // namespace gpustage
