// Which CUDA a branch of NVIDIA's driver brings.
#pragma once

#include <string>

namespace gpustage {

// As cuDriverGetVersion has it, 12080 is 12.8; of "570.172.08" and of "570" alike. A branch between
// two that are known has that of the older; 0: it is older than all of them, or no version.
// Source: the release notes of the CUDA Toolkit, "CUDA Toolkit and corresponding driver versions".
int CudaOfDriver(const std::string& driver);

}  // namespace gpustage
