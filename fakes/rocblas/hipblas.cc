// libhipblas: a handle, and products that are accepted once rocBLAS has its kernels.
#include <cstdint>
#include <cstdlib>

#include "fakes/world/call.h"
#include "fakes/world/stub.h"

enum hipblasStatus_t : int32_t {
  HIPBLAS_STATUS_SUCCESS = 0,
  HIPBLAS_STATUS_INVALID_VALUE = 3,
  HIPBLAS_STATUS_INTERNAL_ERROR = 6,
  HIPBLAS_STATUS_NOT_SUPPORTED = 7,
};

namespace gpustage::world {
const int32_t kNotSupported = HIPBLAS_STATUS_NOT_SUPPORTED;
const int32_t kDeviceLost = HIPBLAS_STATUS_INTERNAL_ERROR;
}  // namespace gpustage::world

using namespace gpustage;

extern "C" {

void rocblas_initialize();

hipblasStatus_t hipblasCreate(void** handle) {
  return static_cast<hipblasStatus_t>(world::Answer(CALL(), [&] {
    if (handle == nullptr) return HIPBLAS_STATUS_INVALID_VALUE;
    *handle = calloc(1, 64);
    return HIPBLAS_STATUS_SUCCESS;
  }));
}

hipblasStatus_t hipblasDestroy(void* handle) {
  return static_cast<hipblasStatus_t>(world::Answer(CALL(), [&] {
    free(handle);
    return HIPBLAS_STATUS_SUCCESS;
  }));
}

hipblasStatus_t hipblasSetStream(void*, void*) {
  return static_cast<hipblasStatus_t>(
      world::Answer(CALL().Trust(world::Fidelity::kFixed), [] { return HIPBLAS_STATUS_SUCCESS; }));
}

// The products, whatever they multiply.
#define PRODUCT(name)                                                                          \
  hipblasStatus_t name() {                                                                     \
    rocblas_initialize();                                                                      \
    return static_cast<hipblasStatus_t>(world::Answer(CALL().Trust(world::Fidelity::kFixed),   \
                                                      [] { return HIPBLAS_STATUS_SUCCESS; })); \
  }
PRODUCT(hipblasSgemm)
PRODUCT(hipblasGemmEx)
PRODUCT(hipblasGemmBatchedEx)
PRODUCT(hipblasGemmStridedBatchedEx)
PRODUCT(hipblasStrsmBatched)

}  // extern "C"
