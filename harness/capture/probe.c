/* Asks one GPU library what it sees, and prints it as "key value" lines. gpustage-capture starts it
 * from a memfd, with the system's own ld.so, in the environment that is looked into: a static
 * program cannot open another system's libraries. Symbols of glibc 2.2.5 only, so that it starts on
 * all of them; its _start is its own, since crt1.o of a new glibc wants a new one.
 *
 * probe cuda|nvml|cudart|hip|vulkan LIBRARY. Function names and types: cuda.h, nvml.h and
 * cuda_runtime_api.h of the CUDA Toolkit, hip_runtime_api.h, vulkan_core.h. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dlerror,dlerror@GLIBC_2.2.5");
__asm__(".symver __libc_start_main,__libc_start_main@GLIBC_2.2.5");

#define MOST_DEVICES 64
#define MOST_ATTRIBUTES 192

static void* library;

static void Say(const char* key, const char* text) {
  printf("%s %s\n", key, text);
  fflush(stdout);
}
static void SayNumber(const char* key, long long number) {
  printf("%s %lld\n", key, number);
  fflush(stdout);
}

/* The file that was mapped for the library, as /proc/self/maps names it. */
static void SayPath(const char* name) {
  char line[4600];
  const char* const base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
  char stem[64];
  snprintf(stem, sizeof stem, "/%.*s", (int)(strstr(base, ".so") - base), base);
  FILE* const maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return;
  while (fgets(line, sizeof line, maps) != NULL) {
    char* const path = strchr(line, '/');
    if (path == NULL || strstr(path, stem) == NULL) continue;
    path[strcspn(path, "\n")] = 0;
    Say("path", path);
    break;
  }
  fclose(maps);
}

typedef int (*Function)();
static Function Find(const char* name) {
  const Function found = (Function)dlsym(library, name);
  if (found == NULL) Say("lacks", name);
  return found;
}

static void AskDriver(void) {
  const Function init = Find("cuInit"), version = Find("cuDriverGetVersion"),
                 count = Find("cuDeviceGetCount"), get = Find("cuDeviceGet"),
                 name = Find("cuDeviceGetName"), uuid = Find("cuDeviceGetUuid"),
                 memory = Find("cuDeviceTotalMem_v2"), pci = Find("cuDeviceGetPCIBusId"),
                 attribute = Find("cuDeviceGetAttribute");
  int value = 0, devices = 0, result;
  if (version != NULL && (result = version(&value)) == 0) SayNumber("driver", value);
  if (init == NULL) return;
  SayNumber("cuInit", result = init(0));
  if (result != 0 || count == NULL) return;
  SayNumber("cuDeviceGetCount", result = count(&devices));
  if (result != 0) return;
  SayNumber("count", devices);
  for (int i = 0; i < devices && i < MOST_DEVICES; ++i) {
    int device = 0;
    SayNumber("device", i);
    if (get == NULL || (result = get(&device, i)) != 0) {
      SayNumber("cuDeviceGet", get == NULL ? -1 : result);
      continue;
    }
    char text[256] = "";
    if (name != NULL && name(text, sizeof text, device) == 0) Say("name", text);
    unsigned char id[16];
    if (uuid != NULL && uuid(id, device) == 0) {
      printf("uuid ");
      for (int k = 0; k < 16; ++k) printf("%02x", id[k]);
      printf("\n");
    }
    size_t bytes = 0;
    if (memory != NULL && memory(&bytes, device) == 0) SayNumber("memory_total", (long long)bytes);
    if (pci != NULL && pci(text, sizeof text, device) == 0) Say("pci", text);
    for (int k = 1; attribute != NULL && k < MOST_ATTRIBUTES; ++k)
      if (attribute(&value, k, device) == 0) printf("attribute.%d %d\n", k, value);
    fflush(stdout);
  }
}

static void AskManagement(void) {
  const Function init = Find("nvmlInit_v2"), version = Find("nvmlSystemGetDriverVersion"),
                 count = Find("nvmlDeviceGetCount_v2"), get = Find("nvmlDeviceGetHandleByIndex_v2"),
                 name = Find("nvmlDeviceGetName");
  char text[96] = "";
  unsigned int devices = 0;
  int result;
  if (init == NULL) return;
  SayNumber("nvmlInit_v2", result = init());
  if (version != NULL && version(text, (unsigned int)sizeof text) == 0) Say("driver", text);
  if (result != 0 || count == NULL) return;
  SayNumber("nvmlDeviceGetCount_v2", result = count(&devices));
  if (result != 0) return;
  SayNumber("count", devices);
  for (unsigned int i = 0; i < devices && i < MOST_DEVICES; ++i) {
    void* device = NULL;
    SayNumber("device", i);
    if (get == NULL || (result = get(i, &device)) != 0) {
      SayNumber("nvmlDeviceGetHandleByIndex_v2", get == NULL ? -1 : result);
      continue;
    }
    if (name != NULL && name(device, text, (unsigned int)sizeof text) == 0) Say("name", text);
  }
}

