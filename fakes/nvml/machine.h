// What the files of this fake share: its devices, in the order of their PCI addresses whatever
// CUDA's variables say, and the frames that nearly every function stands in.
#pragma once

#include "fakes/nvml/api.h"
#include "fakes/world/call.h"
#include "fakes/world/world.h"

struct nvmlDevice_st {
  const gpustage::world::Device* device;
  int node;   // N of its /dev/nvidiaN
  int board;  // of a MIG slice: the index of the board that it is cut from; -1: it is a whole GPU
  int place;  // and its number there
};

namespace gpustage::nvml {

using world::Answer;
using world::Call;
using world::Device;
using world::Fidelity;
using world::Text;

bool Initialised();
unsigned int DeviceCount();
// null: no such index.
nvmlDevice_t HandleAt(unsigned int index);
// -1: no handle of a whole GPU.
int IndexOf(nvmlDevice_t handle);
// The slice of that number on a board, or null.
nvmlDevice_t SliceAt(int board, int place);
bool IsSlice(nvmlDevice_t handle);

template <typename Body>
nvmlReturn_t AfterInit(Call&& call, Body body) {
  return Answer(call, [&]() -> nvmlReturn_t {
    if (!Initialised()) return NVML_ERROR_UNINITIALIZED;
    if constexpr (std::is_invocable_v<Body, Call&>)
      return body(call);
    else
      return body();
  });
}

// `body` takes the device.
template <typename Body>
nvmlReturn_t OnDevice(Call&& call, nvmlDevice_t handle, Body body) {
  return AfterInit(static_cast<Call&&>(call).On(IndexOf(handle)), [&]() -> nvmlReturn_t {
    return IndexOf(handle) < 0 ? NVML_ERROR_INVALID_ARGUMENT : body(*handle->device);
  });
}

// The same, of a MIG slice too.
template <typename Body>
nvmlReturn_t OnGpuOrSlice(Call&& call, nvmlDevice_t handle, Body body) {
  if (!IsSlice(handle)) return OnDevice(static_cast<Call&&>(call), handle, body);
  return AfterInit(static_cast<Call&&>(call).On(handle->board),
                   [&]() -> nvmlReturn_t { return body(*handle->device); });
}

template <typename T, typename V>
nvmlReturn_t Put(T* where, V value) {
  if (where == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *where = static_cast<T>(value);
  return NVML_SUCCESS;
}

// Nothing is written when it does not fit.
inline nvmlReturn_t PutText(char* where, unsigned int length, const char* text) {
  if (where == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (length <= strlen(text)) return NVML_ERROR_INSUFFICIENT_SIZE;
  world::CopyText(where, length, text);
  return NVML_SUCCESS;
}

}  // namespace gpustage::nvml
