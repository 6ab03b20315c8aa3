// Holds api.h and the tables to NVIDIA's cuda.h, where a toolkit is installed. Compiled, never
// linked.
#define __CUDA_API_VERSION_INTERNAL  // also the functions that the header maps to newer ones
#include <cuda.h>

// Each name of api.h, made by CMake: NVIDIA's header declares it already, ...
#define DECLARED(name) static_assert(sizeof(decltype(&::name)) != 0);
#include GPUSTAGE_DECLARED

// ... and declaring a C function a second time with another type is an error.
#define GPUSTAGE_HEADER_CHECK
#include "fakes/cuda_driver/api.h"
#include "fakes/world/format.h"

static_assert(sizeof(CUuuid) == 16);
static_assert(sizeof(CUmemLocation) == 8 && offsetof(CUmemLocation, id) == 4);
static_assert(sizeof(CUmemAllocationProp) == 32 && offsetof(CUmemAllocationProp, location) == 8);
static_assert(CU_DEVICE_ATTRIBUTE_MAX <= gpustage::world::kMaxAttributes);

#define ERROR(code, name, text) static_assert(name == code);
#include "fakes/cuda_driver/errors.inc"
