// The ELF facts of a library, read by offset from its descriptor: nothing is mapped, nothing of it
// is run, and any bytes give something.
#pragma once

#include "harness/capture/facts.h"

namespace gpustage::capture {

// `name`: of its file, for what it should export where it has no SONAME.
ElfFacts ReadElf(int fd, uint64_t size, const std::string& name);

}  // namespace gpustage::capture
