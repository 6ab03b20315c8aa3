// What the lines of Ollama's discovery mean, and what those that are missing do not mean.
#pragma once

#include <string>
#include <vector>

#include "harness/logs/read_log.h"

namespace gpustage {

struct LogFact {
  std::string says;
  std::string line;  // of the log
  friend bool operator==(const LogFact&, const LogFact&) = default;
};

// In the order of discovery; none of a log before 0.12.4, which had another one. Source: Ollama
// 0.13 to 0.18, which print the same lines (fixtures/recordings).
std::vector<LogFact> FactsOfLog(const LogReading& log);

}  // namespace gpustage
