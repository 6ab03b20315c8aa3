// libcublas: it loads, hands out a handle, and accepts the products that ggml asks for without
// computing them.
#include "fakes/world/call.h"
#include "fakes/world/stub.h"

namespace {

using cublasStatus_t = int32_t;
using cublasHandle_t = struct cublasContext*;

enum : cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
};

struct StatusText {
  cublasStatus_t code;
  const char* name;
  const char* text;
};
constexpr StatusText kStatuses[] = {
#define STATUS(code, name, text) {code, #name, text},
#include "fakes/cublas/statuses.inc"
#undef STATUS
};

const char* Find(cublasStatus_t code, const char* const StatusText::*text, const char* unknown) {
  for (const StatusText& status : kStatuses)
    if (status.code == code) return status.*text;
  return unknown;
}

constexpr char kUnknown[] = "unrecognized status";

char g_handle;  // one serves all: nothing is kept in it

}  // namespace

namespace gpustage::world {
const int32_t kNotSupported = CUBLAS_STATUS_NOT_SUPPORTED;
const int32_t kDeviceLost = 13;  // CUBLAS_STATUS_EXECUTION_FAILED
}  // namespace gpustage::world

using gpustage::world::Answer;
using gpustage::world::AnswerText;
using gpustage::world::Call;
using gpustage::world::Fidelity;

extern "C" {

// The real one works through libcublasLt, so that a partial one keeps it from loading.
cublasStatus_t cublasLtCreate(void** handle);

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  return Answer(CALL().Trust(Fidelity::kFixed), [&]() -> cublasStatus_t {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    void* lt = nullptr;
    if (const cublasStatus_t result = cublasLtCreate(&lt); result != CUBLAS_STATUS_SUCCESS)
      return result;
    *handle = reinterpret_cast<cublasHandle_t>(&g_handle);
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  return Answer(CALL(), [&]() -> cublasStatus_t {
    if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *version = GPUSTAGE_CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
  });
}

const char* cublasGetStatusName(cublasStatus_t status) {
  return AnswerText(CALL(status), [&] { return Find(status, &StatusText::name, kUnknown); });
}

const char* cublasGetStatusString(cublasStatus_t status) {
  return AnswerText(CALL(status), [&] { return Find(status, &StatusText::text, kUnknown); });
}

// Their arguments are not looked at.
#define ACCEPT(name)                                                                     \
  cublasStatus_t name() {                                                                \
    return Answer(CALL().Trust(Fidelity::kFixed), [] { return CUBLAS_STATUS_SUCCESS; }); \
  }
ACCEPT(cublasDestroy_v2)
ACCEPT(cublasSetStream_v2)
ACCEPT(cublasSetMathMode)
ACCEPT(cublasSetWorkspace_v2)
ACCEPT(cublasSgemm_v2)
ACCEPT(cublasSgemmBatched)
ACCEPT(cublasSgemmStridedBatched)
ACCEPT(cublasStrsmBatched)
ACCEPT(cublasGemmEx)
ACCEPT(cublasGemmBatchedEx)
ACCEPT(cublasGemmStridedBatchedEx)
}
