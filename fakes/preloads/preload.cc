#include "fakes/preloads/preload.h"

#include <dlfcn.h>

#include "fakes/world/call.h"
#include "fakes/world/stub.h"

#if defined(__x86_64__)
asm(".symver dlsym,dlsym@GLIBC_2.2.5");
#endif

namespace gpustage::world {
const int32_t kNotSupported = 0;
const int32_t kDeviceLost = 0;
}  // namespace gpustage::world

namespace gpustage::preload {
namespace {

int g_calls = 0;
OpenLibrary g_next = nullptr;

}  // namespace

OpenLibrary Next() {
  if (g_next == nullptr) g_next = reinterpret_cast<OpenLibrary>(dlsym(RTLD_NEXT, "dlopen"));
  return g_next;
}

int Note(const char* name, int flags, void* result) {
  world::Call call("dlopen", "name, flags", name, flags);
  call.End(result != nullptr ? 1 : 0);
  return __atomic_add_fetch(&g_calls, 1, __ATOMIC_RELAXED);
}

}  // namespace gpustage::preload
