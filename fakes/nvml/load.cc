// What a board is busy with: nothing, for nothing is computed.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

constexpr unsigned int kSamplingPeriod = 100000;  // microseconds

nvmlReturn_t PutZeroes(void* out, size_t size) {
  if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  memset(out, 0, size);
  return NVML_SUCCESS;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

#define UTILISATION(name)                                                                       \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int* percent, unsigned int* period) {         \
    return OnBoard(CALL(), device,                                                              \
                   [&](const Device&) { return PutTwo(percent, period, 0, kSamplingPeriod); }); \
  }
UTILISATION(nvmlDeviceGetEncoderUtilization)
UTILISATION(nvmlDeviceGetDecoderUtilization)
UTILISATION(nvmlDeviceGetJpgUtilization)
UTILISATION(nvmlDeviceGetOfaUtilization)
#undef UTILISATION

// A structure of that many bytes, all zero.
#define NOTHING(name, bytes)                                                              \
  nvmlReturn_t name(nvmlDevice_t device, void* out) {                                     \
    return OnBoard(CALL(), device, [&](const Device&) { return PutZeroes(out, bytes); }); \
  }
NOTHING(nvmlDeviceGetUtilizationRates, 8)
NOTHING(nvmlDeviceGetFBCStats, 12)
NOTHING(nvmlDeviceGetRowRemapperHistogram, 20)
NOTHING(nvmlDeviceGetConfComputeMemSizeInfo, 16)
NOTHING(nvmlDeviceGetGridLicensableFeatures_v4, 8)
#undef NOTHING

#define PROCESSES(name)                                                           \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int* count, void*) {            \
    if (IsSlice(device))                                                          \
      return OnGpuOrSlice(CALL().Trust(Fidelity::kAssumed), device,               \
                          [&](const Device&) { return Put(count, 0); });          \
    return OnBoard(CALL(), device, [&](const Device&) { return Put(count, 0); }); \
  }
PROCESSES(nvmlDeviceGetComputeRunningProcesses)
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v2)
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v2)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3)
#undef PROCESSES

nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, void*, unsigned int* count,
                                             unsigned long long since) {
  return OnBoard(CALL(since), device, [&](const Device&) -> nvmlReturn_t {
    return count == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_INSUFFICIENT_SIZE;
  });
}

nvmlReturn_t nvmlDeviceGetEncoderCapacity(nvmlDevice_t device, int type, unsigned int* percent) {
  return OnBoard(CALL(type), device, [&](const Device&) { return Put(percent, 100); });
}

nvmlReturn_t nvmlDeviceGetEncoderStats(nvmlDevice_t device, unsigned int* sessions,
                                       unsigned int* fps, unsigned int* latency) {
  return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t {
    const nvmlReturn_t result = PutTwo(sessions, fps, 0, 0);
    return result == NVML_SUCCESS ? Put(latency, 0) : result;
  });
}

nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device, int counter, unsigned int* rate) {
  return OnBoard(CALL(counter), device, [&](const Device&) -> nvmlReturn_t {
    return counter < 0 || counter > 1 ? NVML_ERROR_INVALID_ARGUMENT : Put(rate, 0);
  });
}

nvmlReturn_t nvmlDeviceGetViolationStatus(nvmlDevice_t device, int policy, void* out) {
  return OnBoard(CALL(policy), device, [&](const Device&) { return PutZeroes(out, 16); });
}

nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned int* correctable,
                                       unsigned int* uncorrectable, unsigned int* pending,
                                       unsigned int* failed) {
  return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t {
    const nvmlReturn_t result = PutTwo(correctable, uncorrectable, 0, 0);
    return result == NVML_SUCCESS ? PutTwo(pending, failed, 0, 0) : result;
  });
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int type, int counter,
                                         unsigned long long* errors) {
  return OnBoard(CALL(type, counter), device, [&](const Device&) -> nvmlReturn_t {
    return type < 0 || type > 1 ? NVML_ERROR_INVALID_ARGUMENT : Put(errors, 0);
  });
}
}
