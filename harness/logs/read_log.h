// A pasted log read as what it is: whose, which version, at which level, how much of it, and what
// each line of its last start says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/logs/knowledge.h"
#include "harness/logs/lines.h"

namespace gpustage {

struct LineFact {
  const LineRule* rule = nullptr;  // of the Knowledge that it was read with
  PastedLine line;
  std::map<std::string, std::string> fields;  // the pattern's groups
  bool taken_back = false;                    // a later line has the device after all
};

struct LogReading {
  std::string program;   // "" none that is known
  std::string version;   // as it says itself, or ""
  VersionRange dated;    // of all lines that are known: which versions write them
  std::string level;     // "INFO", "DEBUG", "TRACE", "" not known
  std::string platform;  // "Windows", "macOS", "container", "" Linux or not known
  size_t lines = 0;
  size_t starts = 0;    // of the program
  bool begins = false;  // the last start has the line with which discovery begins,
  bool ends = false;    // and the one with its result,
  bool cut = false;     // and yet a line is missing that must have been between
  std::map<std::string, std::string>
      settings;                     // "CUDA_VISIBLE_DEVICES" -> "7", of its environment line
  std::vector<LineFact> facts;      // of the last start
  std::vector<PastedLine> unknown;  // errors that no rule knows

  bool whole() const { return begins && ends && !cut; }
  const LineFact* Find(std::string_view rule) const;
  std::vector<const LineFact*> All(LineKind kind) const;
  std::vector<const LineFact*> Of(std::string_view rule) const;
};

// ollama_version is for a log of Ollama's that does not say its own; "" is unknown.
LogReading ReadLog(const Knowledge& knowledge, std::string_view text,
                   const std::string& ollama_version = "");

// What a version at a level says is known of: no version, and no level, is not.
bool MayWrite(const LogReading& log, const VersionRange& versions, const std::string& level);

// 0 for INFO, 1 for DEBUG, 2 for TRACE, -1 for "".
int Rank(std::string_view level);

}  // namespace gpustage
