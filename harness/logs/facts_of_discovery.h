// What several lines of Ollama's discovery say together, and none of them alone.
#pragma once

#include <set>
#include <string>

#include "harness/logs/read_log.h"

namespace gpustage {

// Facts with these names stand in a cause's `never` beside ids of lines:
//   wanted-asked     the directory that OLLAMA_LLM_LIBRARY wants, or every one of CUDA's, was tried
//   all-loaded       a backend was loaded from every directory of CUDA's that was tried
//   nothing-wanted   the settings are there, and ask for none
//   first-pass-empty no device was counted before any was dropped
//   first-pass-full  at least one was
std::set<std::string> DerivedFacts(const LogReading& log);
const std::set<std::string>& NamesOfDerivedFacts();

// A line that loads a backend which another file of its name, in the folder above or below, was
// loaded for before; null: there is none. Children for cuda_v12 and cuda_v13 load one each.
const LineFact* BackendTwice(const LogReading& log);

// What OLLAMA_LLM_LIBRARY asks for, of the settings or of the lines that leave others out; "".
std::string WantedLibrary(const LogReading& log);

// "/usr/lib/ollama/cuda_v12" of "[/usr/lib/ollama /usr/lib/ollama/cuda_v12]"; "" of one directory.
std::string DirectoryOf(const std::string& list);

}  // namespace gpustage
