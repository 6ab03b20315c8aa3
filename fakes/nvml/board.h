// What NVML says of a board beyond what CUDA knows: the figures of its profile, and "not supported"
// where nobody published one. The rest is an H100 80GB HBM3's and an H200's; for any other device
// it is marked assumed.
//
// The functions that use this have no declaration in api.h: an enum of nvml.h is an int here, which
// is the same to a caller.
#pragma once

#include <cstring>

#include "fakes/nvml/machine.h"

namespace gpustage::nvml {

inline bool IsH200(const Device& device) { return world::Equal(device.name, "NVIDIA H200"); }
inline bool IsRecorded(const Device& device) {
  return IsH200(device) || world::Equal(device.name, "NVIDIA H100 80GB HBM3");
}

// A CUdevice_attribute of the device, or what stands in for it.
inline unsigned int Attribute(const Device& device, int attribute, int otherwise) {
  const int32_t value = device.attributes[attribute];
  return static_cast<unsigned int>(value == world::kNoAttribute ? otherwise : value);
}
inline unsigned int ProcessorClock(const Device& device) {
  return Attribute(device, 13, 1980000) / 1000;
}
inline unsigned int MemoryClock(const Device& device) {
  return Attribute(device, 36, 2619000) / 1000;
}

inline bool IsGeForce(const Device& device) { return strstr(device.name, "GeForce") != nullptr; }

// A machine with one device has no links, as the recorded H100; two H200s have 18 each. Assumed of
// any other board: none.
inline unsigned int LinkCount() {
  return DeviceCount() > 1 && IsRecorded(*HandleAt(0)->device) ? 18 : 0;
}

using world::BoardFigure;
inline bool HasFigure(const Device& device, BoardFigure figure) {
  return device.board[static_cast<uint32_t>(figure)] != world::kNoAttribute;
}
inline unsigned int FigureOf(const Device& device, BoardFigure figure) {
  return static_cast<unsigned int>(device.board[static_cast<uint32_t>(figure)]);
}

inline constexpr unsigned int kTemperature = 40;
inline constexpr unsigned int kIdlePower = 78944;  // milliwatts, of an H100
// Assumed of any other board: an eighth of its limit.
inline unsigned int IdlePower(const Device& device) {
  return IsRecorded(device) ? kIdlePower : FigureOf(device, BoardFigure::kPowerLimit) / 8;
}

template <typename Body>
nvmlReturn_t OnBoard(Call&& call, nvmlDevice_t handle, Body body) {
  // Assumed of a slice: what is the board's is not supported of it.
  if (IsSlice(handle)) {
    call.set_fidelity(Fidelity::kAssumed);
    return AfterInit(static_cast<Call&&>(call).On(handle->board),
                     [] { return NVML_ERROR_NOT_SUPPORTED; });
  }
  if (IndexOf(handle) >= 0 && !IsRecorded(*handle->device)) call.set_fidelity(Fidelity::kAssumed);
  return OnDevice(static_cast<Call&&>(call), handle, body);
}

// A published figure can be trusted as a recorded one.
template <typename Body>
nvmlReturn_t OnFigure(Call&& call, nvmlDevice_t handle, BoardFigure figure, Body body) {
  if (IndexOf(handle) >= 0 && !HasFigure(*handle->device, figure))
    call.set_fidelity(Fidelity::kAssumed);
  if (IsSlice(handle)) return OnBoard(static_cast<Call&&>(call), handle, body);
  return OnDevice(static_cast<Call&&>(call), handle, [&](const Device& d) -> nvmlReturn_t {
    return HasFigure(d, figure) ? body(d) : NVML_ERROR_NOT_SUPPORTED;
  });
}

inline nvmlReturn_t PutTwo(unsigned int* a, unsigned int* b, unsigned int first,
                           unsigned int second) {
  if (a == nullptr || b == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *a = first;
  *b = second;
  return NVML_SUCCESS;
}

}  // namespace gpustage::nvml
