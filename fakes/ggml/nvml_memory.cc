// Ollama's addition to libggml-base: memory of a device asked of NVML, which counts more than CUDA
// does.
#include <dlfcn.h>

#include <cstring>
#include <initializer_list>

#include "fakes/ggml/abi.h"
#include "fakes/world/call.h"
#include "fakes/world/syscall.h"

#if defined(__x86_64__)
asm(".symver dlclose,dlclose@GLIBC_2.2.5");
asm(".symver dlerror,dlerror@GLIBC_2.2.5");
asm(".symver dlopen,dlopen@GLIBC_2.2.5");
asm(".symver dlsym,dlsym@GLIBC_2.2.5");
#endif

namespace {

using gpustage::world::Answer;

constexpr int kSuccess = 0;
constexpr int kUninitialized = 1;
constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;

struct Memory {
  unsigned long long total, free, used;
};

struct Nvml {
  void* library;
  int (*init)();
  int (*shutdown)();
  int (*by_uuid)(const char*, void**);
  int (*memory)(void*, Memory*);
  void* name;  // looked up and never called
  const char* (*error)(int);
};
Nvml g_nvml;

template <typename Function>
bool Look(const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(g_nvml.library, name));
  return function != nullptr;
}

bool LookAll() {
  Look("nvmlErrorString", g_nvml.error);  // the only one that may be missing
  return Look("nvmlInit_v2", g_nvml.init) && Look("nvmlShutdown", g_nvml.shutdown) &&
         Look("nvmlDeviceGetHandleByUUID", g_nvml.by_uuid) &&
         Look("nvmlDeviceGetMemoryInfo", g_nvml.memory) && Look("nvmlDeviceGetName", g_nvml.name);
}

int Close(int code) {
  dlclose(g_nvml.library);
  g_nvml = {};
  return code;
}

int Open() {
  if (g_nvml.library != nullptr) return kSuccess;
  for (const char* path : {"/usr/lib/wsl/lib/libnvidia-ml.so.1", "libnvidia-ml.so.1"}) {
    g_nvml.library = dlopen(path, RTLD_LAZY);
    if (g_nvml.library != nullptr) break;
  }
  if (g_nvml.library == nullptr) {
    ggml_log_internal(gpustage::ggml::kLogInfo, "ggml_nvml_init unable to load libnvidia-ml: %s\n",
                      dlerror());
    return kNotFound;
  }
  if (!LookAll()) {
    ggml_log_internal(gpustage::ggml::kLogInfo,
                      "ggml_nvml_init unable to locate required symbols in libnvidia-ml.so");
    return Close(kNotFound);
  }
  const int status = g_nvml.init();
  if (status == kSuccess) return kSuccess;
  ggml_log_internal(gpustage::ggml::kLogInfo, "ggml_nvml_init unable to initialize NVML: %s\n",
                    g_nvml.error(status));
  return Close(status);
}

// Bytes of "NAME: N kB" in /proc/meminfo; 0 when it does not say.
size_t MemoryNamed(const char* text, const char* name) {
  const char* at = strstr(text, name);
  if (at == nullptr) return 0;
  size_t kilobytes = 0;
  for (at += strlen(name); *at != '\n' && *at != '\0'; ++at)
    if (*at >= '0' && *at <= '9') kilobytes = kilobytes * 10 + static_cast<size_t>(*at - '0');
  return kilobytes * 1024;
}

int HostMemory(size_t* free, size_t* total) {
  char text[2048];
  const long length = gpustage::world::ReadFile("/proc/meminfo", text, sizeof(text) - 1);
  if (length <= 0) return kNotSupported;
  text[length] = '\0';
  *total = MemoryNamed(text, "MemTotal:");
  *free = MemoryNamed(text, "MemAvailable:");
  return kSuccess;
}

int DeviceMemory(const char* uuid, size_t* free, size_t* total) {
  if (g_nvml.library == nullptr) return kUninitialized;
  void* device = nullptr;
  int status = g_nvml.by_uuid(uuid, &device);
  Memory memory = {};
  if (status == kSuccess) status = g_nvml.memory(device, &memory);
  // A GPU that shares the host's memory says so, and then that of the host counts.
  if (status == kNotSupported) return HostMemory(free, total);
  if (status != kSuccess) return status;
  *free = memory.free;
  *total = memory.total;
  return kSuccess;
}

}  // namespace

int ggml_nvml_init() { return Answer(CALL(), Open); }

int ggml_nvml_get_device_memory(const char* uuid, size_t* free, size_t* total) {
  return Answer(CALL(uuid), [&] { return DeviceMemory(uuid, free, total); });
}

void ggml_nvml_release() {
  Answer(CALL(), [] {
    if (g_nvml.library == nullptr) return kSuccess;
    g_nvml.shutdown();
    return Close(kSuccess);
  });
}
