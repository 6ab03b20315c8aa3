// Starts itself in a constructor by opening the driver, through its own dlopen, which starts itself
// first.
#include <dlfcn.h>

#include "fakes/preloads/preload.h"

namespace {

bool g_started = false;

__attribute__((constructor)) void Start() {
  if (g_started) return;
  dlopen("libcuda.so.1", RTLD_NOW);
  g_started = true;
}

}  // namespace

extern "C" void* dlopen(const char* name, int flags) {
  Start();
  void* const library = gpustage::preload::Next()(name, flags);
  gpustage::preload::Note(name, flags, library);
  return library;
}
