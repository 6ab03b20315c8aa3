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

}  // namespace gpustage
