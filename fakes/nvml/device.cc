// Devices. NVML counts more memory than CUDA: what the driver keeps for itself is "reserved" in
// version 2 and part of "used" in version 1.
#include <initializer_list>

#include "fakes/nvml/machine.h"
#include "fakes/world/fault.h"
#include "fakes/world/limits.h"
#include "fakes/world/pci.h"

namespace gpustage::nvml {
namespace {

constexpr unsigned int kMemoryVersion2 = sizeof(nvmlMemory_v2_t) | 2u << 24;
constexpr int kPciDeviceId = 139;     // CU_DEVICE_ATTRIBUTE_GPU_PCI_DEVICE_ID
constexpr int kPciSubsystemId = 140;  // CU_DEVICE_ATTRIBUTE_GPU_PCI_SUBSYSTEM_ID

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// "0000:01:00.0" with as many digits of the domain as wanted, in capitals.
void BusId(const Device& device, int domain_digits, char* out, size_t size) {
  world::TextWriter text(out, size);
  text.Hex(device.pci_domain, domain_digits).Add(':');
  text.Hex(device.pci_bus, 2).Add(':').Hex(device.pci_device, 2).Add(".0");
  for (char* c = out; *c != '\0'; ++c) *c = Upper(*c);
}

void AddUuidText(const Device& device, world::TextWriter& out) {
  AddUuid(out.Add(device.mig == world::Mig::kSlice ? "MIG-" : "GPU-"), device.uuid);
}

// A handle opens more of its board: recorded with 5 and 9 descriptors left, where it is refused.
constexpr int kDescriptorsOfHandle = 13;

nvmlReturn_t ByIndex(unsigned int index, nvmlDevice_t* device) {
  nvmlDevice_t const handle = HandleAt(index);
  if (handle != nullptr && world::DescriptorsLeft() < kDescriptorsOfHandle)
    return NVML_ERROR_UNKNOWN;
  return handle == nullptr ? NVML_ERROR_INVALID_ARGUMENT : Put(device, handle);
}

// The old function walks through the devices, and leaves the last where none has the index.
nvmlReturn_t ByIndexWalking(unsigned int index, nvmlDevice_t* device) {
  if (index < DeviceCount() || device == nullptr) return ByIndex(index, device);
  if (DeviceCount() > 0) *device = HandleAt(DeviceCount() - 1);
  return NVML_ERROR_INVALID_ARGUMENT;
}

template <typename Matches>
nvmlReturn_t Find(const char* text, nvmlDevice_t* device, Matches matches) {
  if (text == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  for (unsigned int i = 0; i < DeviceCount(); ++i) {
    if (matches(*HandleAt(i)->device)) return Put(device, HandleAt(i));
    for (int place = 0; nvmlDevice_t slice = SliceAt(static_cast<int>(i), place); ++place)
      if (matches(*slice->device)) return Put(device, slice);
  }
  return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t ByBusId(const char* bus_id, nvmlDevice_t* device) {
  world::PciAddress address;
  if (bus_id == nullptr || !world::ReadPciAddress(bus_id, &address) || address.function != 0)
    return NVML_ERROR_INVALID_ARGUMENT;
  return Find(bus_id, device, [&](const Device& d) { return world::IsAt(d, address); });
}

nvmlReturn_t ByUuid(const char* uuid, nvmlDevice_t* device) {
  return Find(uuid, device, [&](const Device& d) {
    Text<48> text;
    AddUuidText(d, text);
    return world::Equal(text.c_str(), uuid) || world::Equal(text.c_str() + 4, uuid);
  });
}

// The device that a call asks for, for the faults of one device; -1: none.
int Ordinal(unsigned int index) { return index < DeviceCount() ? static_cast<int>(index) : -1; }

template <typename Find>
int IndexFoundBy(Find find, const char* text) {
  nvmlDevice_t handle = nullptr;
  return find(text, &handle) == NVML_SUCCESS ? IndexOf(handle) : -1;
}

unsigned int PciId(const Device& device, int attribute) {
  const int32_t id = device.attributes[attribute];
  return id == world::kNoAttribute ? 0 : static_cast<unsigned int>(id);
}

// Versions 1 and 2 of the struct end before the subsystem and before the long address.
nvmlReturn_t PutPci(const Device& device, nvmlPciInfo_t* pci, int version) {
  if (pci == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  BusId(device, 4, pci->busIdLegacy, sizeof(pci->busIdLegacy));
  pci->domain = device.pci_domain;
  pci->bus = device.pci_bus;
  pci->device = device.pci_device;
  pci->pciDeviceId = PciId(device, kPciDeviceId);
  if (version >= 2) pci->pciSubSystemId = PciId(device, kPciSubsystemId);
  if (version >= 3) BusId(device, 8, pci->busId, sizeof(pci->busId));
  return NVML_SUCCESS;
}

// Of a slice, the board's number and its own are apart.
unsigned int Number(nvmlDevice_t handle) {
  return static_cast<unsigned int>(IsSlice(handle) ? handle->place : IndexOf(handle));
}

uint64_t FreeOf(nvmlDevice_t handle) {
  return world::FreeMemory(*handle->device, IsSlice(handle) ? handle->board : IndexOf(handle));
}

uint64_t Total(const Device& device) {
  return device.nvml_memory_total != 0 ? device.nvml_memory_total : device.memory_total;
}

nvmlReturn_t PutMemory(const Device& device, uint64_t free, nvmlMemory_v2_t* memory) {
  if (memory == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (memory->version != kMemoryVersion2) return NVML_ERROR_FUNCTION_NOT_FOUND;
  const uint64_t total = Total(device);
  memory->total = total;
  memory->reserved = total > device.memory_total ? total - device.memory_total : 0;
  memory->free = free;
  memory->used = total - memory->reserved - free;
  return NVML_SUCCESS;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

nvmlReturn_t nvmlDeviceGetCount(unsigned int* count) {
  return AfterInit(CALL(), [&](Call& call) {
    call.Gives(DeviceCount());
    return Put(count, DeviceCount());
  });
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int* count) {
  return AfterInit(CALL(), [&](Call& call) {
    call.Gives(DeviceCount());
    return Put(count, DeviceCount());
  });
}

nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned int index, nvmlDevice_t* device) {
  return AfterInit(CALL(index).On(Ordinal(index)), [&] { return ByIndexWalking(index, device); });
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t* device) {
  return AfterInit(CALL(index).On(Ordinal(index)), [&] { return ByIndex(index, device); });
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char* uuid, nvmlDevice_t* device) {
  return AfterInit(CALL(uuid).On(IndexFoundBy(ByUuid, uuid)), [&] { return ByUuid(uuid, device); });
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char* bus_id, nvmlDevice_t* device) {
  return AfterInit(CALL(bus_id).On(IndexFoundBy(ByBusId, bus_id)),
                   [&] { return ByBusId(bus_id, device); });
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, nvmlDevice_t* device) {
  return AfterInit(CALL(bus_id).On(IndexFoundBy(ByBusId, bus_id)),
                   [&] { return ByBusId(bus_id, device); });
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char* name, unsigned int length) {
  return OnGpuOrSlice(CALL(length), device,
                      [&](const Device& d) { return PutText(name, length, d.name); });
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* uuid, unsigned int length) {
  return OnGpuOrSlice(CALL(length), device, [&](const Device& d) {
    Text<48> text;
    AddUuidText(d, text);
    return PutText(uuid, length, text.c_str());
  });
}

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int* index) {
  return OnGpuOrSlice(CALL(), device, [&](const Device&) { return Put(index, Number(device)); });
}

nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned int* minor_number) {
  return OnDevice(CALL(), device, [&](const Device&) { return Put(minor_number, device->node); });
}

nvmlReturn_t nvmlDeviceGetPciInfo(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return OnDevice(CALL(), device, [&](const Device& d) { return PutPci(d, pci, 1); });
}

nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return OnDevice(CALL(), device, [&](const Device& d) { return PutPci(d, pci, 2); });
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return OnDevice(CALL(), device, [&](const Device& d) { return PutPci(d, pci, 3); });
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t* memory) {
  return OnGpuOrSlice(CALL(), device, [&](const Device& d) -> nvmlReturn_t {
    if (d.no_nvml_memory != 0) return NVML_ERROR_NOT_SUPPORTED;
    const uint64_t free = FreeOf(device);
    return Put(memory, nvmlMemory_t{Total(d), free, Total(d) - free});
  });
}

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t* memory) {
  return OnGpuOrSlice(CALL(), device, [&](const Device& d) -> nvmlReturn_t {
    return d.no_nvml_memory != 0 ? NVML_ERROR_NOT_SUPPORTED : PutMemory(d, FreeOf(device), memory);
  });
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int* major, int* minor) {
  return OnDevice(CALL(), device, [&](const Device& d) {
    const nvmlReturn_t result = Put(major, d.prop_cc_major);
    return result == NVML_SUCCESS ? Put(minor, d.prop_cc_minor) : result;
  });
}
