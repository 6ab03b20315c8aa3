// CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER, read as driver 580.159.04 read them.
#pragma once

#include "fakes/cuda_driver/api.h"
#include "fakes/world/format.h"

namespace gpustage::cuda_driver {

struct VisibleDevices {
  CUresult result = CUDA_SUCCESS;  // what cuInit answers
  int count = 0;
  uint8_t index[world::kMaxDevices];  // ordinal -> place in World::devices
};

// `there` has a bit for each place in World::devices that can be opened: to the driver the others
// do not exist. `visible` and `order` are the values of the variables, null when they are not set.
VisibleDevices FindVisibleDevices(const world::World& machine, uint32_t there, const char* visible,
                                  const char* order);

}  // namespace gpustage::cuda_driver
