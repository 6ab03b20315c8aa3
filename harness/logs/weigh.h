// Which causes a log leaves: those that its lines name, or those that none of its lines rules out.
#pragma once

#include <string>
#include <vector>

#include "harness/logs/read_log.h"

namespace gpustage {

struct WeighedCause {
  const LogCause* cause = nullptr;
  const LineFact* by = nullptr;      // the line that names it, points at it, or rules it out
  std::vector<std::string> missing;  // ruled out: a line of these would be there
  std::string level;                 // at which it would
};

enum class LogOutcome {
  kHealthy,     // devices, and nothing failed later
  kUse,         // devices, and something failed later
  kNone,        // it says that it has no device
  kFailed,      // it says that something failed, and not how it ended
  kUnfinished,  // it ends before discovery did
  kNothing,     // no line of discovery is in it
};

struct Explanation {
  LogOutcome outcome = LogOutcome::kNothing;
  std::vector<const LineFact*> devices;
  std::vector<const LineFact*> says;   // the lines that tell it, in order, each once
  std::vector<const LineFact*> drops;  // of devices that are not among `devices`
  std::vector<WeighedCause> named;     // by these lines
  std::vector<WeighedCause> left;      // where no line names one; those hinted at come first
  std::vector<WeighedCause> ruled_out;
};

// Whether a log of Ollama's may be of these versions: its own, or all that its lines leave open.
bool MayBeOf(const VersionRange& versions, const LogReading& log);

// `log` must outlive it.
Explanation Weigh(const Knowledge& knowledge, const LogReading& log);

}  // namespace gpustage
