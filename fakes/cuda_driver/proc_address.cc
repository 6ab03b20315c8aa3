// cuGetProcAddress: a name and a CUDA version choose one of several functions.
#include "fakes/cuda_driver/driver.h"
#include "fakes/world/stub.h"

namespace gpustage::cuda_driver {
namespace {

// From which version on a name means another function. Source: the PFN_name_vVERSION types of
// cudaTypedefs.h.
struct Renamed {
  const char* name;
  int since;
  const char* function;
};
constexpr Renamed kRenamed[] = {
    {"cuCtxCreate", 3020, "cuCtxCreate_v2"},
    {"cuCtxCreate", 11040, "cuCtxCreate_v3"},
    {"cuCtxCreate", 12050, "cuCtxCreate_v4"},
    {"cuCtxDestroy", 4000, "cuCtxDestroy_v2"},
    {"cuCtxPopCurrent", 4000, "cuCtxPopCurrent_v2"},
    {"cuCtxPushCurrent", 4000, "cuCtxPushCurrent_v2"},
    {"cuDeviceGetUuid", 11040, "cuDeviceGetUuid_v2"},
    {"cuDevicePrimaryCtxRelease", 11000, "cuDevicePrimaryCtxRelease_v2"},
    {"cuDevicePrimaryCtxReset", 11000, "cuDevicePrimaryCtxReset_v2"},
    {"cuDevicePrimaryCtxSetFlags", 11000, "cuDevicePrimaryCtxSetFlags_v2"},
    {"cuDeviceTotalMem", 3020, "cuDeviceTotalMem_v2"},
    {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"},
    {"cuMemAlloc", 3020, "cuMemAlloc_v2"},
    {"cuMemAllocHost", 3020, "cuMemAllocHost_v2"},
    {"cuMemFree", 3020, "cuMemFree_v2"},
    {"cuMemGetInfo", 3020, "cuMemGetInfo_v2"},
    {"cuMemHostGetDevicePointer", 3020, "cuMemHostGetDevicePointer_v2"},
    {"cuMemHostRegister", 6050, "cuMemHostRegister_v2"},
    {"cuMemcpyDtoD", 3020, "cuMemcpyDtoD_v2"},
    {"cuMemcpyDtoH", 3020, "cuMemcpyDtoH_v2"},
    {"cuMemcpyHtoD", 3020, "cuMemcpyHtoD_v2"},
    {"cuMemsetD8", 3020, "cuMemsetD8_v2"},
};

void* Find(const char* symbol, int version) {
  const char* name = symbol;
  for (const Renamed& row : kRenamed)
    if (world::Equal(row.name, symbol) && version >= row.since) name = row.function;
  for (uint32_t i = 0; i < gpustage_export_count; ++i)
    if (world::Equal(gpustage_exports[i].name, name)) return gpustage_exports[i].address;
  return nullptr;
}

CUresult Look(const char* symbol, void** function, int version,
              CUdriverProcAddressQueryResult* status) {
  if (symbol == nullptr || function == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *function = Find(symbol, version);
  if (status != nullptr)
    *status =
        *function != nullptr ? CU_GET_PROC_ADDRESS_SUCCESS : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return *function != nullptr ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuGetProcAddress(const char* symbol, void** function, int version, cuuint64_t flags) {
  return Answer(CALL(symbol, version, flags),
                [&] { return Look(symbol, function, version, nullptr); });
}

CUresult cuGetProcAddress_v2(const char* symbol, void** function, int version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status) {
  return Answer(CALL(symbol, version, flags),
                [&] { return Look(symbol, function, version, status); });
}
