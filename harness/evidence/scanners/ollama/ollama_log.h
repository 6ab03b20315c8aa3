// The log of `ollama serve`, put into an order and words that two starts agree on.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Times, ports, durations, temporary names and what is this machine's own are masked, and what is
// not about discovery is left out. Ollama asks its directories in random order, validates devices
// all at once, and gets its children's lines late: so what belongs to one directory is kept
// together in its order, directories are sorted, and a child's lines (indented) follow those about
// it.
std::vector<std::string> CanonicalOllamaLog(const std::vector<LogLine>& log);

}  // namespace gpustage
