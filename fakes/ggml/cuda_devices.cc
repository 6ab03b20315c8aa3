#include "fakes/ggml/cuda_devices.h"

#include <cstdlib>
#include <cstring>

#include "fakes/cuda_driver/api.h"
#include "fakes/cuda_runtime/api.h"
#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

#if GPUSTAGE_CUDART_MAJOR == 12
extern "C" cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* prop, int device);
#define cudaGetDeviceProperties cudaGetDeviceProperties_v2
#endif

namespace gpustage::ggml {
namespace {

using world::CopyText;
using world::Equal;
using world::Text;
using world::TextWriter;

constexpr char kFile[] = "ggml/src/ggml-cuda/ggml-cuda.cu";
constexpr int kVirtualMemory = 102;     // CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED
constexpr int kCooperativeLaunch = 95;  // cudaDevAttrCooperativeLaunch
constexpr unsigned kScheduleSpin = 1;   // cudaDeviceScheduleSpin

// Compute capability times 100, of the release builds. Source: CMakePresets.json of ollama/ollama
// v0.17.4.
constexpr int kArchitectures[] = {
#if GPUSTAGE_CUDART_MAJOR == 12
    500, 520, 600, 610, 700, 750,
    800, 860, 890, 900, 1200
#else
    750,  800,  860,  870,  890, 900,
    1000, 1030, 1100, 1200, 1210
#endif
};

// The lines are this file's: the real one's differ in every release, but for those of its
// assertions in v0.17.4.
[[noreturn]] void Die(const char* statement, const char* function, int line, const char* text) {
  int device = -1;
  cudaGetDevice(&device);
  ggml_log_internal(kLogError, "CUDA error: %s\n", text);
  ggml_log_internal(kLogError, "  current device: %d, in function %s at %s:%d\n", device, function,
                    kFile, line);
  ggml_log_internal(kLogError, "  %s\n", statement);
  ggml_abort(kFile, 94, "CUDA error");
}

void CheckRuntime(cudaError_t error, const char* statement, const char* function, int line) {
  if (error != cudaSuccess) Die(statement, function, line, cudaGetErrorString(error));
}

void CheckDriver(CUresult error, const char* statement, const char* function, int line) {
  if (error == CUDA_SUCCESS) return;
  const char* text = nullptr;
  cuGetErrorString(error, &text);
  Die(statement, function, line, text);
}

#define CUDA_CHECK(call) CheckRuntime(call, #call, __func__, __LINE__)
#define CU_CHECK(call) CheckDriver(call, #call, __func__, __LINE__)

// cudaDeviceProp as the headers of this backend's CUDA major have it.
class Props {
 public:
  // The real one's struct is not initialised: what no runtime writes is what the stack held, here
  // the same each time.
  explicit Props(int device) {
    memset(bytes_, 0xa5, sizeof(bytes_));
    CUDA_CHECK(cudaGetDeviceProperties(raw(), device));
  }

