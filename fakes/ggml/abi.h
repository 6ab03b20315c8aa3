// The binary interface between ggml and a backend library at API version 2, as upstream and as
// Ollama have it: both say 2, and differ. Facts: ggml-backend.h and ggml-backend-impl.h of
// ollama/ollama v0.17.4; for upstream the code of libggml-base of llama.cpp v0.5.0
// (node-llama-cpp 3.22.1), which copies 11 pointers of a buffer and calls the 13th of a backend to
// compute. GPUSTAGE_GGML_OLLAMA chooses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fakes/ggml/backend_abi.h"

namespace gpustage::ggml {

inline constexpr int kApiVersion = 2;

enum class DeviceType : int32_t { kCpu = 0, kGpu = 1, kIntegratedGpu = 2, kAccelerator = 3 };
enum LogLevel : int32_t { kLogDebug = 1, kLogInfo = 2, kLogWarn = 3, kLogError = 4 };

struct Registration;
struct Event;

struct Capabilities {
  bool async;
  bool host_buffer;
  bool buffer_from_host_ptr;
  bool events;
};

struct Properties {
  const char* name;
  const char* description;
  size_t memory_free;
#if GPUSTAGE_GGML_OLLAMA
  const char* id;  // in the middle: every field behind it moves
#endif
  size_t memory_total;
  DeviceType type;
  const char* device_id;
  Capabilities caps;
#if GPUSTAGE_GGML_OLLAMA
  int32_t driver_major;
  int32_t driver_minor;
  int32_t compute_major;
  int32_t compute_minor;
  int32_t integrated;
  const char* library;
#endif
};

struct DeviceInterface {
  const char* (*get_name)(Device*);
  const char* (*get_description)(Device*);
  void (*get_memory)(Device*, size_t* free, size_t* total);
  DeviceType (*get_type)(Device*);
  void (*get_props)(Device*, Properties*);
  Backend* (*init_backend)(Device*, const char*);
  BufferType* (*get_buffer_type)(Device*);
  BufferType* (*get_host_buffer_type)(Device*);
  Buffer* (*buffer_from_host_ptr)(Device*, void*, size_t, size_t);
  bool (*supports_op)(Device*, const Tensor*);
  bool (*supports_buft)(Device*, BufferType*);
  bool (*offload_op)(Device*, const Tensor*);
  Event* (*event_new)(Device*);
  void (*event_free)(Device*, Event*);
  void (*event_synchronize)(Device*, Event*);
#if GPUSTAGE_GGML_OLLAMA
  void (*reset)(Device*);
#endif
};

struct Device {
  DeviceInterface functions;
  Registration* registration;
  void* context;
};

struct RegistrationInterface {
  const char* (*get_name)(Registration*);
  size_t (*get_device_count)(Registration*);
  Device* (*get_device)(Registration*, size_t);
  void* (*get_proc_address)(Registration*, const char*);
};

struct Registration {
  int32_t api_version;
  RegistrationInterface functions;
  void* context;
};

static_assert(sizeof(DeviceInterface) == (GPUSTAGE_GGML_OLLAMA ? 16 : 15) * sizeof(void*));
static_assert(offsetof(Properties, memory_total) == (GPUSTAGE_GGML_OLLAMA ? 32 : 24));

}  // namespace gpustage::ggml

// What a backend takes from libggml-base.
extern "C" {
void ggml_log_internal(int32_t level, const char* format, ...);
[[noreturn]] void ggml_abort(const char* file, int line, const char* format, ...);
gpustage::ggml::Buffer* ggml_backend_buffer_init(gpustage::ggml::BufferType* type,
                                                 gpustage::ggml::BufferInterface functions,
                                                 void* context, size_t size);
#if GPUSTAGE_GGML_OLLAMA
int ggml_nvml_init();
int ggml_nvml_get_device_memory(const char* uuid, size_t* free, size_t* total);
void ggml_nvml_release();
#endif
}
