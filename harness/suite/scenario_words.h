// What a scenario file says beside its claim: for those who look for one, and for those who choose
// some by it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/read/scenario.h"

namespace gpustage {

struct ScenarioWords {
  std::string head;                 // the comment that the file begins with
  std::vector<std::string> thread;  // source:
  std::vector<std::string> tags;
  std::vector<std::string> causes;  // of lost and reached: cause and because
  std::vector<std::string> chain;   // what is claimed between the tree and the devices, a line each
  std::vector<std::string> lines;   // of the log, that are expected
  std::vector<std::string> fix;     // its changes, a line each
  std::string rest;                 // of what is staged and expected, names and values
};
Result<ScenarioWords> WordsOf(const Scenario& scenario);

std::vector<std::string> TagsOf(const Scenario& scenario);
std::vector<std::string> CausesOf(const Scenario& scenario);

// "ollama/ollama#15964" as an address; all else as it is.
std::string ThreadAddress(const std::string& source);
// Whether it is a thread of somebody's, and not a page or a header.
bool IsThread(const std::string& source);

// Whether a line of a log is worth looking for: it tells of something that went wrong.
bool SpeaksOfFailure(std::string_view line);

}  // namespace gpustage
