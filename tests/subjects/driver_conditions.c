// What one process gets to hear of the driver, in one line, as the client that recorded
// h200-conditions.yaml printed it.
//
//   driver_conditions                       asks the runtime, the driver and NVML
//   driver_conditions later FILE TEXT …     starts all, then writes each TEXT to its FILE, and asks
//   driver_conditions fork none|ctx|nvmlinit  what a child is told after such a start
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*Function)();
static void *runtime, *cuda, *nvml;

static Function Find(void* library, const char* name) {
  Function function = NULL;
  void* const found = dlsym(library, name);
  memcpy(&function, &found, sizeof(found));
  return function;
}
#define CUDART(name) Find(runtime, #name)
#define CUDA(name) Find(cuda, #name)
#define NVML(name) Find(nvml, #name)

static void* Open(const char* file) {
  void* const library = dlopen(file, RTLD_NOW);
  if (library == NULL) {
    printf("%s\n", dlerror());
    exit(3);
  }
  return library;
}

static void AskAll(void) {
  int count = 0, driver_count = -1, nvml_count = -1;
  void *context = NULL, *handle = NULL;
  size_t free_bytes = 0, total = 0;
  const int error = CUDART(cudaGetDeviceCount)(&count);
  printf("cudart=%d order=", error);
  for (int i = 0; error == 0 && i < count; ++i) printf("%d,", i);
  const int init = CUDA(cuInit)(0);
  printf(" cuInit=%d", init);
  const int counted = CUDA(cuDeviceGetCount)(&driver_count);
  printf(" count=%d:%d", counted, driver_count);
  const int retained = init == 0 ? CUDA(cuDevicePrimaryCtxRetain)(&context, 0) : -9;
  if (retained == 0) CUDA(cuCtxSetCurrent)(context);
  printf(" ctx=%d", retained);
  printf(" mem=%d", retained == 0 ? CUDA(cuMemGetInfo_v2)(&free_bytes, &total) : -9);
  printf(" nvmlInit=%d", NVML(nvmlInit_v2)());
  const int listed = NVML(nvmlDeviceGetCount_v2)(&nvml_count);
  printf(" nvmlCount=%d:%d", listed, nvml_count);
  for (int i = 0; listed == 0 && i < nvml_count; ++i)
    printf(" h%d=%d", i, NVML(nvmlDeviceGetHandleByIndex_v2)(i, &handle));
  printf("\n");
}

static void AskLater(int argc, char** argv) {
  int count = -1;
  void *handle = NULL, *context = NULL;
  unsigned long long memory[3] = {0};
  printf("nvmlInit=%d", NVML(nvmlInit_v2)());
  printf(" count=%d", NVML(nvmlDeviceGetCount_v2)(&count));
  printf(" handle=%d", NVML(nvmlDeviceGetHandleByIndex_v2)(0, &handle));
  printf(" cuInit=%d |", CUDA(cuInit)(0));
  for (int i = 2; i + 1 < argc; i += 2) {
    FILE* const file = fopen(argv[i], "w");
    if (file == NULL) exit(4);
    fputs(argv[i + 1], file);
    fclose(file);
  }
  printf(" mem=%d", NVML(nvmlDeviceGetMemoryInfo)(handle, memory));
  printf(" handle0=%d", NVML(nvmlDeviceGetHandleByIndex_v2)(0, &handle));
  printf(" count=%d", NVML(nvmlDeviceGetCount_v2)(&count));
  printf(" shutdown=%d", NVML(nvmlShutdown)());
  printf(" init=%d", NVML(nvmlInit_v2)());
  const int listed = NVML(nvmlDeviceGetCount_v2)(&count);
  printf(" count=%d:%d", listed, count);
  printf(" cuCount=%d:-1", CUDA(cuDeviceGetCount)(&count));
  printf(" ctx=%d", CUDA(cuDevicePrimaryCtxRetain)(&context, 0));
  printf(" cudart=%d:-1\n", CUDART(cudaGetDeviceCount)(&count));
}

static void AskInTheChild(void) {
  int count = -1;
  void* context = NULL;
  printf("| child cuInit=%d", CUDA(cuInit)(0));
  const int counted = CUDA(cuDeviceGetCount)(&count);
  printf(" count=%d:%d", counted, counted == 0 ? count : -1);
  printf(" ctx=%d", CUDA(cuDevicePrimaryCtxRetain)(&context, 0));
  count = -1;
  const int runtime_counted = CUDART(cudaGetDeviceCount)(&count);
  printf(" cudaCount=%d:%d", runtime_counted, runtime_counted == 0 ? count : -1);
  printf(" set=%d", CUDART(cudaSetDevice)(0));
  printf(" free=%d", CUDART(cudaFree)(NULL));
  printf(" last=%d", CUDART(cudaGetLastError)());
  printf(" nvmlCount=%d:-1", NVML(nvmlDeviceGetCount_v2)(&count));
  printf(" nvmlInit=%d", NVML(nvmlInit_v2)());
}

static void AskAfterFork(const char* after) {
  int count = 0, status = 0;
  if (strcmp(after, "ctx") == 0) {
    printf("parent cudaSetDevice=%d ", CUDART(cudaSetDevice)(0));
    printf("cudaFree=%d ", CUDART(cudaFree)(NULL));
  } else if (strcmp(after, "nvmlinit") == 0) {
    printf("parent nvml=%d ", NVML(nvmlInit_v2)());
    printf("parent cuInit=%d ", CUDA(cuInit)(0));
  }
  fflush(stdout);
  if (fork() == 0) {
    AskInTheChild();
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  printf(" child ended exit %d; parent after=%d:-1\n", WEXITSTATUS(status),
         CUDART(cudaGetDeviceCount)(&count));
}

int main(int argc, char** argv) {
  runtime = Open("libcudart.so.13");
  cuda = Open("libcuda.so.1");
  nvml = Open("libnvidia-ml.so.1");
  if (argc == 1)
    AskAll();
  else if (strcmp(argv[1], "later") == 0)
    AskLater(argc, argv);
  else
    AskAfterFork(argv[2]);
  return 0;
}
