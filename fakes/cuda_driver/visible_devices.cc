#include "fakes/cuda_driver/visible_devices.h"

#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::cuda_driver {
namespace {

using world::Text;
using world::World;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool StartsUuid(const char* text) {
  return strncmp(text, "GPU-", 4) == 0 || strncmp(text, "MIG-", 4) == 0;
}

// Source: NVIDIA MIG User Guide, CUDA device enumeration. Before driver 570 a process sees one
// slice of all, and beside a slice no whole GPU; from then on every slice that is a GPU instance of
// its own, which all of ours are.
bool SeesManySlices(const World& machine) {
  int major = 0;
  for (const char* c = machine.driver_version; *c >= '0' && *c <= '9'; ++c)
    major = major * 10 + (*c - '0');
  return major >= 570;
}

VisibleDevices OneSlice(const World& machine, const VisibleDevices& devices) {
  for (int i = 0; i < devices.count; ++i)
    if (machine.devices[devices.index[i]].mig == world::Mig::kSlice)
      return {devices.result, 1, {devices.index[i]}};
  return devices;
}

// The device whose UUID begins as `text` does up to the comma; -1 for none and for several.
int ByUuid(const World& world, const VisibleDevices& all, const char* text, const char* end) {
  if (end - text == 4) return -1;  // "GPU-" alone names nothing, even where there is one device
  int found = -1;
  for (int i = 0; i < all.count; ++i) {
    Text<48> uuid;
    const world::Device& device = world.devices[all.index[i]];
    uuid.Add(device.mig == world::Mig::kSlice ? "MIG-" : "GPU-");
    AddUuid(uuid, device.uuid);
    const char* a = text;
    const char* b = uuid.c_str();
    while (a < end && *b != '\0' && Lower(*a) == Lower(*b)) ++a, ++b;
    if (a < end && *b != '\0') continue;  // text behind a whole UUID is no matter
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

// Reads a decimal number as strtol does and keeps its lower 32 bits: "-0" is 0, and so is 2^32. -1
// for none and for one that is no ordinal. `text` moves past it.
int ReadOrdinal(const char*& text, int count) {
  while (IsSpace(*text)) ++text;
  const bool negative = *text == '-';
  if (*text == '-' || *text == '+') ++text;
  if (*text < '0' || *text > '9') return -1;
  constexpr int64_t kMost = INT64_MAX;
  int64_t value = 0;
  for (; *text >= '0' && *text <= '9'; ++text)
    value = value > (kMost - (*text - '0')) / 10 ? kMost : value * 10 + (*text - '0');
  const auto ordinal = static_cast<int32_t>(static_cast<uint64_t>(negative ? -value : value));
  return ordinal < 0 || ordinal >= count ? -1 : ordinal;
}

const char* EndOfEntry(const char* text) {
  while (*text != '\0' && *text != ',') ++text;
  return text;
}

// The list ends without a word at the first entry that names no device, at text behind a number,
// and where numbers and UUIDs meet. A device named twice is an error.
VisibleDevices Choose(const World& world, const VisibleDevices& all, const char* list) {
  VisibleDevices chosen;
  uint32_t seen = 0;
  const bool uuids = StartsUuid(list);
  for (;;) {
    const char* const end = EndOfEntry(list);
    const int ordinal = uuids ? (StartsUuid(list) ? ByUuid(world, all, list, end) : -1)
                              : ReadOrdinal(list, all.count);
    if (ordinal < 0) break;
    if ((seen >> ordinal & 1) != 0) return {CUDA_ERROR_INVALID_DEVICE, 0, {}};
    seen |= 1u << ordinal;
    chosen.index[chosen.count++] = all.index[ordinal];
    if (uuids) list = end;
    while (IsSpace(*list)) ++list;
    if (*list != ',') break;
    ++list;
  }
  return chosen;
}

}  // namespace

VisibleDevices FindVisibleDevices(const World& machine, uint32_t there, const char* visible,
                                  const char* order) {
  VisibleDevices all;
  for (uint32_t i = 0; i < machine.device_count; ++i)
    if ((there >> i & 1) != 0) all.index[all.count++] = static_cast<uint8_t>(i);
  if (order != nullptr) {
    // The machine lists its devices as the driver orders them by itself.
    if (world::Equal(order, "PCI_BUS_ID")) {
      world::SortByPci(machine, all.index, all.count);
    } else if (!world::Equal(order, "FASTEST_FIRST")) {
      return {CUDA_ERROR_INVALID_DEVICE, 0, {}};
    }
  }
  if (visible == nullptr || !StartsUuid(visible))
    all = SeesManySlices(machine) ? all : OneSlice(machine, all);
  VisibleDevices devices = visible == nullptr ? all : Choose(machine, all, visible);
  if (!SeesManySlices(machine)) devices = OneSlice(machine, devices);
  if (devices.result == CUDA_SUCCESS && devices.count == 0) devices.result = CUDA_ERROR_NO_DEVICE;
  return devices;
}

}  // namespace gpustage::cuda_driver
