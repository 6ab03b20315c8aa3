// The devices that this backend found, through libcudart and libcuda, in the order of calls of the
// real one.
#pragma once

#include "fakes/ggml/abi.h"
#include "fakes/world/text.h"

namespace gpustage::ggml {

inline constexpr int kMaxDevices = 16;  // GGML_CUDA_MAX_DEVICES

struct CudaDevice {
  int index;
  char name[16];          // "CUDA0"
  char description[256];  // the device's name
  char id[48];            // "GPU-…"
  char pci_bus_id[32];
  int32_t compute_major;
  int32_t compute_minor;
  int32_t integrated;
  int32_t driver_version;
};

// Fills `devices` and returns how many. Logs what the real one logs; ends the process where the
// real one does.
int FindCudaDevices(CudaDevice devices[kMaxDevices]);

void DeviceMemory(const CudaDevice& device, size_t* free, size_t* total);
void* Allocate(const CudaDevice& device, size_t bytes);
void Free(const CudaDevice& device, void* memory);
void Fill(const CudaDevice& device, void* memory, uint8_t value, size_t bytes);

}  // namespace gpustage::ggml
