/* A scanner that no harness knows: what a user's own looks like. It asks the driver and prints one
 * line a GPU. */
#include <dlfcn.h>
#include <stdio.h>

typedef int (*Init)(unsigned);
typedef int (*Count)(int*);
typedef int (*Name)(char*, int, int);

int main(void) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == NULL) {
    fprintf(stderr, "no driver: %s\n", dlerror());
    return 0;
  }
  const Init init = (Init)dlsym(driver, "cuInit");
  const Count count = (Count)dlsym(driver, "cuDeviceGetCount");
  const Name name = (Name)dlsym(driver, "cuDeviceGetName");
  int devices = 0;
  if (init == NULL || count == NULL || name == NULL || init(0) != 0 || count(&devices) != 0)
    return 0;
  for (int i = 0; i < devices; ++i) {
    char text[256];
    if (name(text, sizeof text, i) == 0) printf("GPU %d: %s\n", i, text);
  }
  return 0;
}
