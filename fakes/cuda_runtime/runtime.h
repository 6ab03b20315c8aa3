// What the files of this fake share: the driver it asks, the devices it found there, this thread's
// state, and the frames that nearly every function stands in.
#pragma once

#include "fakes/cuda_driver/api.h"
#include "fakes/cuda_runtime/api.h"
#include "fakes/world/call.h"
#include "fakes/world/format.h"

namespace gpustage::cuda_runtime {

using world::Answer;
using world::Call;
using world::Fidelity;

inline constexpr int kMaxDevices = world::kMaxDevices;
inline constexpr int kMaxAttributes = world::kMaxAttributes;

// The functions of the libcuda.so.1 that this process finds.
struct Driver {
#define DRIVER(name, version, function) decltype(&::function) name;
#include "fakes/cuda_runtime/driver_api.inc"
#undef DRIVER
};

// What libcuda said about a device when the runtime started.
struct DeviceFacts {
  char name[256];
  CUuuid uuid;
  size_t memory_total;
  int32_t attributes[kMaxAttributes];
};

// Opens libcuda on the first call. `error` is why there is none; the functions are null then.
const Driver& LoadDriver(cudaError_t* error);
// Starts the runtime on the first call and gives the same answer ever after.
cudaError_t Start();
// After Start() succeeded.
const Driver& Cuda();
int DeviceCount();
const DeviceFacts& Facts(int device);

struct LaunchConfiguration {
  dim3 grid;
  dim3 block;
  size_t shared_bytes;
  void* stream;
};

struct Thread {
  int32_t device;
  int32_t context_of;  // device whose context is current, counted from 1; 0: none
  int process;         // that it was made in
  cudaError_t last_error;
  bool sticky;
  LaunchConfiguration launch;
};
extern constinit thread_local Thread t_thread;

cudaError_t Remember(cudaError_t error, bool sticky);
// Makes the primary context of this thread's device current.
cudaError_t UseContext();

// For what needs a started runtime.
template <typename Body>
cudaError_t Started(Call&& call, Body body) {
  const cudaError_t result = Answer(call, [&]() -> cudaError_t {
    const cudaError_t error = Start();
    if (error != cudaSuccess) return error;
    if constexpr (std::is_invocable_v<Body, Call&>)
      return body(call);
    else
      return body();
  });
  return Remember(result, call.sticky());
}

template <typename Body>
cudaError_t OnDevice(Call&& call, int device, Body body) {
  return Started(static_cast<Call&&>(call), [&]() -> cudaError_t {
    return device < 0 || device >= DeviceCount() ? cudaErrorInvalidDevice : body();
  });
}

// For what works in the context of the current device.
template <typename Body>
cudaError_t InContext(Call&& call, Body body) {
  return Started(static_cast<Call&&>(call).On(t_thread.device), [&]() -> cudaError_t {
    const cudaError_t error = UseContext();
    return error != cudaSuccess ? error : body();
  });
}

template <typename T>
cudaError_t Put(T* where, T value) {
  if (where == nullptr) return cudaErrorInvalidValue;
  *where = value;
  return cudaSuccess;
}

}  // namespace gpustage::cuda_runtime
