/* What a process hears of AMD's HIP: hip_answers LIBRARY prints a line a question. Structs are read
   at the places that hip_runtime_api.h of 5.2 and 6.3 gives their fields. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* library;

static void* Function(const char* name) {
  void* const function = dlsym(library, name);
  if (function == NULL) {
    printf("missing: %s\n", name);
    exit(3);
  }
  return function;
}
#define HIP(name, ...) (((int (*)(__VA_ARGS__))Function(#name)))

static const char* Text(int code) {
  return ((const char* (*)(int))Function("hipGetErrorString"))(code);
}

static void Properties(const char* what, const char* function, int name, int gfx,
                       int multiprocessors, int integrated, int total) {
  static char room[4096];
  memset(room, 0x5a, sizeof room);
  int (*get)(void*, int) = dlsym(library, function);
  if (get == NULL) {
    printf("%s: not exported\n", what);
    return;
  }
  printf("%s: %d", what, get(room, 0));
  int count = 0, shared = 0, size = 0;
  uint64_t bytes = 0;
  memcpy(&count, room + multiprocessors, sizeof count);
  memcpy(&shared, room + integrated, sizeof shared);
  memcpy(&bytes, room + total, sizeof bytes);
  for (int i = 0; i < (int)sizeof room; ++i)
    if (room[i] != 0x5a) size = i + 1;
  printf(" %s, %s, %d, %d, %llu, %d bytes\n", room + name, room + gfx, count, shared,
         (unsigned long long)bytes, size);
}

static void Memory(const char* when) {
  size_t free_bytes = 0, total = 0;
  const int code = HIP(hipMemGetInfo, size_t*, size_t*)(&free_bytes, &total);
  printf("memory %s: %d %zu %zu\n", when, code, free_bytes, total);
}

static void BadInput(void) {
  int number = 0;
  char text[64] = "";
  printf("bad count: %d\n", HIP(hipGetDeviceCount, int*)(NULL));
  printf("bad init: %d\n", HIP(hipInit, unsigned)(7));
  printf("bad set: %d\n", HIP(hipSetDevice, int)(64));
  printf("bad set, negative: %d\n", HIP(hipSetDevice, int)(-1));
  printf("last: %d\n", HIP(hipGetLastError, void)());
  printf("last again: %d\n", HIP(hipGetLastError, void)());
  printf("bad name: %d\n", HIP(hipDeviceGetName, char*, int, int)(NULL, 1, 0));
  printf("bad name, no room: %d\n", HIP(hipDeviceGetName, char*, int, int)(text, 0, 0));
  printf("bad name, device: %d\n", HIP(hipDeviceGetName, char*, int, int)(text, 9, 64));
  printf("name in room for 5: %d", HIP(hipDeviceGetName, char*, int, int)(text, 5, 0));
  printf(" %s\n", text);
  printf("bad address: %d\n",
         HIP(hipDeviceGetByPCIBusId, int*, const char*)(&number, "0000:ff:00.0"));
  printf("bad attribute: %d\n", HIP(hipDeviceGetAttribute, int*, int, int)(&number, 5555, 0));
  printf("bad attribute, null: %d\n", HIP(hipDeviceGetAttribute, int*, int, int)(NULL, 1, 0));
  printf("bad free: %d\n", HIP(hipFree, void*)(text));
  printf("free of nothing: %d\n", HIP(hipFree, void*)(NULL));
  printf("bad memory: %d\n", HIP(hipMemGetInfo, size_t*, size_t*)(NULL, NULL));
  printf("bad stream: %d\n", HIP(hipStreamCreate, void**)(NULL));
  printf("error 100: %s\n", Text(100));
  printf("error 101: %s\n", Text(101));
  printf("error 0: %s\n", Text(0));
  printf("error 801: %s\n", Text(801));
}

int main(int argc, char** argv) {
  library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  int count = -1, version = 0, code = 0;
  printf("version: %d", HIP(hipRuntimeGetVersion, int*)(&version));
  printf(" %d\n", version);
  printf("count: %d", HIP(hipGetDeviceCount, int*)(&count));
  printf(" %d\n", count);
  printf("init: %d\n", HIP(hipInit, unsigned)(0));
  BadInput();
  if (count == 0) return 0;
  char text[64] = "";
  printf("address: %d", HIP(hipDeviceGetPCIBusId, char*, int, int)(text, 64, 0));
  printf(" %s\n", text);
  memset(text, 0, sizeof text);
  printf("uuid: %d", HIP(hipDeviceGetUuid, char*, int)(text, 0));
  printf(" %s\n", text);
  Properties("R0000", version < 60000000 ? "hipGetDeviceProperties" : "hipGetDevicePropertiesR0000",
             0, 396, 336, 652, 256);
  Properties("R0600", "hipGetDevicePropertiesR0600", 0, 1160, 388, 396, 288);
  static const int kAttributes[] = {16, 23, 61, 63, 67, 84, 87, 10015};
  for (size_t i = 0; i < sizeof kAttributes / sizeof kAttributes[0]; ++i) {
    int value = 0;
    code = HIP(hipDeviceGetAttribute, int*, int, int)(&value, kAttributes[i], 0);
    printf("attribute %d: %d %d\n", kAttributes[i], code, value);
  }
  void* memory = NULL;
  Memory("before");
  printf("a gigabyte: %d\n", HIP(hipMalloc, void**, size_t)(&memory, (size_t)1 << 30));
  Memory("with a gigabyte");
  printf("too much: %d\n", HIP(hipMalloc, void**, size_t)(&memory + 0, (size_t)1 << 50));
  return 0;
}
