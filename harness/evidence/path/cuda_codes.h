// What a CUDA code is called and means.
#pragma once

#include <cstdint>
#include <string_view>

namespace gpustage {

struct CudaCode {
  std::string_view name;  // "CUDA_ERROR_NO_DEVICE"; "" is a code that nobody documents
  std::string_view text;  // "no CUDA-capable device is detected"
};

// `function` tells the API: cuInit is the driver's, cudaGetDeviceCount the runtime's.
CudaCode CodeOf(std::string_view function, int64_t code);

// Whether a code of this function is a failure: Vulkan has codes above 0 that are none.
bool IsFailure(std::string_view function, int64_t code);

}  // namespace gpustage
