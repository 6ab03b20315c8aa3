// Which devices there are, and what they say of themselves.
#include <cstring>

#include "fakes/hip/runtime.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

using namespace gpustage;
using namespace gpustage::hip;

namespace {

// Of the library whose names each major has: 5.2.21153, 6.3.42131, 7.2.26015.
constexpr int kVersion = GPUSTAGE_ROCM_MAJOR == 5   ? 50221153
                         : GPUSTAGE_ROCM_MAJOR == 6 ? 60342131
                                                    : 70226015;
// hipDeviceArch_t: all but funnel shifts, __syncthreads_count, surfaces and launches by a kernel.
constexpr uint32_t kArch = 0x177ff & ~0x800u & ~0x2000u;
constexpr size_t kSizeOf5 = 792, kSizeOf6 = 1472;
constexpr size_t kGcnArchName5 = 396, kGcnArchName6 = 1160, kUuid6 = 256;

struct Row {
  int at5, at6, bytes, attribute;
  uint64_t value;
};

// Calls `use` with every row of a device until it returns true.
template <typename Use>
bool EachRow(const Facts& f, Use use) {
  const Row rows[] = {
#define PROP(name, at5, at6, bytes, attribute, value) \
  {at5, at6, bytes, attribute, static_cast<uint64_t>(value)},
#include "fakes/hip/device_prop.inc"
#undef PROP
  };
  for (const Row& row : rows)
    if (use(row)) return true;
  return false;
}

// The eight bytes of a board's own number as 16 characters, or "XX" of one that has none.
void PutUuid(const Facts& f, char* to) { memcpy(to, f.uuid + strlen("GPU-"), 16); }

template <bool kNew>
hipError_t Properties(char* to, int device) {
  if (to == nullptr) return hipErrorInvalidValue;
  if (!IsDevice(device)) return hipErrorInvalidDevice;
  const Facts& f = Of(device);
  memset(to, 0, kNew ? kSizeOf6 : kSizeOf5);
  world::CopyText(to, 256, f.name);
  world::CopyText(to + (kNew ? kGcnArchName6 : kGcnArchName5), 256, f.gfx);
  if (kNew) PutUuid(f, to + kUuid6);
  EachRow(f, [&](const Row& row) {
    const int at = kNew ? row.at6 : row.at5;
    if (at >= 0) memcpy(to + at, &row.value, static_cast<size_t>(row.bytes));
    return false;
  });
  return hipSuccess;
}

hipError_t Attribute(const Facts& f, int attribute, int* value) {
  const bool known = EachRow(f, [&](const Row& row) {
    if (row.attribute != attribute) return false;
    *value = row.value > INT32_MAX ? INT32_MAX : static_cast<int>(row.value);
    return true;
  });
  return known ? hipSuccess : hipErrorInvalidValue;
}

void AddAddress(const Facts& f, world::TextWriter& out) {
  out.Hex(f.domain, 4).Add(':').Hex(f.bus, 2).Add(':').Hex(f.device, 2).Add(".0");
}

hipError_t Version(int* to) {
  if (to == nullptr) return hipErrorInvalidValue;
  *to = kVersion;
  return hipSuccess;
}

}  // namespace

#define OF(device) CALL(device).On(PlaceOf(device))

extern "C" {

hipError_t hipInit(unsigned flags) {
  return WithDevice(CALL(flags), [&] { return flags == 0 ? hipSuccess : hipErrorInvalidValue; });
}

hipError_t hipDriverGetVersion(int* version) {
  return Without(CALL(), [&] { return Version(version); });
}
hipError_t hipRuntimeGetVersion(int* version) {
  return Without(CALL(), [&] { return Version(version); });
}

hipError_t hipGetDeviceCount(int* count) {
  world::Call call(__func__, "");
  return Remember(static_cast<hipError_t>(world::Answer(call, [&]() -> hipError_t {
    const hipError_t started = Start();
    if (count == nullptr) return hipErrorInvalidValue;
    *count = DeviceCount();
    call.Gives(*count);
    if (started != hipSuccess) return started;
    return *count == 0 ? hipErrorNoDevice : hipSuccess;
  })));
}

hipError_t hipGetDevice(int* device) {
  return WithDevice(CALL(), [&] {
    if (device == nullptr) return hipErrorInvalidValue;
    *device = Current();
    return hipSuccess;
  });
}

hipError_t hipSetDevice(int device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    Current() = device;
    return hipSuccess;
  });
}

