// What both sentences and suggestions ask of a loss.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// The first fact of this kind below a loss; null: none.
const Fact* First(const FunnelRow& row, Fact::Kind kind);

// Of a kAnswered: "/usr/lib/libcuda.so.1 -> /usr/lib/libcuda.so.580", or "A and B".
std::string CopyText(const Fact& answered);

// Where the CUDA Toolkit keeps libraries that are there to be linked against alone: its
// installation guide, "stubs".
bool IsToolkitsStub(const std::string& path);

// What mends a fact alone, as little as lets whoever was refused in; "" where it takes more to
// know. `container`: that the program runs in one; null: nothing shows it.
std::string MendOfFact(const Fact& fact, const Fact* container);

}  // namespace gpustage
