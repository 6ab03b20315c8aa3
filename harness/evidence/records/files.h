// What the kernel's filter told, as events.
#pragma once

#include <cstdint>

#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

// `run`'s files: one event a record, but for our own recorders' files and for a directory that is
// read on. Not yet in order, nor numbered.
void AddFileEvents(const RecordedRun& run, Evidence& evidence);

// Once events are in order and have numbers: each exec is the start of a process, which ends at an
// exit.
void AddLives(const FileLog& log, Evidence& evidence);

// "/usr/local/bin/ollama", {"ollama", "runner", "--port", "1"} -> "ollama runner".
std::string RoleOf(const std::string& executable, const std::vector<std::string>& argv);

}  // namespace gpustage
