// Holds api.h and the tables to NVIDIA's cuda_runtime_api.h, where a toolkit is installed.
// Compiled, never linked.
#include <cuda_runtime_api.h>

#include <cstdint>

#define DECLARED(name) static_assert(sizeof(decltype(&::name)) != 0);
#include GPUSTAGE_DECLARED

#define GPUSTAGE_CUDART_MAJOR (CUDART_VERSION / 1000)
#define GPUSTAGE_HEADER_CHECK
#include "fakes/cuda_runtime/api.h"

#define ERROR(code, name, text) static_assert(name == code);
#include "fakes/cuda_runtime/errors.inc"
#undef ERROR

static_assert(GPUSTAGE_CUDART_MAJOR == 13, "the tables are compared with CUDA 13");
static_assert(sizeof(cudaDeviceProp) == 1008 && offsetof(cudaDeviceProp, uuid) == 256);
static_assert(offsetof(cudaDeviceProp, totalGlobalMem) == 288);

#define FIELDS_OF_CUDA_13_ONLY
#define FIELD(name, in11, in12, in13, type, attribute)    \
  static_assert(offsetof(cudaDeviceProp, name) == in13 && \
                sizeof(cudaDeviceProp{}.name) == sizeof(type));
#include "fakes/cuda_runtime/device_prop.inc"
