#include <fmt/format.h>
#include <signal.h>

#include <cstring>

#include "harness/run/raw_run.h"

namespace gpustage {

std::string ToString(const Outcome& outcome) {
  std::string text;
  const char* const name = sigabbrev_np(outcome.code);
  switch (outcome.kind) {
    case Outcome::Kind::kExited: text = fmt::format("exited {}", outcome.code); break;
    case Outcome::Kind::kKilled:
      text = fmt::format("killed by SIG{}", name != nullptr ? name : std::to_string(outcome.code));
      break;
    case Outcome::Kind::kTimedOut: return fmt::format("timed out {}", outcome.note);
    case Outcome::Kind::kStopped: return "stopped when it was done";
    case Outcome::Kind::kNotStarted: return fmt::format("not started: {}", outcome.note);
  }
  return outcome.note.empty() ? text : fmt::format("{}: {}", text, outcome.note);
}

std::string ToString(EvidenceLevel level) {
  switch (level) {
    case EvidenceLevel::kNone: return "none";
    case EvidenceLevel::kLibs: return "libs";
    case EvidenceLevel::kFiles: return "files";
    case EvidenceLevel::kAll: return "all";
  }
  return "";
}

}  // namespace gpustage
