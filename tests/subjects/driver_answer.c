// What one process gets to hear of the driver, a line a fact: the runtime first, for it may be what
// finds the driver; then the driver itself, and NVML. Libraries are found as any program finds
// them.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef int (*Function)();

static Function Find(void* library, const char* name) {
  void* const found = library == NULL ? NULL : dlsym(library, name);
  Function function = NULL;
  memcpy(&function, &found, sizeof(found));
  return function;
}

static void* Open(const char* file) {
  void* const library = dlopen(file, RTLD_NOW);
  if (library == NULL) printf("error %s %s\n", file, dlerror());
  return library;
}

static void AskDriver(void* cuda) {
  int count = -1;
  printf("cuInit %d\n", Find(cuda, "cuInit")(0));
  printf("cuDeviceGetCount %d", Find(cuda, "cuDeviceGetCount")(&count));
  printf(" %d\n", count);
  for (int device = 0; device < count; ++device) {
    unsigned char uuid[16] = "";
    Find(cuda, "cuDeviceGetUuid")(uuid, device);
    printf("uuid ");
    for (int i = 0; i < 16; ++i) printf("%02x", uuid[i]);
    printf("\n");
  }
}

static void AskNvml(void* nvml) {
  int count = -1;
  printf("nvmlInit %d\n", Find(nvml, "nvmlInit_v2")());
  if (Find(nvml, "nvmlDeviceGetCount_v2")(&count) == 0) printf("nvml_count %d\n", count);
}

int main(void) {
  int count = 0;
  void* const runtime = Open("libcudart.so.13");
  if (runtime != NULL) printf("cudart %d\n", Find(runtime, "cudaGetDeviceCount")(&count));
  void* const cuda = Open("libcuda.so.1");
  if (cuda != NULL) AskDriver(cuda);
  void* const nvml = Open("libnvidia-ml.so.1");
  if (nvml != NULL) AskNvml(nvml);
  return 0;
}
