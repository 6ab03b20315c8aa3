// What can be asked of a device.
#include <cstring>

#include "fakes/cuda_driver/driver.h"

namespace gpustage::cuda_driver {
namespace {

using world::kMaxAttributes;
using world::kNoAttribute;

// What the rest of the device says about an attribute that the scenario left out.
int32_t Derived(const Device& device, CUdevice_attribute attribute) {
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      return device.sm_count;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
      return device.integrated;
    case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID:
      return static_cast<int32_t>(device.pci_bus);
    case CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID:
      return static_cast<int32_t>(device.pci_device);
    case CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID:
      return static_cast<int32_t>(device.pci_domain);
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      return device.cc_major;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      return device.cc_minor;
    default:
      return kNoAttribute;
  }
}

CUresult Attribute(const Device& device, CUdevice_attribute attribute, int* value, Call& call) {
  if (value == nullptr || attribute < 0 || attribute >= static_cast<int>(kMaxAttributes))
    return CUDA_ERROR_INVALID_VALUE;
  int32_t answer = device.attributes[attribute];
  if (answer == kNoAttribute) answer = Derived(device, attribute);
  if (answer == kNoAttribute) return CUDA_ERROR_INVALID_VALUE;
  if ((device.assumed[attribute / 8] >> attribute % 8 & 1) != 0)
    call.set_fidelity(Fidelity::kAssumed);
  *value = answer;
  return CUDA_SUCCESS;
}

CUresult PutUuid(const Device& device, CUuuid* uuid) {
  if (uuid == nullptr) return CUDA_ERROR_INVALID_VALUE;
  memcpy(uuid->bytes, device.uuid, sizeof(device.uuid));
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuDeviceGetCount(int* count) {
  return AfterInit(CALL(), [&] { return Put(count, DeviceCount()); });
}

CUresult cuDeviceGet(CUdevice* result, int device) {
  return OnDevice(CALL(device), device, [&](const Device&) { return Put(result, device); });
}

CUresult cuDeviceGetName(char* name, int size, CUdevice device) {
  return OnDevice(CALL(size, device), device, [&](const Device& d) -> CUresult {
    if (name == nullptr || size <= 0) return CUDA_ERROR_INVALID_VALUE;
    gpustage::world::CopyText(name, static_cast<size_t>(size), d.name);
    return CUDA_SUCCESS;
  });
}

// Assumed for a MIG slice: cuda.h says of the second version alone that it gives the slice's own.
CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device& d, Call& call) {
    if (d.mig != gpustage::world::Mig::kOff) call.set_fidelity(Fidelity::kAssumed);
    return PutUuid(d, uuid);
  });
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device& d) { return PutUuid(d, uuid); });
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device& d, Call& call) {
    if ((d.assumed_memory & gpustage::world::kTotalIsAssumed) != 0)
      call.set_fidelity(Fidelity::kAssumed);
    return Put(bytes, size_t{d.memory_total});
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attrib, CUdevice device) {
  return OnDevice(CALL(device, attrib), device,
                  [&](const Device& d, Call& call) { return Attribute(d, attrib, value, call); });
}

CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device& d) {
    const CUresult result = Put(major, d.cc_major);
    return result == CUDA_SUCCESS ? Put(minor, d.cc_minor) : result;
  });
}

CUresult cuDeviceGetPCIBusId(char* bus_id, int size, CUdevice device) {
  return OnDevice(CALL(size, device), device, [&](const Device& d) -> CUresult {
    if (bus_id == nullptr || size <= 0) return CUDA_ERROR_INVALID_VALUE;
    const bool fits = gpustage::world::CopyText(bus_id, static_cast<size_t>(size), d.pci_bus_id);
    return fits ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuDeviceGetByPCIBusId(CUdevice* device, const char* bus_id) {
  return AfterInit(CALL(bus_id), [&]() -> CUresult {
    if (bus_id == nullptr) return CUDA_ERROR_INVALID_VALUE;
    for (CUdevice i = 0; i < DeviceCount(); ++i)
      if (gpustage::world::Equal(DeviceAt(i)->pci_bus_id, bus_id)) return Put(device, i);
    return CUDA_ERROR_INVALID_DEVICE;
  });
}