  const char* name() const { return bytes_; }
  const uint8_t* uuid() const { return reinterpret_cast<const uint8_t*>(bytes_ + 256); }
  size_t total_memory() const {
    size_t bytes;
    memcpy(&bytes, bytes_ + 288, sizeof(bytes));
    return bytes;
  }
  int Get(const char* field) const {
    int value = 0;
#define FIELD(name, in11, in12, in13, type, attribute) \
  if (Equal(field, #name)) memcpy(&value, bytes_ + (kIsCuda12 ? in12 : in13), sizeof(value));
#include "fakes/cuda_runtime/device_prop.inc"
#undef FIELD
    return value;
  }

 private:
  static constexpr bool kIsCuda12 = GPUSTAGE_CUDART_MAJOR == 12;
  cudaDeviceProp* raw() { return reinterpret_cast<cudaDeviceProp*>(bytes_); }

  alignas(8) char bytes_[1032];
};

bool HasVirtualMemory(int ordinal) {
  CUdevice device = -1;
  int has = 0;
  CU_CHECK(cuDeviceGet(&device, ordinal));
  CU_CHECK(cuDeviceGetAttribute(&has, kVirtualMemory, device));
  if (has != 0) {
    CUmemAllocationProp prop = {};
    prop.type = 1;                 // CU_MEM_ALLOCATION_TYPE_PINNED
    prop.location = {1, ordinal};  // CU_MEM_LOCATION_TYPE_DEVICE
    size_t granularity = 0;
    CU_CHECK(cuMemGetAllocationGranularity(&granularity, &prop, 1));
  }
  return has != 0;
}

[[maybe_unused]] bool IsCompiledFor(int compute_capability) {
  const world::World& world = world::Here();
  for (uint32_t i = 0; i < world.arch_count; ++i)
    if (world.archs[i] == compute_capability) return true;
  if (world.arch_count > 0) return false;
  for (const int architecture : kArchitectures)
    if (architecture == compute_capability) return true;
  return false;
}

void Identify(CudaDevice& device, const Props& props) {
  TextWriter(device.name, sizeof(device.name)).Add("CUDA").Decimal(device.index);
  CopyText(device.description, sizeof(device.description), props.name());
  TextWriter id(device.id, sizeof(device.id));
  AddUuid(id.Add("GPU-"), props.uuid());
  device.compute_major = props.Get("major");
  device.compute_minor = props.Get("minor");
  device.integrated = props.Get("integrated");
}

#if GPUSTAGE_GGML_OLLAMA

// v0.17.4: GGML_CUDA_INIT is set in the second pass of discovery, which is to fail for devices this
// build cannot serve.
void Initialise(int count) {
  ggml_log_internal(kLogInfo, "ggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no\n");
  ggml_log_internal(kLogInfo, "ggml_cuda_init: GGML_CUDA_FORCE_CUBLAS: no\n");
  ggml_log_internal(kLogInfo, "ggml_cuda_init: found %d CUDA devices:\n", count);
  for (int i = 0; i < count; ++i) {
    const bool virtual_memory = HasVirtualMemory(i);
    const Props props(i);
    CudaDevice device = {};
    device.index = i;
    Identify(device, props);
    if (getenv("GGML_CUDA_INIT") != nullptr &&
        !IsCompiledFor(100 * device.compute_major + 10 * device.compute_minor)) {
      ggml_abort(kFile, 335, "GGML_ASSERT(%s) failed",
                 "ggml_cuda_has_arch(info.devices[id].cc) && \"ggml was not compiled with support "
                 "for this arch\"");
    }
    ggml_log_internal(kLogInfo, "  Device %d: %s, compute capability %d.%d, VMM: %s, ID: %s\n", i,
                      props.name(), device.compute_major, device.compute_minor,
                      virtual_memory ? "yes" : "no", device.id);
    if (device.compute_major == 12 && device.compute_minor == 1)
      CUDA_CHECK(cudaSetDeviceFlags(kScheduleSpin));
  }
}

void Register(CudaDevice& device, int* driver_version) {
  const Props props(device.index);
  Identify(device, props);
  Text<32> pci;
  pci.Hex(static_cast<uint32_t>(props.Get("pciDomainID")), 4).Add(':');
  pci.Hex(static_cast<uint32_t>(props.Get("pciBusID")), 2).Add(':');
  pci.Hex(static_cast<uint32_t>(props.Get("pciDeviceID")), 2).Add(".0");
  CopyText(device.pci_bus_id, 16, pci.c_str());
  if (*driver_version == 0) CUDA_CHECK(cudaDriverGetVersion(driver_version));
  device.driver_version = *driver_version;
}

#else

void Initialise(int count) {
  size_t total = 0;
  for (int i = 0; i < count; ++i) total += Props(i).total_memory();
  ggml_log_internal(kLogInfo, "ggml_cuda_init: found %d CUDA devices (Total VRAM: %zu MiB):\n",
                    count, total >> 20);
  for (int i = 0; i < count; ++i) {
    const bool virtual_memory = HasVirtualMemory(i);
    const Props props(i);
    int cooperative = 0;
    CUDA_CHECK(cudaDeviceGetAttribute(&cooperative, kCooperativeLaunch, i));
    const int major = props.Get("major");
    const int minor = props.Get("minor");
    ggml_log_internal(
        kLogInfo, "  Device %d: %s, compute capability %d.%d, VMM: %s, VRAM: %zu MiB\n", i,
        props.name(), major, minor, virtual_memory ? "yes" : "no", props.total_memory() >> 20);
    if (major == 12 && minor == 1) {
      CUDA_CHECK(cudaSetDevice(i));
      CUDA_CHECK(cudaSetDeviceFlags(kScheduleSpin));
    }
  }
}

void Register(CudaDevice& device, int*) {
  Identify(device, Props(device.index));
  CUDA_CHECK(cudaDeviceGetPCIBusId(device.pci_bus_id, sizeof(device.pci_bus_id), device.index));
  for (char* c = device.pci_bus_id; *c != '\0'; ++c)
    if (*c >= 'A' && *c <= 'F') *c = static_cast<char>(*c - 'A' + 'a');
}

#endif

void Select(const CudaDevice& device) {
  int current = -1;
  CUDA_CHECK(cudaGetDevice(&current));
  if (current != device.index) CUDA_CHECK(cudaSetDevice(device.index));
}

// Bytes of "MemAvailable: N kB", 0 when /proc does not say.
size_t AvailableMemory() {
  char text[2048];
  const long length = world::ReadFile("/proc/meminfo", text, sizeof(text) - 1);
  text[length] = '\0';
  const char* at = strstr(text, "MemAvailable:");
  if (at == nullptr) return 0;
  size_t kilobytes = 0;
  for (at += strlen("MemAvailable:"); *at != '\n' && *at != '\0'; ++at)
    if (*at >= '0' && *at <= '9') kilobytes = kilobytes * 10 + static_cast<size_t>(*at - '0');
  return kilobytes * 1024;
}

bool AskNvml([[maybe_unused]] const CudaDevice& device, [[maybe_unused]] size_t* free,
             [[maybe_unused]] size_t* total) {
#if GPUSTAGE_GGML_OLLAMA
  if (ggml_nvml_init() != 0) return false;
  const bool known = ggml_nvml_get_device_memory(device.id, free, total) == 0;
  ggml_nvml_release();
  return known;
#else
  return false;
#endif
}

}  // namespace

int FindCudaDevices(CudaDevice devices[kMaxDevices]) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    ggml_log_internal(kLogError, "ggml_cuda_init: failed to initialize CUDA: %s\n",
                      cudaGetErrorString(error));
    return 0;
  }
  if (count > kMaxDevices)
    ggml_abort(kFile, 252, "GGML_ASSERT(%s) failed", "info.device_count <= GGML_CUDA_MAX_DEVICES");
  Initialise(count);
  int driver_version = 0;
  for (int i = 0; i < count; ++i) {
    devices[i] = {};
    devices[i].index = i;
    Register(devices[i], &driver_version);
  }
  return count;
}

void DeviceMemory(const CudaDevice& device, size_t* free, size_t* total) {
  Select(device);
  if (AskNvml(device, free, total)) return;
  CUDA_CHECK(cudaMemGetInfo(free, total));
  const Props props(device.index);
  if (props.Get("integrated") == 0 && getenv("GGML_CUDA_ENABLE_UNIFIED_MEMORY") == nullptr) return;
  if (const size_t available = AvailableMemory(); available > 0) *free = available;
}

void* Allocate(const CudaDevice& device, size_t bytes) {
  Select(device);
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaSuccess) return memory;
  cudaGetLastError();
  ggml_log_internal(kLogError,
                    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating %.2f MiB on device %d: "
                    "cudaMalloc failed: %s\n",
                    static_cast<double>(bytes) / (1 << 20), device.index,
                    cudaGetErrorString(error));
  return nullptr;
}

void Free(const CudaDevice& device, void* memory) {
  Select(device);
  CUDA_CHECK(cudaFree(memory));
}

void Fill(const CudaDevice& device, void* memory, uint8_t value, size_t bytes) {
  Select(device);
  CUDA_CHECK(cudaMemset(memory, value, bytes));
}

}  // namespace gpustage::ggml
