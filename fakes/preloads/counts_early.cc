// Counts devices in its constructor, in every process that it is preloaded into, and does nothing
// else: its dlopen jumps on.
#include <dlfcn.h>

#if defined(__x86_64__)
asm(".symver dlsym,dlsym@GLIBC_2.2.5");
#endif

namespace {

__attribute__((constructor)) void Count() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return;
  const auto find = [&](const char* name) { return dlsym(driver, name); };
  const auto init = reinterpret_cast<int (*)(unsigned)>(find("cuInit"));
  const auto get_count = reinterpret_cast<int (*)(int*)>(find("cuDeviceGetCount"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(find("cuDeviceGet"));
  if (init == nullptr || get_count == nullptr || get == nullptr || init(0) != 0) return;
  int count = 0, device = 0;
  get_count(&count);
  for (int i = 0; i < count; ++i) get(&device, i);
}

}  // namespace
