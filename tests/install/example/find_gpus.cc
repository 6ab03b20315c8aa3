// A scanner: opens the driver, counts GPUs, prints their names.
#include <dlfcn.h>

#include <cstdio>

template <typename Function>
Function Get(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

int main() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) {
    std::fprintf(stderr, "no GPU: %s\n", dlerror());
    return 0;
  }
  const auto init = Get<int (*)(unsigned)>(driver, "cuInit");
  const auto count = Get<int (*)(int*)>(driver, "cuDeviceGetCount");
  const auto name = Get<int (*)(char*, int, int)>(driver, "cuDeviceGetName");
  int devices = 0;
  if (init == nullptr || count == nullptr || name == nullptr) return 1;
  if (const int code = init(0); code != 0) {
    std::fprintf(stderr, "no GPU: cuInit gave %d\n", code);
    return 0;
  }
  if (count(&devices) != 0) return 1;
  for (int i = 0; i < devices; ++i)
    if (char text[256]; name(text, sizeof text, i) == 0) std::printf("GPU %d: %s\n", i, text);
  return 0;
}
