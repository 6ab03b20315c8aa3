// Counts devices in its constructor, in every process that it is preloaded into, and does nothing else: its dlopen jumps on.
#include <dlfcn.h>

#if defined(__x86_64__)
asm(".symver dlsym,dlsym@GLIBC_2.2.5");
#endif

namespace {

__attribute__((constructor)) void Count() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get_count = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDeviceGetCount"));
  int count = 0;
  if (init != nullptr && init(0) == 0 && get_count != nullptr) get_count(&count);
}

}  // namespace
