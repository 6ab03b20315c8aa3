// Finding libcuda, starting on it, and what a thread remembers.
#include "fakes/cuda_runtime/runtime.h"

#include <dlfcn.h>

#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"

// The name that every glibc since 2.2.5 has, so that the fake loads where the real library does.
#if defined(__x86_64__)
asm(".symver dlopen,dlopen@GLIBC_2.2.5");
asm(".symver dlsym,dlsym@GLIBC_2.2.5");
#endif

namespace gpustage::world {
const int32_t kNotSupported = cudaErrorNotSupported;
const int32_t kDeviceLost = cudaErrorUnknown;
}  // namespace gpustage::world

namespace gpustage::cuda_runtime {
namespace {

// Runs once a process and keeps its answer. A child that was forked while another thread was inside
// begins again; who asks from within, as a library's constructor may, is told that it is not ready.
class Once {
 public:
  template <typename Body>
  cudaError_t Run(Body body) {
    for (;;) {
      int64_t owner = __atomic_load_n(&owner_, __ATOMIC_ACQUIRE);
      if (owner == kDone) return result_;
      const int64_t pid = world::ProcessId(), us = pid << 32 | world::ThreadId();
      if (owner == us) return cudaErrorInitializationError;
      if (owner >> 32 == pid) {
        world::SystemCall(SYS_sched_yield);
      } else if (__atomic_compare_exchange_n(&owner_, &owner, us, false, __ATOMIC_ACQ_REL,
                                             __ATOMIC_RELAXED)) {
        result_ = body();
        __atomic_store_n(&owner_, kDone, __ATOMIC_RELEASE);
        return result_;
      }
    }
  }

 private:
  static constexpr int64_t kDone = -1;
  int64_t owner_ = 0;  // process and thread
  cudaError_t result_ = cudaSuccess;
};

Once g_load;
Once g_start;
Driver g_driver;
int g_device_count = 0;
DeviceFacts g_facts[kMaxDevices];

// NVIDIA's stub library answers everything with CUDA_ERROR_STUB_LIBRARY, and the runtime says so;
// other failures here mean that the driver is too old.
cudaError_t LookUp(decltype(&cuGetProcAddress_v2) get) {
  const struct {
    const char* name;
    int version;
    void** function;
  } wanted[] = {
#define DRIVER(name, version, function) {#name, version, reinterpret_cast<void**>(&g_driver.name)},
#include "fakes/cuda_runtime/driver_api.inc"
#undef DRIVER
  };
  for (const auto& row : wanted) {
    CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
    const CUresult result = get(row.name, row.function, row.version, 0, &status);
    if (result == cudaErrorStubLibrary) return cudaErrorStubLibrary;
    if (result == CUDA_SUCCESS && *row.function != nullptr) continue;
    if (result != CUDA_SUCCESS && result != CUDA_ERROR_NOT_FOUND)
      return cudaErrorInsufficientDriver;
    return cudaErrorCallRequiresNewerDriver;
  }
  return cudaSuccess;
}

cudaError_t Load() {
  void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == nullptr) return cudaErrorInsufficientDriver;
  const auto get =
      reinterpret_cast<decltype(&cuGetProcAddress_v2)>(dlsym(library, "cuGetProcAddress_v2"));
  return get == nullptr ? cudaErrorInsufficientDriver : LookUp(get);
}

bool AskAttributes(CUdevice device, DeviceFacts& facts) {
  static constexpr int kAsked[] = {
#define FIELD(name, in11, in12, in13, type, attribute) attribute,
#include "fakes/cuda_runtime/device_prop.inc"
#undef FIELD
  };
  for (const int attribute : kAsked) {
    if (g_driver.cuDeviceGetAttribute(&facts.attributes[attribute], attribute, device) !=
        CUDA_SUCCESS)
      return false;
  }
  return true;
}

bool AskDevice(int ordinal) {
  DeviceFacts& facts = g_facts[ordinal];
  CUdevice device = -1;
  return g_driver.cuDeviceGet(&device, ordinal) == CUDA_SUCCESS &&
         g_driver.cuDeviceGetName(facts.name, sizeof(facts.name), device) == CUDA_SUCCESS &&
         g_driver.cuDeviceTotalMem(&facts.memory_total, device) == CUDA_SUCCESS &&
         AskAttributes(device, facts) &&
         g_driver.cuDeviceGetUuid(&facts.uuid, device) == CUDA_SUCCESS;
}

// In the order of the real runtime: its version test comes before cuInit, the code of cuInit is
// passed on, and any error after it is "initialization error".
cudaError_t Begin() {
  cudaError_t error = cudaSuccess;
  LoadDriver(&error);
  if (error != cudaSuccess) return error;
  int version = 0;
  const CUresult asked = g_driver.cuDriverGetVersion(&version);
  if (asked == cudaErrorStubLibrary) return cudaErrorStubLibrary;
  if (asked != CUDA_SUCCESS || version < GPUSTAGE_CUDART_MAJOR * 1000)
    return cudaErrorInsufficientDriver;
  if (const CUresult result = g_driver.cuInit(0); result != CUDA_SUCCESS) return result;
  int count = 0;
  if (g_driver.cuDeviceGetCount(&count) != CUDA_SUCCESS) return cudaErrorInitializationError;
  if (count == 0) return cudaErrorNoDevice;
  g_device_count = count < kMaxDevices ? count : kMaxDevices;
  for (int i = 0; i < g_device_count; ++i)
    if (!AskDevice(i)) return cudaErrorInitializationError;
  return cudaSuccess;
}

}  // namespace

constinit thread_local Thread t_thread;

const Driver& LoadDriver(cudaError_t* error) {
  *error = g_load.Run(Load);
  return g_driver;
}

cudaError_t Start() { return g_start.Run(Begin); }
const Driver& Cuda() { return g_driver; }
int DeviceCount() { return g_device_count; }
const DeviceFacts& Facts(int device) { return g_facts[device]; }

cudaError_t Remember(cudaError_t error, bool sticky) {
  if (error != cudaSuccess && !t_thread.sticky) {
    t_thread.last_error = error;
    t_thread.sticky = sticky;
  }
  return error;
}

cudaError_t UseContext() {
  // A child has no context of its parent's, and its driver says so.
  const int process = world::ProcessId();
  if (t_thread.context_of == t_thread.device + 1 && t_thread.process == process) return cudaSuccess;
  CUcontext context = nullptr;
  CUresult result = g_driver.cuDevicePrimaryCtxRetain(&context, t_thread.device);
  if (result == CUDA_SUCCESS) result = g_driver.cuCtxSetCurrent(context);
  if (result == CUDA_SUCCESS) {
    t_thread.context_of = t_thread.device + 1;
    t_thread.process = process;
  }
  return result;
}

}  // namespace gpustage::cuda_runtime
