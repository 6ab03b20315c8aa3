// What the lines of an Ollama log mean, and what those that are missing do not mean.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

struct LogFact {
  std::string says;
  std::string line;  // of the log
  friend bool operator==(const LogFact&, const LogFact&) = default;
};

// In the order of discovery. Source: Ollama 0.13 to 0.18, which print the same lines
// (fixtures/recordings).
std::vector<LogFact> FactsOfLog(const Evidence& log);

// Whether it begins with the server's start; the lines of one that does not may have been there.
bool IsWhole(const Evidence& log);

}  // namespace gpustage
