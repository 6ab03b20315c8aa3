#include "fakes/cuda_runtime/device_prop.h"

#include <cstring>

#include "fakes/world/world.h"

namespace gpustage::cuda_runtime {
namespace {

using world::PropsLayout;

constexpr size_t kUuidOffset = 256;
constexpr size_t kTotalMemoryOffset = 288;
constexpr size_t kMajorOffset = 360;
// What is written of cudaDeviceProp in CUDA 11, 12, 13; behind it is room for later fields.
constexpr size_t kSizes[] = {728, 780, 784};

struct Field {
  int16_t offsets[3];  // CUDA 11, 12, 13
  uint8_t size;
  uint8_t attribute;
};
constexpr Field kFields[] = {
#define FIELD(name, in11, in12, in13, type, attribute) \
  {{in11, in12, in13}, sizeof(type), attribute},
#include "fakes/cuda_runtime/device_prop.inc"
#undef FIELD
};

struct Layout {
  int column;
  size_t missing;  // bytes left out behind the name, where uuid, luid and their mask stand
  size_t written;
};

Layout LayoutFor(PropsLayout wanted, int major) {
  const size_t no_uuid = kTotalMemoryOffset - kUuidOffset;
  const Layout own = {major - 11, 0, kSizes[major - 11]};
  switch (wanted) {
    case PropsLayout::kOwn: return own;
    case PropsLayout::kCuda12: return {1, 0, kSizes[1]};
    case PropsLayout::kCuda13: return {2, 0, kSizes[2]};
    case PropsLayout::kNaive: return {1, no_uuid, kSizes[1] - no_uuid};
    case PropsLayout::kTruncated: return {own.column, 0, kMajorOffset};
    case PropsLayout::kHomemade: break;
  }
  return own;
}

// A struct as a shim's author made it up: what he thought of, in that order. So large was the one
// of the report behind this project, which put "GPU-00000000-1400-0000-0900-000000000000" into a
// log: 80 GiB and 9.0.
struct Homemade {
  char name[256];
  uint64_t total_memory;
  int32_t major;
  int32_t minor;
  char rest[168];
};
static_assert(sizeof(Homemade) == 440);

// The scenario's own device: only it knows that properties give another compute capability than the
// driver.
const world::Device* InWorld(const DeviceFacts& facts) {
  const world::World& world = world::Here();
  for (uint32_t i = 0; i < world.device_count; ++i) {
    if (memcmp(world.devices[i].uuid, facts.uuid.bytes, sizeof(facts.uuid.bytes)) == 0)
      return &world.devices[i];
  }
  return nullptr;
}

int32_t Value(const DeviceFacts& facts, const world::Device* device, int attribute) {
  if (device != nullptr && attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
    return device->prop_cc_major;
  if (device != nullptr && attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
    return device->prop_cc_minor;
  return facts.attributes[attribute];
}

}  // namespace

void WriteProperties(void* out, const DeviceFacts& facts, int major) {
  const Layout layout = LayoutFor(world::Here().props_layout, major);
  const world::Device* const device = InWorld(facts);
  if (world::Here().props_layout == PropsLayout::kHomemade) {
    Homemade props = {};
    memcpy(props.name, facts.name, sizeof(props.name));
    props.total_memory = facts.memory_total;
    props.major = Value(facts, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    props.minor = Value(facts, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    memcpy(out, &props, sizeof(props));
    return;
  }
  char props[1032] = {};
  const auto write = [&](size_t offset, const void* value, size_t size) {
    memcpy(props + offset - layout.missing, value, size);
  };
  memcpy(props, facts.name, sizeof(facts.name));
  if (layout.missing == 0) write(kUuidOffset, facts.uuid.bytes, sizeof(facts.uuid.bytes));
  write(kTotalMemoryOffset, &facts.memory_total, sizeof(facts.memory_total));
  for (const Field& field : kFields) {
    if (field.offsets[layout.column] < 0) continue;
    const int64_t value =
        Value(facts, device, field.attribute);  // little endian: the low half is an int
    write(static_cast<size_t>(field.offsets[layout.column]), &value, field.size);
  }
  memcpy(out, props, layout.written);
}

}  // namespace gpustage::cuda_runtime
