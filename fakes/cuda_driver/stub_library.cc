// The libcuda.so that comes with a toolkit, to link with where there is no driver: it has every
// name and answers each with one code. As recorded: cuInit and cuDeviceGetCount both say 34.
#include "fakes/world/stub.h"

namespace gpustage::world {
const int32_t kNotSupported = 34;  // CUDA_ERROR_STUB_LIBRARY
const int32_t kDeviceLost = kNotSupported;
}  // namespace gpustage::world
