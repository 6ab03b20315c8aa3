// What a library in a process needed, where it was looked for and by which rule it was found.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

struct Tried {
  std::string path;
  std::string rule;  // "LD_LIBRARY_PATH[2]", "RPATH", "RUNPATH", "ld.so.cache", "default directory"
  friend bool operator==(const Tried&, const Tried&) = default;
};

struct Need {
  std::string name;       // as it is asked for: "libcudart.so.12"
  std::string requester;  // path of the library that asks; "" is the program
  std::vector<Tried> tried;
  std::string found;  // the file that was mapped; "" is none
  std::string rule;   // that found it
  EventId event = 0;  // of the search
  friend bool operator==(const Need&, const Need&) = default;
};

// In the order of the search, from the load of the row's library up to its end or its unload. What
// was loaded before is not searched for again, so it is not here.
std::vector<Need> NeedsOf(const Evidence& evidence, const FunnelRow& row);

// How the row's own library was asked for and found; event 0: nobody asked the loader for it.
Need AskFor(const Evidence& evidence, const FunnelRow& row);

// The library that ld.so itself was started with, as ldd does, which it calls its program; "" for
// any other process.
std::string LibraryGivenToLoader(const Evidence& evidence, int pid);

// "LD_LIBRARY_PATH 12, ld.so.cache 1, default directories 30".
std::string CountByRule(const Need& need);

// "by LD_LIBRARY_PATH[2]", "in a default directory"
std::string ByRule(const std::string& rule);

// The rule by which a search (a kSearch event) came to its path; "" for a name as it was asked for.
std::string RuleOfSearch(const Evidence& evidence, const Event& search);

// The rule by which a loaded object (a kLoad event) was found; "" when nothing was searched: the
// program itself, or a path.
std::string RuleOfLoad(const Evidence& evidence, const Event& load);

const Process* ProcessOf(const Evidence& evidence, int pid);
// The value of a variable in a process; none when it is not set or the process is not known.
std::optional<std::string> VariableOf(const Process* process, std::string_view name);

}  // namespace gpustage
