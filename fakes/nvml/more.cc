// What one more H200 was asked (fixtures/recordings/real-gpu/h200.nvml-more.txt), and what follows
// from it. No virtual GPU is on these boards, so all about those is refused.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

nvmlReturn_t Zero(void* out, size_t size, nvmlReturn_t code = NVML_SUCCESS) {
  if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  memset(out, 0, size);
  return code;
}

// nvmlGpuDynamicPstatesInfo_t. Recorded: the first two engines are there and idle.
struct Pstates {
  unsigned int flags;
  struct {
    unsigned int is_there, percent, least, most;
  } engines[8];
};
static_assert(sizeof(Pstates) == 132);

nvmlReturn_t PutPstates(Pstates* out) {
  const nvmlReturn_t result = Zero(out, sizeof(*out));
  if (result == NVML_SUCCESS) out->engines[0].is_there = out->engines[1].is_there = 1;
  return result;
}

constexpr unsigned int kUnknownState = 32, kMostStates = 16;

// The one that it is always in, and no further.
nvmlReturn_t PutStates(unsigned int* states, unsigned int bytes) {
  if (states == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (bytes < sizeof(*states)) return NVML_ERROR_INSUFFICIENT_SIZE;
  for (unsigned int i = 0; i < bytes / sizeof(*states) && i < kMostStates; ++i)
    states[i] = i == 0 ? 0 : kUnknownState;
  return NVML_SUCCESS;
}

nvmlReturn_t PutAffinity(unsigned int size, unsigned long* set, unsigned int scope) {
  if (set == nullptr || size == 0 || scope > 1) return NVML_ERROR_INVALID_ARGUMENT;
  for (unsigned int i = 0; i < size; ++i) set[i] = i == 0 ? ~0ul : 0;
  return NVML_SUCCESS;
}

nvmlReturn_t OfLink(unsigned int link, const void* out) {
  if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (LinkCount() == 0) return NVML_ERROR_NOT_SUPPORTED;
  return link >= LinkCount() ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
}

// Assumed: behind each link is a switch, of which nobody recorded an address.
constexpr unsigned int kRemoteIsSwitch = 2;

bool IsCounter(unsigned int type, unsigned int counter) { return type <= 1 && counter <= 1; }

// Idle: nothing was sampled.
nvmlReturn_t PutSamples(int type, int* kind, unsigned int* count, const void* samples) {
  if (type < 0 || type > 9 || kind == nullptr || count == nullptr ||
      (samples != nullptr && *count == 0))
    return NVML_ERROR_INVALID_ARGUMENT;
  *kind = 1;
  *count = samples == nullptr ? 120 : 0;
  return samples == nullptr ? NVML_SUCCESS : NVML_ERROR_NOT_FOUND;
}

constexpr unsigned long long kEventTypes = 0xff9f;  // as nvmlDeviceGetSupportedEventTypes says

nvmlReturn_t VersionOf(const void* out, size_t size, unsigned int number) {
  if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  unsigned int version;
  memcpy(&version, out, sizeof(version));
  return version == (size | number << 24) ? NVML_SUCCESS : NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

// Refused of every device, whatever else is asked.
#define REFUSED(name, code)                                                             \
  nvmlReturn_t name(nvmlDevice_t device) {                                              \
    return OnBoard(CALL(), device, [](const Device&) -> nvmlReturn_t { return code; }); \
  }
REFUSED(nvmlDeviceGetAccountingStats, NVML_ERROR_NOT_FOUND)
REFUSED(nvmlDeviceGetActiveVgpus, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetClkMonStatus, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetConfComputeGpuCertificate, NVML_ERROR_UNKNOWN)
REFUSED(nvmlDeviceGetConfComputeGpuAttestationReport, NVML_ERROR_UNKNOWN)
REFUSED(nvmlDeviceGetCreatableVgpus, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetDramEncryptionMode, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetDriverModel_v2, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetFanControlPolicy_v2, NVML_ERROR_INVALID_ARGUMENT)
REFUSED(nvmlDeviceGetTargetFanSpeed, NVML_ERROR_INVALID_ARGUMENT)
REFUSED(nvmlDeviceGetLastBBXFlushTime, NVML_ERROR_NOT_READY)
REFUSED(nvmlDeviceGetSupportedVgpus, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuMetadata, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuSchedulerCapabilities, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuSchedulerLog, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuSchedulerState, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuUtilization, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetVgpuProcessUtilization, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetHostname_v1, NVML_ERROR_NOT_SUPPORTED)
#undef REFUSED

// That many bytes, all zero.
#define NOTHING(name, bytes)                                                         \
  nvmlReturn_t name(nvmlDevice_t device, void* out) {                                \
    return OnBoard(CALL(), device, [&](const Device&) { return Zero(out, bytes); }); \
  }
NOTHING(nvmlDeviceGetAccountingPids, 4)
NOTHING(nvmlDeviceGetEncoderSessions, 4)
NOTHING(nvmlDeviceGetFBCSessions, 4)
NOTHING(nvmlDeviceGetConfComputeProtectedMemoryUsage, 24)
NOTHING(nvmlDeviceGetGpuFabricInfo, 28)
NOTHING(nvmlDeviceGetGridLicensableFeatures, 8)
NOTHING(nvmlDeviceGetGridLicensableFeatures_v2, 8)
NOTHING(nvmlDeviceGetGridLicensableFeatures_v3, 8)
NOTHING(nvmlDeviceGetRemappedRows_v2, 4)
NOTHING(nvmlDeviceGetUnrepairableMemoryFlag_v1, 4)
NOTHING(nvmlGpmQueryIfStreamingEnabled, 4)
#undef NOTHING

#define OFFSETS(name)                                                              \
  nvmlReturn_t name(nvmlDevice_t device, int* least, int* most) {                  \
    return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t {            \
      if (least == nullptr || most == nullptr) return NVML_ERROR_INVALID_ARGUMENT; \
      *least = *most = 0;                                                          \
      return NVML_SUCCESS;                                                         \
    });                                                                            \
  }
OFFSETS(nvmlDeviceGetGpcClkMinMaxVfOffset)
OFFSETS(nvmlDeviceGetMemClkMinMaxVfOffset)
#undef OFFSETS

nvmlReturn_t nvmlDeviceGetDynamicPstatesInfo(nvmlDevice_t device, Pstates* out) {
  return OnBoard(CALL(), device, [&](const Device&) { return PutPstates(out); });
}

// Not recorded.
nvmlReturn_t nvmlDeviceGetSupportedPerformanceStates(nvmlDevice_t device, unsigned int* states,
                                                     unsigned int size) {
  return OnDevice(CALL(size).Trust(Fidelity::kAssumed), device,
                  [&](const Device&) { return PutStates(states, size); });
}

nvmlReturn_t nvmlDeviceGetPowerMizerMode_v1(nvmlDevice_t device, unsigned int* out) {
  return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t {
    const nvmlReturn_t result = Zero(out, 8);
    if (result == NVML_SUCCESS) out[2] = 7;  // those that could be set, a bit each
    return result;
  });
}

