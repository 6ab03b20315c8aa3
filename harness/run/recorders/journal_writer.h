// Appends records to the run's journal with raw system calls and atomics only (fakes/world/format.h
// has the rules).
#pragma once

#include <stdint.h>

#include "fakes/world/format.h"

namespace gpustage::audit {

struct Text {
  const char* data;
  int length;
  static Text Of(const char* text);
};

// Maps the journal that the stamp names. Without one, Append does nothing.
void Open();
void Append(world::RecordKind kind, int64_t value, uint32_t detail, const Text* texts,
            uint32_t count);

// How many bytes were read into the buffer; 0 when there is nothing or it cannot be read.
int ReadAll(const char* path, char* buffer, int size);
int ReadLink(const char* path, char* buffer, int size);
int64_t ParentPid();
// Copies from this process's own memory. False: something of it is not mapped, or this kernel does
// not let us ask.
bool ReadMemory(uintptr_t from, void* to, uint64_t size);

}  // namespace gpustage::audit
