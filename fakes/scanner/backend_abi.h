// What Ollama 0.17's runner and a ggml backend agree on: the structs of ggml-backend.h and
// ggml-backend-impl.h as ollama/ollama v0.17.4 carries them. Upstream's differ: its Props has no
// `id` and ends at `caps`, its DeviceInterface no `reset`. Both say API version 2, so a foreign
// backend passes the check and is then misread. That is modelled too.
#pragma once

#include <cstddef>

namespace gpustage::ollama::abi {

inline constexpr int kApiVersion = 2;

struct Device;
struct Registration;

enum class DeviceType : int { kCpu = 0, kGpu = 1, kIntegratedGpu = 2, kAccelerator = 3 };

struct Capabilities {
  bool async;
  bool host_buffer;
  bool buffer_from_host_ptr;
  bool events;
};

struct Props {
  const char* name;         // "CUDA0"
  const char* description;  // "NVIDIA H100 80GB HBM3"
  size_t memory_free;
  const char* id;  // "GPU-<uuid>"; Ollama's own
  size_t memory_total;
  DeviceType type;
  const char* device_id;  // "0000:01:00.0", or NULL
  Capabilities caps;
  int driver_major;  // from here on Ollama's own
  int driver_minor;
  int compute_major;
  int compute_minor;
  int integrated;
  const char* library;  // "CUDA"
};
static_assert(offsetof(Props, device_id) == 48 && offsetof(Props, library) == 80);

struct DeviceInterface {
  const char* (*get_name)(Device*);
  const char* (*get_description)(Device*);
  void (*get_memory)(Device*, size_t* free, size_t* total);
  DeviceType (*get_type)(Device*);
  void (*get_props)(Device*, Props*);
  void* (*init_backend)(Device*, const char* params);
  // get_buffer_type, get_host_buffer_type, buffer_from_host_ptr, supports_op, supports_buft,
  // offload_op, event_new, event_free, event_synchronize and Ollama's own reset, which discovery
  // never calls.
  void* not_called[10];
};
static_assert(sizeof(DeviceInterface) == 16 * sizeof(void*));

struct Device {
  DeviceInterface iface;
  Registration* reg;
  void* context;
};

struct Registration {
  int api_version;
  const char* (*get_name)(Registration*);
  size_t (*get_device_count)(Registration*);
  Device* (*get_device)(Registration*, size_t index);
  void* (*get_proc_address)(Registration*, const char* name);  // optional
  void* context;
};

// One entry of the list that get_proc_address("ggml_backend_get_features") gives; a NULL name ends
// it.
struct Feature {
  const char* name;
  const char* value;
};

using InitFunction = Registration* (*)();
using ScoreFunction = int (*)();
using FeaturesFunction = Feature* (*)(Registration*);

}  // namespace gpustage::ollama::abi