nvmlReturn_t nvmlDeviceGetCpuAffinityWithinScope(nvmlDevice_t device, unsigned int size,
                                                 unsigned long* set, unsigned int scope) {
  return OnBoard(CALL(size, scope), device,
                 [&](const Device&) { return PutAffinity(size, set, scope); });
}

nvmlReturn_t nvmlDeviceGetSramUniqueUncorrectedEccErrorCounts(nvmlDevice_t device, void* counts) {
  return OnBoard(CALL(), device, [&](const Device&) { return VersionOf(counts, 16, 1); });
}

nvmlReturn_t nvmlDeviceGetDetailedEccErrors(nvmlDevice_t device, unsigned int type,
                                            unsigned int counter, void* counts) {
  return OnBoard(CALL(type, counter), device, [&](const Device&) -> nvmlReturn_t {
    return IsCounter(type, counter) ? Zero(counts, 32) : NVML_ERROR_INVALID_ARGUMENT;
  });
}

nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(nvmlDevice_t device, unsigned int type,
                                             unsigned int counter, unsigned int location,
                                             unsigned long long* count) {
  return OnBoard(CALL(type, counter, location), device, [&](const Device&) -> nvmlReturn_t {
    return IsCounter(type, counter) && location <= 7 ? Zero(count, sizeof(*count))
                                                     : NVML_ERROR_INVALID_ARGUMENT;
  });
}

nvmlReturn_t nvmlDeviceGetRetiredPages_v2(nvmlDevice_t device, unsigned int cause,
                                          unsigned int* count) {
  return OnBoard(CALL(cause), device, [&](const Device&) -> nvmlReturn_t {
    return count == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_NOT_SUPPORTED;
  });
}

nvmlReturn_t nvmlDeviceGetSamples(nvmlDevice_t device, int type, unsigned long long since,
                                  int* kind, unsigned int* count, void* samples) {
  return OnBoard(CALL(type, since), device,
                 [&](const Device&) { return PutSamples(type, kind, count, samples); });
}

