// Holds api.h to NVIDIA's cuda.h: a function declared again with another type does not compile. Never linked.
#define __CUDA_API_VERSION_INTERNAL  // also the names that the header maps to newer ones
#include <cuda.h>

#define GPUSTAGE_HEADER_CHECK
#include "fakes/cuda_driver/api.h"
#undef GPUSTAGE_HEADER_CHECK

#include "fakes/world/format.h"

namespace {

// Where one header has nothing to compare with, redeclaring proves nothing: the function must be NVIDIA's own.
static_assert(sizeof(CUuuid) == 16);
static_assert(sizeof(CUmemAllocationProp) == 32 && offsetof(CUmemAllocationProp, location) == 8);
static_assert(sizeof(CUmemLocation) == 8 && offsetof(CUmemLocation, id) == 4);
static_assert(CU_DEVICE_ATTRIBUTE_MAX <= gpustage::world::kMaxAttributes);

#define ERROR(code, name, text) static_assert(name == code);
#include "fakes/cuda_driver/errors.inc"
#undef ERROR

}  // namespace
