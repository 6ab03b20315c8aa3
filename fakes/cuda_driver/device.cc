// What can be asked of a device.
#include <cstring>

#include "fakes/cuda_driver/driver.h"
#include "fakes/world/pci.h"

namespace gpustage::cuda_driver {
namespace {

using world::kMaxAttributes;
using world::kNoAttribute;

// What the rest of the device says about an attribute that the scenario left out.
int32_t Derived(const Device& device, CUdevice_attribute attribute) {
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return device.sm_count;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED: return device.integrated;
    case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID: return static_cast<int32_t>(device.pci_bus);
    case CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID: return static_cast<int32_t>(device.pci_device);
    case CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID: return static_cast<int32_t>(device.pci_domain);
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return device.cc_major;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return device.cc_minor;
    default: return kNoAttribute;
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

CUresult FindByBusId(CUdevice* device, const char* bus_id) {
  world::PciAddress address;
  if (device == nullptr || bus_id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (CUdevice i = 0; i < DeviceCount(); ++i)  // a scenario's address may be no address
    if (world::Equal(DeviceAt(i)->pci_bus_id, bus_id)) return Put(device, i);
  if (!world::ReadPciAddress(bus_id, &address)) return CUDA_ERROR_INVALID_VALUE;
  for (CUdevice i = 0; i < DeviceCount(); ++i)
    if (world::IsAt(*DeviceAt(i), address)) return Put(device, i);
  return CUDA_ERROR_INVALID_DEVICE;
}

// Peers were recorded of two H200s.
void TrustPeers(const Device& device, Call& call) {
  if (!world::Equal(device.name, "NVIDIA H200")) call.set_fidelity(Fidelity::kAssumed);
}

// A handle that nothing is behind.
CUresult PutPool(const Device& device, CUmemoryPool* pool) {
  return Put(pool, reinterpret_cast<CUmemoryPool>(const_cast<Device*>(&device)));
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
  return AfterInit(CALL(), [&](Call& call) {
    call.Gives(DeviceCount());
    return Put(count, DeviceCount());
  });
}

CUresult cuDeviceGet(CUdevice* result, int device) {
  return OnDevice(CALL(device), result, device, [&](const Device&) { return Put(result, device); });
}

CUresult cuDeviceGetName(char* name, int size, CUdevice device) {
  return OnDevice(CALL(size, device), name, device, [&](const Device& d) -> CUresult {
    if (size <= 0) return CUDA_ERROR_INVALID_VALUE;
    gpustage::world::CopyText(name, static_cast<size_t>(size), d.name);
    return CUDA_SUCCESS;
  });
}

// Assumed for a MIG slice: cuda.h says of the second version alone that it gives the slice's own.
CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  return OnDevice(CALL(device), uuid, device, [&](const Device& d, Call& call) {
    if (d.mig != gpustage::world::Mig::kOff) call.set_fidelity(Fidelity::kAssumed);
    return PutUuid(d, uuid);
  });
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return OnDevice(CALL(device), uuid, device, [&](const Device& d) { return PutUuid(d, uuid); });
}

// The real ones write zero before they look at the device.
CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  if (bytes != nullptr && DeviceCount() >= 0) *bytes = 0;
  return OnDevice(CALL(device), bytes, device, [&](const Device& d, Call& call) {
    if ((d.assumed_memory & gpustage::world::kTotalIsAssumed) != 0)
      call.set_fidelity(Fidelity::kAssumed);
    return Put(bytes, size_t{d.memory_total});
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attrib, CUdevice device) {
  return OnDevice(CALL(device, attrib), value, device,
                  [&](const Device& d, Call& call) { return Attribute(d, attrib, value, call); });
}

CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  const void* const either = major == nullptr ? nullptr : minor;
  return OnDevice(CALL(device), either, device, [&](const Device& d) {
    *major = d.cc_major;
    return Put(minor, d.cc_minor);
  });
}

// What does not fit is cut off, and an error.
CUresult cuDeviceGetPCIBusId(char* bus_id, int size, CUdevice device) {
  return OnDevice(CALL(size, device), bus_id, device, [&](const Device& d) -> CUresult {
    const auto room = static_cast<size_t>(size < 0 ? 32 : size);
    const bool fits = gpustage::world::CopyText(bus_id, room, d.pci_bus_id);
    return fits && size > 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuDeviceGetByPCIBusId(CUdevice* device, const char* bus_id) {
  CUdevice found = -1;
  FindByBusId(&found, bus_id);
  return AfterInit(CALL(bus_id).On(found), [&] { return FindByBusId(device, bus_id); });
}

CUresult cuDeviceGetProperties(CUdevprop* properties, CUdevice device) {
  return OnDevice(CALL(device), properties, device, [&](const Device&) -> CUresult {
    static constexpr int kAttributes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    int* value = reinterpret_cast<int*>(properties);
    for (const int attribute : kAttributes) cuDeviceGetAttribute(value++, attribute, device);
    return CUDA_SUCCESS;
  });
}

// Only Windows has such identifiers.
CUresult cuDeviceGetLuid(char*, unsigned int*, CUdevice device) {
  return OnDevice(CALL(device), device, [](const Device&) { return CUDA_ERROR_NOT_SUPPORTED; });
}

CUresult cuDeviceGetTexture1DLinearMaxWidth(size_t* width, CUarray_format format,
                                            unsigned int channels, CUdevice device) {
  return OnDevice(CALL(format, channels, device).Trust(Fidelity::kAssumed), device,
                  [&](const Device&) { return Put(width, size_t{1} << 30); });
}

CUresult cuDeviceGetExecAffinitySupport(int* supported, CUexecAffinityType type, CUdevice device) {
  return OnDevice(CALL(type, device), device, [&](const Device&) { return Put(supported, 0); });
}

CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  return OnDevice(CALL(device).Trust(Fidelity::kFixed), device,
                  [&](const Device& d) { return PutPool(d, pool); });
}

CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
  if (pool != nullptr && DeviceCount() >= 0 && DeviceAt(device) == nullptr) pool = nullptr;
  return OnDevice(CALL(device).Trust(Fidelity::kFixed), pool, device,
                  [&](const Device& d) { return PutPool(d, pool); });
}

CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
  return OnDevice(CALL(device, peer), can, device, [&](const Device& d, Call& call) -> CUresult {
    TrustPeers(d, call);
    return DeviceAt(peer) == nullptr ? CUDA_ERROR_INVALID_DEVICE : Put(can, device == peer ? 0 : 1);
  });
}

// Two H200s: no rank, access, atomics, arrays, no partial atomics.
CUresult cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attrib, CUdevice device,
                                 CUdevice peer) {
  return OnDevice(CALL(device, attrib, peer), device, [&](const Device& d, Call& call) -> CUresult {
    TrustPeers(d, call);
    static constexpr int kValues[] = {0, 0, 1, 1, 1, 0};
    if (DeviceAt(peer) == nullptr || device == peer) return CUDA_ERROR_INVALID_DEVICE;
    return attrib < 1 || attrib > 5 ? CUDA_ERROR_INVALID_VALUE : Put(value, kValues[attrib]);
  });
}

// The old one counts in 32 bits and stops there.
extern "C" CUresult cuDeviceTotalMem(unsigned int* bytes, CUdevice device) {
  if (bytes != nullptr && DeviceCount() >= 0) *bytes = 0;
  return OnDevice(CALL(device), bytes, device, [&](const Device& d) {
    const bool fits = d.memory_total <= UINT32_MAX;
    return Put(bytes, fits ? static_cast<unsigned int>(d.memory_total) : UINT32_MAX);
  });
}
