// The functions that a call can be recorded of, and that a fault can meet: those that our fakes
// export, and Vulkan's, which are asked for by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// Those of the libraries right in this folder, sorted, each once. What is no library has none.
std::vector<std::string> FunctionsIn(const std::string& folder);

// Whether a call of it is about a device, or is made with one chosen, so that a fault may be of one
// device alone.
bool IsOfADevice(std::string_view function);

// A code of CUDA, NVML or cuBLAS: a number, or its name: CUDA_ERROR_NO_DEVICE, cudaErrorNoDevice,
// NVML_ERROR_TIMEOUT, CUBLAS_STATUS_ALLOC_FAILED.
struct YamlNode;
Result<int64_t> ReadCode(const YamlNode& node, std::string_view what);

}  // namespace gpustage
