// The usual way: it calls on. To libc the caller is this library, so $ORIGIN, RPATH and RUNPATH are
// this library's.
#include "fakes/preloads/preload.h"

extern "C" void* dlopen(const char* name, int flags) {
  void* const library = gpustage::preload::Next()(name, flags);
  gpustage::preload::Note(name, flags, library);
  return library;
}
