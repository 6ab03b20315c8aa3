// What the files of this fake share: the state after cuInit and the two frames that nearly every
// function stands in.
#pragma once

#include "fakes/cuda_driver/api.h"
#include "fakes/world/call.h"
#include "fakes/world/format.h"

namespace gpustage::cuda_driver {

using world::Answer;
using world::Call;
using world::Device;
using world::Fidelity;

// The devices that cuInit found, or -1 before it succeeded.
int DeviceCount();
// null: no such ordinal.
const Device* DeviceAt(CUdevice ordinal);

// The device of this thread's current context, or -1.
CUdevice CurrentDevice();
// Whether there is a current context that can be used: success, none, or one that was destroyed.
CUresult CurrentContext();

// Every function but a few answers CUDA_ERROR_NOT_INITIALIZED before cuInit.
template <typename Body>
CUresult AfterInit(Call&& call, Body body) {
  return Answer(call, [&]() -> CUresult {
    if (DeviceCount() < 0) return CUDA_ERROR_NOT_INITIALIZED;
    if constexpr (std::is_invocable_v<Body, Call&>)
      return body(call);
    else
      return body();
  });
}

// For what works in the current context; `body` may take the call as below.
template <typename Body>
CUresult InContext(Call&& call, Body body) {
  return Answer(static_cast<Call&&>(call).On(CurrentDevice()), [&](Call& running) -> CUresult {
    if (DeviceCount() < 0) return CUDA_ERROR_NOT_INITIALIZED;
    const CUresult context = CurrentContext();
    if (context != CUDA_SUCCESS) return context;
    if constexpr (std::is_invocable_v<Body, Call&>)
      return body(running);
    else
      return body();
  });
}

// `body` takes the device, and the call where it wants to say how far its answer can be trusted.
template <typename Body>
CUresult OnDevice(Call&& call, CUdevice ordinal, Body body) {
  return Answer(call, [&](Call& running) -> CUresult {
    if (DeviceCount() < 0) return CUDA_ERROR_NOT_INITIALIZED;
    const Device* const device = DeviceAt(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    if constexpr (std::is_invocable_v<Body, const Device&, Call&>)
      return body(*device, running);
    else
      return body(*device);
  });
}

// For what writes to `out`: that is looked at before the device.
template <typename Body>
CUresult OnDevice(Call&& call, const void* out, CUdevice ordinal, Body body) {
  if (out != nullptr) return OnDevice(static_cast<Call&&>(call), ordinal, body);
  return AfterInit(static_cast<Call&&>(call), [] { return CUDA_ERROR_INVALID_VALUE; });
}

// 0, 1 and 2 name the default streams.
bool IsStream(CUstream stream);

template <typename T>
CUresult Put(T* where, T value) {
  if (where == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *where = value;
  return CUDA_SUCCESS;
}

}  // namespace gpustage::cuda_driver
