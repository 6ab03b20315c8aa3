// What a machine may have besides devices, and what a program may wait for: none of it here.
#include "fakes/nvml/machine.h"

using namespace gpustage::nvml;

namespace {

// One set serves all: no event ever comes.
char g_event_set;

}  // namespace

extern "C" {

#define NONE(name)                                           \
  nvmlReturn_t name(unsigned int* count) {                   \
    return AfterInit(CALL(), [&] { return Put(count, 0); }); \
  }
NONE(nvmlUnitGetCount)
NONE(nvmlGetExcludedDeviceCount)
NONE(nvmlSystemGetConfComputeGpusReadyState)
NONE(nvmlSystemGetNvlinkBwMode)
#undef NONE

nvmlReturn_t nvmlSystemGetHicVersion(unsigned int* count, void*) {
  return AfterInit(CALL(), [&] { return Put(count, 0); });
}

nvmlReturn_t nvmlUnitGetHandleByIndex(unsigned int index, void**) {
  return AfterInit(CALL(index), [] { return NVML_ERROR_INVALID_ARGUMENT; });
}

nvmlReturn_t nvmlGetExcludedDeviceInfoByIndex(unsigned int index, void*) {
  return AfterInit(CALL(index), [] { return NVML_ERROR_INVALID_ARGUMENT; });
}

nvmlReturn_t nvmlSystemGetProcessName(unsigned int pid, char* name, unsigned int length) {
  return AfterInit(CALL(pid, length), [&]() -> nvmlReturn_t {
    return name == nullptr || length == 0 ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_NOT_FOUND;
  });
}

nvmlReturn_t nvmlSystemGetTopologyGpuSet(unsigned int cpu, unsigned int* count, nvmlDevice_t* set) {
  return AfterInit(CALL(cpu), [&]() -> nvmlReturn_t {
    if (count == nullptr || set == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int i = 0; i < *count && i < DeviceCount(); ++i) set[i] = HandleAt(i);
    return Put(count, DeviceCount());
  });
}

#define ZEROES(name, bytes)                                   \
  nvmlReturn_t name(void* out) {                              \
    return AfterInit(CALL(), [&]() -> nvmlReturn_t {          \
      if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT; \
      memset(out, 0, bytes);                                  \
      return NVML_SUCCESS;                                    \
    });                                                       \
  }
ZEROES(nvmlSystemGetConfComputeState, 12)
ZEROES(nvmlSystemGetConfComputeCapabilities, 8)
#undef ZEROES

nvmlReturn_t nvmlEventSetCreate(void** set) {
  return AfterInit(CALL().Trust(Fidelity::kFixed), [&] { return Put(set, &g_event_set); });
}

nvmlReturn_t nvmlEventSetFree(void* set) {
  return AfterInit(CALL().Trust(Fidelity::kFixed), [&]() -> nvmlReturn_t {
    return set == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlEventSetWait_v2(void* set, void*, unsigned int milliseconds) {
  return AfterInit(CALL(milliseconds).Trust(Fidelity::kFixed), [&]() -> nvmlReturn_t {
    return set == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_TIMEOUT;
  });
}
}
