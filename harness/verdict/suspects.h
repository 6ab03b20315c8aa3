// The suspects of a report held against a log that somebody has: which of them it leaves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

struct WeighedSuspect {
  Suspect suspect;
  std::string case_id;  // the cell that stages it
  std::string against;  // what rules it out, as a sentence; "" leaves it
  std::string line;     // the line of the log that does, when it is one that is there
  std::vector<std::string> shown = {};  // lines of the log that this one gives and not every other
  friend bool operator==(const WeighedSuspect&, const WeighedSuspect&) = default;
};

// Cases without a suspect are left out. A line that only OLLAMA_DEBUG=2 shows rules out nothing in
// a log of level 1, and one whose message, "msg=subprocess", is not in the log at all was cut out
// and rules out nothing. Those that fit best come first.
std::vector<WeighedSuspect> Weigh(const std::vector<Case>& cases, const Evidence& log);

// Without the words that journalctl, docker and e-mail put before a line, and without the colours
// that were copied.
std::string PlainOllamaLog(std::string_view text);

// Whether the log shows the children's own output.
bool IsTraced(const Evidence& log);

}  // namespace gpustage
