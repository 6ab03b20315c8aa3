// The ELF facts of a library, read by offset from its descriptor: nothing is mapped, nothing of it
// is run, and any bytes give something.
#pragma once

#include "harness/capture/facts.h"

namespace gpustage::capture {

ElfFacts ReadElf(int fd, uint64_t size);

}  // namespace gpustage::capture
