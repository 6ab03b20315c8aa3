// What is shared by those who start a scanner with recorders and ask after it: in a box, or on this
// machine as it is.
#pragma once

#include <string>
#include <vector>

#include "harness/run/run.h"

namespace gpustage {

// What `ask` printed.
std::vector<DlopenAnswer> ReadAnswers(const RawRun& run, const std::vector<std::string>& paths);

// The recorder at this path joins a list that the environment may have; ld.so takes a
// colon-separated one. It comes first: behind an auditor without la_symbind64, glibc 2.36 tells
// nobody of a dlsym.
void WatchLoader(const std::string& audit, std::vector<std::string>& environment);

// Neither our recorder nor one of the scenario's belongs to a question; and with the variable of
// ldd our program would be listed and not run.
void LeaveAlone(std::vector<std::string>& environment);

}  // namespace gpustage
