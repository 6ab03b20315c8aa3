// What NVML says of a board beyond what CUDA knows. The figures are those of an H100 80GB HBM3 and
// an H200; for any other device they are marked assumed.
//
// The functions that use this have no declaration in api.h: an enum of nvml.h is an int here, which
// is the same to a caller.
#pragma once

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

// A machine with one device has no links, as the recorded H100; two H200s have 18 each.
inline unsigned int LinkCount() { return DeviceCount() > 1 ? 18 : 0; }

inline constexpr unsigned int kPowerLimit = 700000;  // milliwatts
inline constexpr unsigned int kLeastPowerLimit = 200000;
inline constexpr unsigned int kTemperature = 40;

template <typename Body>
nvmlReturn_t OnBoard(Call&& call, nvmlDevice_t handle, Body body) {
  if (IndexOf(handle) >= 0 && !IsRecorded(*handle->device)) call.set_fidelity(Fidelity::kAssumed);
  return OnDevice(static_cast<Call&&>(call), handle, body);
}

inline nvmlReturn_t PutTwo(unsigned int* a, unsigned int* b, unsigned int first,
                           unsigned int second) {
  if (a == nullptr || b == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *a = first;
  *b = second;
  return NVML_SUCCESS;
}

}  // namespace gpustage::nvml
