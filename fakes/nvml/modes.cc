// Modes, neighbours, links, and values by number; and what is asked of the system.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

// nvmlFieldValue_t.
struct FieldValue {
  unsigned int field;
  unsigned int scope;
  long long timestamp;
  long long latency;
  int type;
  nvmlReturn_t code;
  unsigned long long value;
};
static_assert(sizeof(FieldValue) == 40);

constexpr int kFixed = -1, kIdle = -2;  // in place of a figure

struct KnownField {
  unsigned int field;
  int type;  // nvmlValueType_t
  long long value;
  int figure = kFixed;
};
constexpr int kLimit = static_cast<int>(BoardFigure::kPowerLimit);
constexpr KnownField kFields[] = {
    {1, 3, 1},  // ECC, current and pending
    {2, 3, 1},
    {82, 1, kTemperature},  // of the memory
    {185, 1, 0, kIdle},     // power: average and of now, least and greatest limit, ...
    {186, 1, 0, kIdle},
    {187, 1, 0, static_cast<int>(BoardFigure::kLeastPowerLimit)},
    {188, 1, 0, static_cast<int>(BoardFigure::kMostPowerLimit)},
    {189, 1, 0, kLimit},
    {190, 1, 0, kLimit},
    {192, 1, 0, kLimit},
    {193, 5, -8},  // degrees to shutdown, slowdown, the memory's and the GPU's maximum
    {194, 5, -2},
    {195, 5, 0},
    {196, 5, 0},
};
constexpr unsigned int kLinkCountField = 91;

void PutField(const Device& device, FieldValue& value) {
  value.type = 0;
  value.code = NVML_ERROR_INVALID_ARGUMENT;
  for (const KnownField& known : kFields) {
    if (known.field != value.field) continue;
    const int figure = known.figure == kIdle ? kLimit : known.figure;
    const bool missing = figure >= 0 && device.board[figure] == world::kNoAttribute;
    value.code = missing ? NVML_ERROR_NOT_SUPPORTED : NVML_SUCCESS;
    if (missing) continue;
    value.type = known.type;
    const long long number = known.figure == kFixed  ? known.value
                             : known.figure == kIdle ? IdlePower(device)
                                                     : device.board[figure];
    memcpy(&value.value, &number, known.type == 3 ? 8 : 4);
  }
  if (value.field != kLinkCountField) return;
  value.type = 1;
  value.code = LinkCount() > 0 ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
  value.value = LinkCount();
}

nvmlReturn_t PutLink(unsigned int link, unsigned int* out, unsigned int value) {
  if (LinkCount() == 0) return NVML_ERROR_NOT_SUPPORTED;
  return link >= LinkCount() ? NVML_ERROR_INVALID_ARGUMENT : Put(out, value);
}

nvmlReturn_t PutNeighbours(unsigned int* count, nvmlDevice_t* devices, nvmlDevice_t self) {
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  unsigned int written = 0;
  for (unsigned int i = 0; i < DeviceCount(); ++i) {
    if (HandleAt(i) == self) continue;
    if (devices != nullptr && written < *count) devices[written] = HandleAt(i);
    ++written;
  }
  *count = written;
  return NVML_SUCCESS;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

#define TWO(name, first, second)                                                                   \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int* a, unsigned int* b) {                       \
    return OnBoard(CALL(), device,                                                                 \
                   [&]([[maybe_unused]] const Device& d) { return PutTwo(a, b, first, second); }); \
  }
TWO(nvmlDeviceGetGspFirmwareMode, 1, 1)
#undef TWO

// A GeForce has no such mode.
nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, unsigned int* now, unsigned int* then) {
  return OnBoard(CALL(), device, [&](const Device& d) {
    const unsigned int on = Attribute(d, 32, 1);
    return IsGeForce(d) ? NVML_ERROR_NOT_SUPPORTED : PutTwo(now, then, on, on);
  });
}

#define REFUSED(name, code, ...)                                                        \
  nvmlReturn_t name(nvmlDevice_t device __VA_OPT__(, ) __VA_ARGS__) {                   \
    return OnBoard(CALL(), device, [](const Device&) -> nvmlReturn_t { return code; }); \
  }
REFUSED(nvmlDeviceGetGpuOperationMode, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetDriverModel, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetAutoBoostedClocksEnabled, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetBridgeChipInfo, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetRetiredPages, NVML_ERROR_NOT_SUPPORTED)
REFUSED(nvmlDeviceGetTopologyCommonAncestor, NVML_ERROR_NOT_SUPPORTED)
#undef REFUSED

nvmlReturn_t nvmlDeviceGetAPIRestriction(nvmlDevice_t device, int api, unsigned int* restricted) {
  return OnBoard(CALL(api), device, [&](const Device&) -> nvmlReturn_t {
    if (api < 0 || api > 1) return NVML_ERROR_INVALID_ARGUMENT;
    return api == 0 ? NVML_ERROR_NOT_SUPPORTED : Put(restricted, 0);
  });
}

nvmlReturn_t nvmlDeviceOnSameBoard(nvmlDevice_t device, nvmlDevice_t other, int* same) {
  return OnBoard(CALL(), device, [&](const Device&) { return Put(same, device == other); });
}

constexpr unsigned int kP2pNotSupported = 5;

nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t device, nvmlDevice_t, int capability,
                                    unsigned int* status) {
  return OnBoard(CALL(capability), device, [&](const Device&) {
    return Put(status, LinkCount() > 0 ? 0 : kP2pNotSupported);
  });
}

nvmlReturn_t nvmlDeviceGetTopologyNearestGpus(nvmlDevice_t device, int level, unsigned int* count,
                                              nvmlDevice_t* devices) {
  return OnBoard(CALL(level), device,
                 [&](const Device&) { return PutNeighbours(count, devices, device); });
}

nvmlReturn_t nvmlDeviceGetCpuAffinity(nvmlDevice_t device, unsigned int size, unsigned long* set) {
  return OnBoard(CALL(size), device, [&](const Device&) -> nvmlReturn_t {
    if (set == nullptr || size == 0) return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int i = 0; i < size; ++i) set[i] = i == 0 ? ~0ul : 0;
    return NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlDeviceGetMemoryAffinity(nvmlDevice_t device, unsigned int size, unsigned long* set,
                                         int scope) {
  return OnBoard(CALL(size, scope), device, [&](const Device&) -> nvmlReturn_t {
    if (set == nullptr || size == 0) return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int i = 0; i < size; ++i) set[i] = i == 0 ? 1 : 0;
    return NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned int link, unsigned int* on) {
  return OnBoard(CALL(link), device, [&](const Device&) { return PutLink(link, on, 1); });
}
nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned int link,
                                        unsigned int* version) {
  return OnBoard(CALL(link), device, [&](const Device&) { return PutLink(link, version, 6); });
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, FieldValue* values) {
  return OnBoard(CALL(count), device, [&](const Device& d) -> nvmlReturn_t {
    if (values == nullptr || count <= 0) return NVML_ERROR_INVALID_ARGUMENT;
    for (int i = 0; i < count; ++i) PutField(d, values[i]);
    return NVML_SUCCESS;
  });
}
}
