// The devices of libggml-hip: ggml's CUDA backend, built for HIP.
#include <cstdlib>
#include <cstring>

#include "fakes/ggml/cuda_devices.h"
#include "fakes/hip/types.h"

#if GPUSTAGE_ROCM_MAJOR == 5
#define hipGetDevicePropertiesR0600 hipGetDeviceProperties
#endif

extern "C" {
int32_t rocblas_get_version_string_size(size_t* bytes);
int32_t rocblas_get_version_string(char* text, size_t bytes);
void rocblas_initialize();
hipError_t hipDeviceSynchronize();
}

namespace gpustage::ggml {
namespace {

using world::CopyText;
using world::TextWriter;

constexpr char kFile[] = "ggml/src/ggml-cuda/ggml-cuda.cu";
constexpr int kFirstRocblasThatNeedsNoStart = 4;
// Places in hipDeviceProp_t as this backend's headers have it.
constexpr bool kIsOld = GPUSTAGE_ROCM_MAJOR == 5;
constexpr size_t kUuid = 256, kTotal = kIsOld ? 256 : 288, kWave = kIsOld ? 276 : 308,
                 kIntegrated = kIsOld ? 652 : 396, kBus = kIsOld ? 368 : 584,
                 kDevice = kIsOld ? 372 : 588, kDomain = kIsOld ? 364 : 592,
                 kGcnArchName = kIsOld ? 396 : 1160;

// The lines are this file's: the real one's differ in every release.
[[noreturn]] void Die(const char* statement, const char* function, int line, hipError_t error) {
  int device = -1;
  hipGetDevice(&device);
  ggml_log_internal(kLogError, "ROCm error: %s\n", hipGetErrorString(error));
  ggml_log_internal(kLogError, "  current device: %d, in function %s at %s:%d\n", device, function,
                    kFile, line);
  ggml_log_internal(kLogError, "  %s\n", statement);
  ggml_abort(kFile, 94, "ROCm error");
}

#define HIP_CHECK(call)                                               \
  do {                                                                \
    const hipError_t called = call;                                   \
    if (called != hipSuccess) Die(#call, __func__, __LINE__, called); \
  } while (false)

class Props {
 public:
  explicit Props(int device) {
    memset(bytes_, 0xa5, sizeof(bytes_));
    HIP_CHECK(hipGetDevicePropertiesR0600(bytes_, device));
  }
  const char* name() const { return bytes_; }
  const char* gfx() const { return bytes_ + kGcnArchName; }
  const char* uuid() const { return bytes_ + kUuid; }
  int Get(size_t at) const {
    int value;
    memcpy(&value, bytes_ + at, sizeof(value));
    return value;
  }
  size_t total_memory() const {
    size_t bytes;
    memcpy(&bytes, bytes_ + kTotal, sizeof(bytes));
    return bytes;
  }

 private:
  alignas(8) char bytes_[1472];
};

// "gfx90a:sramecc+" is 0x90a, "gfx1100" 0x1100.
int Architecture(const char* gfx) {
  int id = 0;
  if (strncmp(gfx, "gfx", 3) != 0) return 0;
  for (gfx += 3; (*gfx >= '0' && *gfx <= '9') || (*gfx >= 'a' && *gfx <= 'f'); ++gfx)
    id = id * 16 + (*gfx >= 'a' ? *gfx - 'a' + 10 : *gfx - '0');
  return id;
}

// Sixteen digits of a board's own number; "XX" of one that has none makes the place its id.
void Identify(CudaDevice& device, const Props& props) {
  TextWriter(device.name, sizeof(device.name)).Add("ROCm").Decimal(device.index);
  CopyText(device.description, sizeof(device.description), props.name());
  bool is_number = !kIsOld;
  for (int i = 0; i < 16 && is_number; ++i)
    is_number = (props.uuid()[i] >= '0' && props.uuid()[i] <= '9') ||
                (props.uuid()[i] >= 'a' && props.uuid()[i] <= 'f');
  TextWriter id(device.id, sizeof(device.id));
  if (is_number)
    id.Add("GPU-").Add(props.uuid(), 16);
  else
    id.Decimal(device.index);
  const int architecture = Architecture(props.gfx());
  device.compute_major = architecture >> 8;
  device.compute_minor = architecture & 0xff;
  device.integrated = props.Get(kIntegrated);
}

// Before version 4 rocBLAS is begun here, because it does it badly with several GPUs; it ends the
// process where it lacks the kernels of one.
void StartRocblas() {
  char version[64] = {};
  size_t bytes = 0;
  if (rocblas_get_version_string_size(&bytes) == 0 && bytes < sizeof(version) &&
      rocblas_get_version_string(version, sizeof(version)) == 0 &&
      atoi(version) >= kFirstRocblasThatNeedsNoStart)
    return;
  ggml_log_internal(kLogDebug,
                    "ROCm calling rocblas_initialize as a workaround for a rocBLAS bug\n");
  rocblas_initialize();
  HIP_CHECK(hipDeviceSynchronize());
}

void Tell(int i) {
  const Props props(i);
  CudaDevice device = {};
  device.index = i;
  Identify(device, props);
#if GPUSTAGE_GGML_OLLAMA
  ggml_log_internal(kLogInfo, "  Device %d: %s, %s (0x%x), VMM: no, Wave Size: %d, ID: %s\n", i,
                    props.name(), props.gfx(), Architecture(props.gfx()), props.Get(kWave),
                    device.id);
#else
  ggml_log_internal(kLogInfo, "  Device %d: %s, %s (0x%x), VMM: no, Wave Size: %d, VRAM: %zu MiB\n",
                    i, props.name(), props.gfx(), Architecture(props.gfx()), props.Get(kWave),
                    props.total_memory() >> 20);
#endif
}

void Initialise(int count) {
#if GPUSTAGE_GGML_OLLAMA
  ggml_log_internal(kLogInfo, "ggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no\n");
  ggml_log_internal(kLogInfo, "ggml_cuda_init: GGML_CUDA_FORCE_CUBLAS: no\n");
  ggml_log_internal(kLogInfo, "ggml_cuda_init: found %d ROCm devices:\n", count);
#else
  size_t total = 0;
  for (int i = 0; i < count; ++i) total += Props(i).total_memory();
  ggml_log_internal(kLogInfo, "ggml_cuda_init: found %d ROCm devices (Total VRAM: %zu MiB):\n",
                    count, total >> 20);
#endif
  for (int i = 0; i < count; ++i) Tell(i);
}

void Select(const CudaDevice& device) {
  int current = -1;
  HIP_CHECK(hipGetDevice(&current));
  if (current != device.index) HIP_CHECK(hipSetDevice(device.index));
}

}  // namespace

int FindCudaDevices(CudaDevice devices[kMaxDevices]) {
  int count = 0;
  const hipError_t error = hipGetDeviceCount(&count);
  if (error != hipSuccess) {
    ggml_log_internal(kLogError, "ggml_cuda_init: failed to initialize ROCm: %s\n",
                      hipGetErrorString(error));
    return 0;
  }
  if (count > kMaxDevices)
    ggml_abort(kFile, 252, "GGML_ASSERT(%s) failed", "info.device_count <= GGML_CUDA_MAX_DEVICES");
  StartRocblas();
  Initialise(count);
  int version = 0;
  HIP_CHECK(hipDriverGetVersion(&version));
  for (int i = 0; i < count; ++i) {
    devices[i] = {};
    devices[i].index = i;
    const Props props(i);
    Identify(devices[i], props);
    TextWriter pci(devices[i].pci_bus_id, sizeof(devices[i].pci_bus_id));
    pci.Hex(static_cast<uint32_t>(props.Get(kDomain)), 4).Add(':');
    pci.Hex(static_cast<uint32_t>(props.Get(kBus)), 2).Add(':');
    pci.Hex(static_cast<uint32_t>(props.Get(kDevice)), 2).Add(".0");
    devices[i].driver_version = version;
  }
  return count;
}

void DeviceMemory(const CudaDevice& device, size_t* free, size_t* total) {
  Select(device);
  HIP_CHECK(hipMemGetInfo(free, total));
}

void* Allocate(const CudaDevice& device, size_t bytes) {
  Select(device);
  void* memory = nullptr;
  const hipError_t error = hipMalloc(&memory, bytes);
  if (error == hipSuccess) return memory;
  hipGetLastError();
  ggml_log_internal(kLogError,
                    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating %.2f MiB on device %d: "
                    "cudaMalloc failed: %s\n",
                    static_cast<double>(bytes) / (1 << 20), device.index, hipGetErrorString(error));
  return nullptr;
}

void Free(const CudaDevice& device, void* memory) {
  Select(device);
  HIP_CHECK(hipFree(memory));
}

void Fill(const CudaDevice& device, void* memory, uint8_t value, size_t bytes) {
  Select(device);
  HIP_CHECK(hipMemset(memory, value, bytes));
}

}  // namespace gpustage::ggml
