// Which of several files of one name a loss is about, and which others there are.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {

// Libraries of the tree of this name, whatever folder they lie in.
std::vector<std::string> CopiesOf(const Evidence& evidence, const std::string& name);

// Adds facts to a row: which copy lacks what another library asks of it; which one was taken for a
// name that several folders have; that it was asked for without its version.
void AddCopies(const AfterRun& after, const Evidence& evidence, FunnelRow& row);

// Where the system may have a copy of the library that lacks what is asked of it, and that one
// itself, to be looked at; empty: nothing is lacking.
std::vector<std::string> SystemsCopies(const Evidence& evidence, const FunnelRow& row);

}  // namespace gpustage
