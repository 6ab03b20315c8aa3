// How far one library got in one process, by what was seen of it there.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// `library` is a path without "..", or the name that was asked for; pid 0 is nobody. Why a file was
// not loaded is asked after the run.
FunnelRow BuildRow(const Evidence& evidence, const std::string& library, int pid);

}  // namespace gpustage