hipError_t hipDeviceGet(hipDevice_t* out, int device) {
  return WithDevice(OF(device), [&] {
    if (out == nullptr) return hipErrorInvalidValue;
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    *out = device;
    return hipSuccess;
  });
}

hipError_t hipDeviceGetName(char* name, int size, hipDevice_t device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    if (name == nullptr || size <= 0) return hipErrorInvalidValue;
    world::CopyText(name, static_cast<size_t>(size), Of(device).name);
    return hipSuccess;
  });
}

hipError_t hipDeviceGetUuid(hipUUID* uuid, hipDevice_t device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    if (uuid == nullptr) return hipErrorInvalidValue;
    PutUuid(Of(device), uuid->bytes);
    return hipSuccess;
  });
}

hipError_t hipDeviceTotalMem(size_t* bytes, hipDevice_t device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    if (bytes == nullptr) return hipErrorInvalidValue;
    *bytes = Of(device).memory;
    return hipSuccess;
  });
}

hipError_t hipDeviceComputeCapability(int* major, int* minor, hipDevice_t device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    if (major == nullptr || minor == nullptr) return hipErrorInvalidValue;
    *major = static_cast<int>(Of(device).target.major);
    *minor = static_cast<int>(Of(device).target.minor);
    return hipSuccess;
  });
}

hipError_t hipDeviceGetPCIBusId(char* text, int size, int device) {
  return WithDevice(OF(device), [&] {
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    if (text == nullptr || size <= 0) return hipErrorInvalidValue;
    world::TextWriter out(text, static_cast<size_t>(size));
    AddAddress(Of(device), out);
    return hipSuccess;
  });
}

hipError_t hipDeviceGetByPCIBusId(int* device, const char* address) {
  return WithDevice(CALL(address), [&] {
    if (device == nullptr || address == nullptr) return hipErrorInvalidValue;
    for (int i = 0; i < DeviceCount(); ++i) {
      world::Text<32> own;
      AddAddress(Of(i), own);
      if (!world::Equal(own.c_str(), address)) continue;
      *device = i;
      return hipSuccess;
    }
    return hipErrorInvalidDevice;
  });
}

hipError_t hipDeviceGetAttribute(int* value, int attribute, int device) {
  return WithDevice(CALL(attribute, device).On(PlaceOf(device)), [&] {
    if (value == nullptr) return hipErrorInvalidValue;
    if (!IsDevice(device)) return hipErrorInvalidDevice;
    return Attribute(Of(device), attribute, value);
  });
}

hipError_t hipGetDeviceProperties(void* properties, int device) {
  return WithDevice(OF(device),
                    [&] { return Properties<false>(static_cast<char*>(properties), device); });
}

#if GPUSTAGE_ROCM_MAJOR >= 6
hipError_t hipGetDevicePropertiesR0000(void* properties, int device) {
  return WithDevice(OF(device),
                    [&] { return Properties<false>(static_cast<char*>(properties), device); });
}
hipError_t hipGetDevicePropertiesR0600(void* properties, int device) {
  return WithDevice(OF(device),
                    [&] { return Properties<true>(static_cast<char*>(properties), device); });
}
#endif

hipError_t hipDeviceCanAccessPeer(int* can, int device, int peer) {
  return WithDevice(CALL(device, peer).On(PlaceOf(device)), [&] {
    if (can == nullptr) return hipErrorInvalidValue;
    if (!IsDevice(device) || !IsDevice(peer)) return hipErrorInvalidDevice;
    *can = 0;
    return hipSuccess;
  });
}

hipError_t hipSetDeviceFlags(unsigned flags) {
  return WithDevice(CALL(flags), [] { return hipSuccess; });
}

}  // extern "C"
