// libcublasLt: libcublas needs it to load. A handle and a version; the rest are stubs.
#include "fakes/world/call.h"
#include "fakes/world/stub.h"

namespace gpustage::world {
const int32_t kNotSupported = 15;  // CUBLAS_STATUS_NOT_SUPPORTED
const int32_t kDeviceLost = 13;    // CUBLAS_STATUS_EXECUTION_FAILED
}  // namespace gpustage::world

using gpustage::world::Answer;
using gpustage::world::Fidelity;

namespace {
char g_handle;
}

extern "C" {

int32_t cublasLtCreate(void** handle) {
  return Answer(CALL().Trust(Fidelity::kFixed), [&] {
    *handle = &g_handle;
    return 0;
  });
}

int32_t cublasLtDestroy(void*) {
  return Answer(CALL().Trust(Fidelity::kFixed), [] { return 0; });
}

size_t cublasLtGetVersion() {
  return static_cast<size_t>(Answer(CALL(), [] { return GPUSTAGE_CUBLAS_VERSION; }));
}
}
