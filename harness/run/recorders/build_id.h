// The build-id of a mapped object, read from its notes in memory: the file may be another one by
// the time that somebody asks.
#pragma once

#include <stdint.h>

namespace gpustage::audit {

// The program's own headers, which ld.so names to nobody else; `header` 0: of the object whose ELF
// header is at `base`.
struct ProgramHeaders {
  uintptr_t header = 0;
  unsigned count = 0;
};
ProgramHeaders HeadersOfProgram();

inline constexpr int kMaxBuildIdText = 64;  // 32 bytes in hex

// Writes it in hex and returns how many characters; 0: it has none, or its notes cannot be read.
int ReadBuildId(uintptr_t base, ProgramHeaders headers, char* text);

}  // namespace gpustage::audit