// Links: none on one board alone, which is refused before a null is.
#define OF_LINK(name)                                                                  \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int link, unsigned int, void* out) { \
    return OnBoard(CALL(link), device, [&](const Device&) -> nvmlReturn_t {            \
      if (LinkCount() == 0) return NVML_ERROR_NOT_SUPPORTED;                           \
      const nvmlReturn_t code = OfLink(link, out);                                     \
      return code == NVML_SUCCESS ? Zero(out, 4) : code;                               \
    });                                                                                \
  }
OF_LINK(nvmlDeviceGetNvLinkCapability)
OF_LINK(nvmlDeviceGetNvLinkErrorCounter)
#undef OF_LINK

nvmlReturn_t nvmlDeviceGetNvLinkUtilizationCounter(nvmlDevice_t device, unsigned int link) {
  return OnBoard(CALL(link), device, [&](const Device&) { return NVML_ERROR_NOT_SUPPORTED; });
}

nvmlReturn_t nvmlDeviceGetNvLinkUtilizationControl(nvmlDevice_t device, unsigned int link) {
  return OnBoard(CALL(link), device, [&](const Device&) { return NVML_ERROR_NOT_SUPPORTED; });
}

nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(nvmlDevice_t device, unsigned int link,
                                                 unsigned int* type) {
  return OnBoard(CALL(link), device, [&](const Device&) -> nvmlReturn_t {
    const nvmlReturn_t code = OfLink(link, type);
    return code == NVML_SUCCESS ? Put(type, kRemoteIsSwitch) : code;
  });
}

#define REMOTE(name)                                                                          \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int link, nvmlPciInfo_t* pci) {             \
    return OnBoard(CALL(link), device, [&](const Device&) -> nvmlReturn_t {                   \
      const nvmlReturn_t code = OfLink(link, pci);                                            \
      return code == NVML_SUCCESS ? Zero(pci, sizeof(*pci), NVML_ERROR_NOT_SUPPORTED) : code; \
    });                                                                                       \
  }
REMOTE(nvmlDeviceGetNvLinkRemotePciInfo)
REMOTE(nvmlDeviceGetNvLinkRemotePciInfo_v2)
#undef REMOTE

nvmlReturn_t nvmlDeviceGetVgpuCapabilities(nvmlDevice_t device, unsigned int capability,
                                           unsigned int* has) {
  return OnBoard(CALL(capability), device, [&](const Device&) -> nvmlReturn_t {
    return has == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_NOT_SUPPORTED;
  });
}

nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, unsigned int* support) {
  return OnBoard(CALL(), device, [&](const Device& d) -> nvmlReturn_t {
    if (support == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    if (support[0] != 1) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    return Put(&support[1], d.prop_cc_major >= 9);  // nvml.h: for Hopper and newer
  });
}

nvmlReturn_t nvmlDeviceQueryDrainState(const nvmlPciInfo_t* pci, unsigned int* state) {
  return AfterInit(CALL(), [&]() -> nvmlReturn_t {
    if (pci == nullptr || state == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int i = 0; i < DeviceCount(); ++i) {
      const Device& device = *HandleAt(i)->device;
      if (device.pci_domain == pci->domain && device.pci_bus == pci->bus &&
          device.pci_device == pci->device)
        return Put(state, 0);
    }
    return NVML_ERROR_NOT_FOUND;
  });
}

// A set takes the types that the board has; none ever comes.
nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, void* set) {
  return OnBoard(CALL(types), device, [&](const Device&) -> nvmlReturn_t {
    if ((types & ~kEventTypes) != 0) return NVML_ERROR_NOT_SUPPORTED;
    return set == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlGetBlacklistDeviceCount(unsigned int* count) {
  return AfterInit(CALL(), [&] { return Put(count, 0); });
}

// From 18.1 to 26.1.
nvmlReturn_t nvmlGetVgpuVersion(unsigned int* supported, unsigned int* current) {
  return AfterInit(CALL(), [&]() -> nvmlReturn_t {
    if (supported == nullptr || current == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    supported[0] = current[0] = 0x120001;
    supported[1] = current[1] = 0x1a0001;
    return NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlGetVgpuDriverCapabilities(unsigned int capability, unsigned int*) {
  return AfterInit(CALL(capability), [] { return NVML_ERROR_NOT_SUPPORTED; });
}

// nvml.h: where confidential computing is not supported.
nvmlReturn_t nvmlSystemGetConfComputeKeyRotationThresholdInfo(void*) {
  return AfterInit(CALL().Trust(Fidelity::kAssumed), [] { return NVML_ERROR_NOT_SUPPORTED; });
}

nvmlReturn_t nvmlSystemEventSetCreate(void* request) {
  return AfterInit(CALL().Trust(Fidelity::kFixed), [&] { return VersionOf(request, 16, 1); });
}
}
