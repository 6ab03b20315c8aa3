// libggml-cuda and, built for HIP, libggml-hip: ggml_backend_init and the tables behind it. It
// counts devices, tells their properties and memory, and gives buffers; it supports no operation,
// so that nothing is ever computed here.
#include "fakes/ggml/cuda_devices.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"

namespace gpustage::world {
const int32_t kNotSupported = 0;
const int32_t kDeviceLost = 0;
}  // namespace gpustage::world

namespace gpustage::ggml {
namespace {

CudaDevice g_cuda[kMaxDevices];
Device g_devices[kMaxDevices];
Backend g_backends[kMaxDevices];
BufferType g_buffer_types[kMaxDevices];
int g_count = -1;  // -1: not asked yet
Registration g_registration;

#ifdef GPUSTAGE_GGML_HIP
constexpr char kLibrary[] = "ROCm";
#else
constexpr char kLibrary[] = "CUDA";
#endif
constexpr uint8_t kGuid[16] = {'g', 'p', 'u', 's', 't', 'a', 'g', 'e'};

CudaDevice& Cuda(const Device* device) { return *static_cast<CudaDevice*>(device->context); }
CudaDevice& Cuda(const BufferType* type) { return *static_cast<CudaDevice*>(type->context); }

const char* BufferTypeName(BufferType* type) { return Cuda(type).name; }
size_t Alignment(BufferType*) { return 128; }

BufferInterface BufferFunctions() {
  BufferInterface functions = {};
  functions.free_buffer = [](Buffer* buffer) { Free(Cuda(buffer->type), buffer->context); };
  functions.get_base = [](Buffer* buffer) { return buffer->context; };
  functions.clear = [](Buffer* buffer, uint8_t value) {
    Fill(Cuda(buffer->type), buffer->context, value, buffer->size);
  };
  return functions;
}

Buffer* AllocateBuffer(BufferType* type, size_t size) {
  void* const memory = Allocate(Cuda(type), size);
  if (memory == nullptr) return nullptr;
  return ggml_backend_buffer_init(type, BufferFunctions(), memory, size);
}

const char* BackendName(Backend* backend) { return Cuda(backend->device).name; }
void FreeBackend(Backend*) {}
int32_t Compute(Backend*, Graph*) { return 0; }

const char* Name(Device* device) { return Cuda(device).name; }
const char* Description(Device* device) { return Cuda(device).description; }
void Memory(Device* device, size_t* free, size_t* total) {
  DeviceMemory(Cuda(device), free, total);
}

// Ollama's build never says that a GPU is an integrated one.
DeviceType Type(Device* device) {
  return !GPUSTAGE_GGML_OLLAMA && Cuda(device).integrated != 0 ? DeviceType::kIntegratedGpu
                                                               : DeviceType::kGpu;
}

void Describe(Device* device, Properties* props) {
  const CudaDevice& cuda = Cuda(device);
  *props = {};
  props->name = cuda.name;
  props->description = cuda.description;
  props->type = Type(device);
  props->device_id = cuda.pci_bus_id[0] == '\0' ? nullptr : cuda.pci_bus_id;
  props->caps = {.async = true, .host_buffer = true, .buffer_from_host_ptr = false, .events = true};
#if GPUSTAGE_GGML_OLLAMA
  props->id = cuda.id;
  props->driver_major = cuda.driver_version / 1000;
  props->driver_minor = cuda.driver_version % 1000 / 10;
  props->compute_major = cuda.compute_major;
  props->compute_minor = cuda.compute_minor;
  props->integrated = cuda.integrated;
  props->library = kLibrary;
#else
  Memory(device, &props->memory_free, &props->memory_total);
#endif
}

Backend* InitBackend(Device* device, const char*) { return &g_backends[Cuda(device).index]; }
BufferType* DefaultBufferType(Device* device) { return &g_buffer_types[Cuda(device).index]; }
bool SupportsOperation(Device*, const Tensor*) { return false; }
bool SupportsBufferType(Device* device, BufferType* type) { return type->device == device; }

void FillTables() {
  for (int i = 0; i < g_count; ++i) {
    Device& device = g_devices[i];
    device.functions.get_name = Name;
    device.functions.get_description = Description;
    device.functions.get_memory = Memory;
    device.functions.get_type = Type;
    device.functions.get_props = Describe;
    device.functions.init_backend = InitBackend;
    device.functions.get_buffer_type = DefaultBufferType;
    device.functions.supports_op = SupportsOperation;
    device.functions.supports_buft = SupportsBufferType;
#if GPUSTAGE_GGML_OLLAMA
    device.functions.reset = [](Device*) {};
#endif
    device.registration = &g_registration;
    device.context = &g_cuda[i];

    BufferType& type = g_buffer_types[i];
    type.functions.get_name = BufferTypeName;
    type.functions.alloc_buffer = AllocateBuffer;
    type.functions.get_alignment = Alignment;
    type.device = &device;
    type.context = &g_cuda[i];

    Backend& backend = g_backends[i];
    backend.guid = kGuid;
    backend.functions.get_name = BackendName;
    backend.functions.free = FreeBackend;
    backend.functions.graph_compute = Compute;
    backend.device = &device;
    backend.context = &g_cuda[i];
  }
}

Registration* Init() {
  if (g_count < 0) {
    g_count = FindCudaDevices(g_cuda);
    FillTables();
    g_registration.api_version = kApiVersion;
    g_registration.functions = {
        .get_name = [](Registration*) { return kLibrary; },
        .get_device_count = [](Registration*) { return static_cast<size_t>(g_count); },
        .get_device =
            [](Registration*, size_t i) {
              return i < static_cast<size_t>(g_count) ? &g_devices[i] : nullptr;
            },
        .get_proc_address = [](Registration*, const char*) -> void* { return nullptr; },
    };
  }
  return &g_registration;
}

}  // namespace
}  // namespace gpustage::ggml

// The result in the journal is the number of devices.
extern "C" gpustage::ggml::Registration* ggml_backend_init() {
  using namespace gpustage::ggml;
  Registration* registration = nullptr;
  gpustage::world::Answer(CALL(), [&] {
    registration = Init();
    return g_count;
  });
  return registration;
}
