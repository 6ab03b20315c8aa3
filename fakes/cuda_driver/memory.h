// Device memory: host memory with an account for each device.
#pragma once

#include "fakes/cuda_driver/api.h"

namespace gpustage::cuda_driver {

// Takes bytes from a device's free memory, or says no.
bool TakeMemory(CUdevice device, size_t bytes);
void ReturnMemory(CUdevice device, size_t bytes);

// Whether the addresses are mapped by virtual memory management, and may be accessed.
bool IsMapped(CUdeviceptr address, size_t bytes);

}  // namespace gpustage::cuda_driver
