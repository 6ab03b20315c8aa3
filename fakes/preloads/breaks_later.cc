// Works for the first calls and then no more, as one whose table is full.
#include "fakes/preloads/preload.h"

constexpr int kRoom = 2;

extern "C" void* dlopen(const char* name, int flags) {
  static int calls = 0;
  void* const library = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) <= kRoom
                            ? gpustage::preload::Next()(name, flags)
                            : nullptr;
  gpustage::preload::Note(name, flags, library);
  return library;
}
