// Structs that begin with their version: the size of the struct, and above it a number.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

// The version is looked at after the device. The rest of the struct is zero.
nvmlReturn_t PutStruct(void* out, size_t size, unsigned int number, nvmlReturn_t code) {
  if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  unsigned int version;
  memcpy(&version, out, sizeof(version));
  if (version != (size | number << 24)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  if (code == NVML_SUCCESS) memset(static_cast<char*>(out) + 4, 0, size - 4);
  return code;
}

struct PciInfoExt {
  unsigned int version, domain, bus, device, pci_device_id, pci_subsystem_id, base_class, sub_class;
  char bus_id[32];
};
static_assert(sizeof(PciInfoExt) == 64);

nvmlReturn_t PutPciExt(nvmlDevice_t handle, PciInfoExt* pci) {
  const nvmlReturn_t result = PutStruct(pci, sizeof(*pci), 1, NVML_SUCCESS);
  if (result != NVML_SUCCESS) return result;
  nvmlPciInfo_t old = {};
  nvmlDeviceGetPciInfo_v3(handle, &old);
  pci->domain = old.domain;
  pci->bus = old.bus;
  pci->device = old.device;
  pci->pci_device_id = old.pciDeviceId;
  pci->pci_subsystem_id = old.pciSubSystemId;
  pci->base_class = 3;  // a display controller ...
  pci->sub_class = 2;   // ... that is no VGA
  memcpy(pci->bus_id, old.busId, sizeof(pci->bus_id));
  return NVML_SUCCESS;
}

struct Temperature {
  unsigned int version, sensor, temperature;
};

nvmlReturn_t PutTemperature(Temperature* out) {
  const nvmlReturn_t result = PutStruct(out, sizeof(*out), 1, NVML_SUCCESS);
  if (result == NVML_SUCCESS) out->temperature = kTemperature;
  return result;
}

// nvmlUUID_t: as text, or as the 16 bytes.
struct Uuid {
  unsigned int version, type;
  char value[44];
};
static_assert(sizeof(Uuid) == 52);

nvmlReturn_t ByUuid(const Uuid* uuid, nvmlDevice_t* device) {
  if (uuid == nullptr || device == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (uuid->version != (sizeof(Uuid) | 1u << 24)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  if (uuid->type == 1) return nvmlDeviceGetHandleByUUID(uuid->value, device);
  for (unsigned int i = 0; uuid->type == 2 && i < DeviceCount(); ++i)
    if (memcmp(HandleAt(i)->device->uuid, uuid->value, 16) == 0) return Put(device, HandleAt(i));
  return uuid->type == 2 ? NVML_ERROR_NOT_FOUND : NVML_ERROR_INVALID_ARGUMENT;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

#define STRUCT(name, size, number, code)                                               \
  nvmlReturn_t name(nvmlDevice_t device, void* out) {                                  \
    return OnBoard(CALL(), device,                                                     \
                   [&](const Device&) { return PutStruct(out, size, number, code); }); \
  }
STRUCT(nvmlDeviceGetAddressingMode, 8, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetRepairStatus, 12, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetCoolerInfo, 16, 1, NVML_ERROR_NOT_SUPPORTED)
STRUCT(nvmlDeviceGetPdi, 16, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetMarginTemperature, 8, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetClockOffsets, 24, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetFanSpeedRPM, 12, 1, NVML_ERROR_INVALID_ARGUMENT)
STRUCT(nvmlDeviceGetPerformanceModes, 2052, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetCurrentClockFreqs, 2052, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetProcessesUtilizationInfo, 24, 1, NVML_ERROR_INSUFFICIENT_SIZE)
STRUCT(nvmlDeviceGetSramEccErrorStatus, 104, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetGpuFabricInfoV, 40, 3, NVML_SUCCESS)
STRUCT(nvmlDeviceGetNvLinkInfo, 1612, 2, LinkCount() > 0 ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED)
STRUCT(nvmlDeviceGetCapabilities, 8, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceGetRunningProcessDetailList, 24, 1, NVML_SUCCESS)
STRUCT(nvmlDeviceWorkloadPowerProfileGetProfilesInfo, 11256, 1, NVML_ERROR_NOT_SUPPORTED)
STRUCT(nvmlDeviceWorkloadPowerProfileGetCurrentProfiles, 100, 1, NVML_ERROR_NOT_SUPPORTED)
#undef STRUCT

// These do not look at the version.
#define ANY_VERSION(name, code)                                         \
  nvmlReturn_t name(nvmlDevice_t device, void* out) {                   \
    return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t { \
      return out == nullptr ? NVML_ERROR_INVALID_ARGUMENT : code;       \
    });                                                                 \
  }
ANY_VERSION(nvmlDeviceGetC2cModeInfoV, NVML_SUCCESS)
ANY_VERSION(nvmlDeviceGetPlatformInfo, NVML_SUCCESS)
ANY_VERSION(nvmlDeviceGetNvlinkSupportedBwModes, NVML_ERROR_NOT_SUPPORTED)
ANY_VERSION(nvmlDeviceGetNvlinkBwMode, NVML_ERROR_NOT_SUPPORTED)
#undef ANY_VERSION

nvmlReturn_t nvmlDeviceGetVgpuHeterogeneousMode(nvmlDevice_t device, void*) {
  return OnBoard(CALL(), device, [](const Device&) { return NVML_ERROR_NOT_SUPPORTED; });
}

nvmlReturn_t nvmlDeviceGetPciInfoExt(nvmlDevice_t device, PciInfoExt* pci) {
  return OnBoard(CALL(), device, [&](const Device&) { return PutPciExt(device, pci); });
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, Temperature* temperature) {
  return OnBoard(CALL(), device, [&](const Device&) { return PutTemperature(temperature); });
}

nvmlReturn_t nvmlDeviceGetHandleByUUIDV(const Uuid* uuid, nvmlDevice_t* device) {
  return AfterInit(CALL(), [&] { return ByUuid(uuid, device); });
}

// A release branch is the digits up to the first point: "r580".
nvmlReturn_t nvmlSystemGetDriverBranch(void* branch, unsigned int length) {
  return AfterInit(CALL(length).Trust(Fidelity::kAssumed), [&]() -> nvmlReturn_t {
    const nvmlReturn_t result = PutStruct(branch, 84, 1, NVML_SUCCESS);
    if (result != NVML_SUCCESS) return result;
    Text<40> text;
    const char* const version = gpustage::world::Here().driver_version;
    text.Add('r').Add(version, strcspn(version, "."));
    return PutText(static_cast<char*>(branch) + 4, length < 80 ? length : 80, text.c_str());
  });
}

nvmlReturn_t nvmlSystemGetConfComputeSettings(void* settings) {
  return AfterInit(CALL(), [&] { return PutStruct(settings, 20, 1, NVML_SUCCESS); });
}
}