static void AskRuntime(void) {
  const Function version = Find("cudaRuntimeGetVersion"), count = Find("cudaGetDeviceCount");
  int value = 0;
  if (version != NULL && version(&value) == 0) SayNumber("runtime", value);
  int devices = 0, result;
  if (count == NULL) return;
  SayNumber("cudaGetDeviceCount", result = count(&devices));
  if (result == 0) SayNumber("count", devices);
}

static void AskHip(void) {
  const Function version = Find("hipRuntimeGetVersion"), count = Find("hipGetDeviceCount"),
                 name = Find("hipDeviceGetName"), memory = Find("hipDeviceTotalMem");
  int value = 0, devices = 0, result;
  if (version != NULL && version(&value) == 0) SayNumber("runtime", value);
  if (count == NULL) return;
  SayNumber("hipGetDeviceCount", result = count(&devices));
  if (result != 0) return;
  SayNumber("count", devices);
  for (int i = 0; i < devices && i < MOST_DEVICES; ++i) {
    char text[256] = "";
    size_t bytes = 0;
    SayNumber("device", i);
    if (name != NULL && name(text, (int)sizeof text, i) == 0) Say("name", text);
    if (memory != NULL && memory(&bytes, i) == 0) SayNumber("memory_total", (long long)bytes);
  }
}

/* VkPhysicalDeviceProperties begins with these; what follows (the UUID of a cache, limits) has room
 * and is not read. */
struct VulkanProperties {
  unsigned int api_version, driver_version, vendor, device, type;
  char name[256];
  char rest[4096];
};
static void AskVulkan(void) {
  const struct {
    int type; /* VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO */
    const void* next;
    unsigned int flags;
    const void* application;
    unsigned int layers;
    const void* layer_names;
    unsigned int extensions;
    const void* extension_names;
  } plain = {1, NULL, 0, NULL, 0, NULL, 0, NULL};
  const Function create = Find("vkCreateInstance"), list = Find("vkEnumeratePhysicalDevices"),
                 ask = Find("vkGetPhysicalDeviceProperties");
  static struct VulkanProperties of;
  void *instance = NULL, *devices[MOST_DEVICES];
  unsigned int count = MOST_DEVICES;
  int result;
  if (create == NULL || list == NULL || ask == NULL) return;
  SayNumber("vkCreateInstance", result = create(&plain, NULL, &instance));
  if (result != 0) return;
  /* 5, VK_INCOMPLETE: there are more. */
  SayNumber("vkEnumeratePhysicalDevices", result = list(instance, &count, devices));
  if (result != 0 && result != 5) return;
  SayNumber("count", count);
  for (unsigned int i = 0; i < count; ++i) {
    SayNumber("device", i);
    ask(devices[i], &of);
    SayNumber("vendor", of.vendor);
    SayNumber("id", of.device);
    SayNumber("type", of.type);
    Say("name", of.name);
  }
}

int Probe(int argc, char** argv) {
  if (argc != 3) return 2;
  library = dlopen(argv[2], RTLD_NOW);
  if (library == NULL) {
    const char* const why = dlerror();
    Say("error", why == NULL ? "" : why);
    return 1;
  }
  SayPath(argv[2]);
  if (strcmp(argv[1], "cuda") == 0) AskDriver();
  if (strcmp(argv[1], "nvml") == 0) AskManagement();
  if (strcmp(argv[1], "cudart") == 0) AskRuntime();
  if (strcmp(argv[1], "hip") == 0) AskHip();
  if (strcmp(argv[1], "vulkan") == 0) AskVulkan();
  Say("done", "1");
  return 0;
}

/* As crt1.o of an old glibc: argc is on the stack, and what ends the loader is in rdx. */
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rdx, %r9\n"
    "  pop %rsi\n"
    "  mov %rsp, %rdx\n"
    "  and $-16, %rsp\n"
    "  push %rax\n"
    "  push %rsp\n"
    "  xor %r8d, %r8d\n"
    "  xor %ecx, %ecx\n"
    "  lea Probe(%rip), %rdi\n"
    "  call __libc_start_main@PLT\n"
    "  hlt\n");
