// libamd_smi: a socket a GPU, and a GPU in each, as on machines with no accelerator of several
// parts. A handle is no small number: a client that gives something else is told so.
#include <cstring>

#include "fakes/smi/cards.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"
#include "fakes/world/text.h"

// amdsmi_status_t of amdsmi.h.
enum amdsmi_status_t : int32_t {
  AMDSMI_STATUS_SUCCESS = 0,
  AMDSMI_STATUS_INVAL = 1,
  AMDSMI_STATUS_NOT_SUPPORTED = 2,
  AMDSMI_STATUS_NOT_FOUND = 31,
  AMDSMI_STATUS_NOT_INIT = 32,
  AMDSMI_STATUS_DRIVER_NOT_LOADED = 34,
};

namespace gpustage::world {
const int32_t kNotSupported = AMDSMI_STATUS_NOT_SUPPORTED;
const int32_t kDeviceLost = AMDSMI_STATUS_NOT_FOUND;
int32_t AnswerOfStub(const char*) {
  return smi::IsOpen() ? AMDSMI_STATUS_NOT_SUPPORTED : AMDSMI_STATUS_NOT_INIT;
}
}  // namespace gpustage::world

using namespace gpustage;
using namespace gpustage::smi;

namespace {

constexpr int32_t kAmdGpu = 1;
constexpr uint32_t kVram = 0;

// amdsmi_asic_info_t.
struct AsicInfo {
  char market_name[256];
  uint32_t vendor_id;
  char vendor_name[256];
  uint32_t subvendor_id;
  uint64_t device_id;
  uint32_t rev_id;
  char asic_serial[256];
  uint32_t oam_id;
  uint32_t num_of_compute_units;
  uint32_t padding;
  uint64_t target_graphics_version;
  uint32_t subsystem_id;
  uint32_t reserved[21];
} __attribute__((packed));
static_assert(sizeof(AsicInfo) == 256 * 3 + 128);

struct LibraryVersion {
  uint32_t major, minor, release;
  const char* build;
};
struct VramUsage {
  uint32_t total, used, reserved[2];
};

constexpr uintptr_t kHandle = 0x1000;
uint32_t IndexOf(const void* handle) {
  const auto number = reinterpret_cast<uintptr_t>(handle);
  return number % kHandle != 0 ? UINT32_MAX : static_cast<uint32_t>(number / kHandle - 1);
}

template <typename Body>
amdsmi_status_t Started(world::Call&& call, Body body) {
  return static_cast<amdsmi_status_t>(world::Answer(call, [&](world::Call& answered) {
    return IsOpen() ? body(answered) : AMDSMI_STATUS_NOT_INIT;
  }));
}

template <typename Body>
amdsmi_status_t OfCard(world::Call&& call, const void* handle, const void* room, Body body) {
  return Started(static_cast<world::Call&&>(call), [&](world::Call&) {
    if (!IsCard(IndexOf(handle))) return AMDSMI_STATUS_NOT_FOUND;
    return room == nullptr ? AMDSMI_STATUS_INVAL : body(static_cast<int>(IndexOf(handle)));
  });
}

// As many handles as there is room for; with no room, how many there are.
void List(int first, int there, uint32_t* count, void** handles) {
  if (handles == nullptr) {
    *count = static_cast<uint32_t>(there);
    return;
  }
  if (*count > static_cast<uint32_t>(there)) *count = static_cast<uint32_t>(there);
  for (uint32_t i = 0; i < *count; ++i)
    handles[i] = reinterpret_cast<void*>((static_cast<uintptr_t>(first) + i + 1) * kHandle);
}

void Fill(int card, AsicInfo& to) {
  const amd::Node& node = Card(card);
  to = {};
  world::CopyText(to.market_name, sizeof(to.market_name), NameOf(card));
  to.vendor_id = 0x1002;
  world::CopyText(to.vendor_name, sizeof(to.vendor_name), "Advanced Micro Devices Inc. [AMD/ATI]");
  to.subvendor_id = 0x1002;
  to.device_id = node.device_id;
  world::TextWriter(to.asic_serial, sizeof(to.asic_serial)).Add("0x").Hex(node.unique_id, 16);
  to.oam_id = UINT32_MAX;
  to.num_of_compute_units = node.simd_per_cu == 0 ? 0 : node.simd_count / node.simd_per_cu;
  const amd::Target target = amd::TargetOf(node.gfx_target_version);
  to.target_graphics_version = target.major << 8 | target.minor << 4 | target.stepping;
}

const char* TextOf(int32_t status) {
  switch (status) {
    case AMDSMI_STATUS_SUCCESS: return "AMDSMI_STATUS_SUCCESS: Call succeeded.";
    case AMDSMI_STATUS_INVAL: return "AMDSMI_STATUS_INVAL: Invalid parameters.";
    case AMDSMI_STATUS_NOT_SUPPORTED: return "AMDSMI_STATUS_NOT_SUPPORTED: Feature not supported.";
    case AMDSMI_STATUS_NOT_FOUND: return "AMDSMI_STATUS_NOT_FOUND: Device not found.";
    case AMDSMI_STATUS_NOT_INIT: return "AMDSMI_STATUS_NOT_INIT: Device not initialized.";
    case AMDSMI_STATUS_DRIVER_NOT_LOADED:
      return "AMDSMI_STATUS_DRIVER_NOT_LOADED: Processor driver not loaded.";
    default: return "AMDSMI_STATUS_UNKNOWN_ERROR: An unknown error occurred.";
  }
}

}  // namespace

#define ON(handle) CALL().On(PlaceOf(IndexOf(handle))), handle

extern "C" {

amdsmi_status_t amdsmi_init(uint64_t flags) {
  return static_cast<amdsmi_status_t>(world::Answer(CALL(flags), [] {
    return Find() ? AMDSMI_STATUS_SUCCESS : AMDSMI_STATUS_DRIVER_NOT_LOADED;
  }));
}

amdsmi_status_t amdsmi_shut_down() {
  return Started(CALL(), [](world::Call&) {
    Forget();
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_socket_handles(uint32_t* count, void** handles) {
  return Started(CALL(), [&](world::Call& call) {
    if (count == nullptr) return AMDSMI_STATUS_INVAL;
    List(0, Count(), count, handles);
    call.Gives(*count);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_processor_handles(void* socket, uint32_t* count, void** handles) {
  return Started(CALL(), [&](world::Call& call) {
    if (count == nullptr || !IsCard(IndexOf(socket))) return AMDSMI_STATUS_INVAL;
    List(static_cast<int>(IndexOf(socket)), 1, count, handles);
    call.Gives(*count);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_processor_handles_by_type(void* socket, int32_t type, void** handles,
                                                     uint32_t* count) {
  return Started(CALL(type), [&](world::Call& call) {
    if (count == nullptr || !IsCard(IndexOf(socket))) return AMDSMI_STATUS_INVAL;
    List(static_cast<int>(IndexOf(socket)), type == kAmdGpu ? 1 : 0, count, handles);
    call.Gives(*count);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_processor_type(void* handle, int32_t* type) {
  return OfCard(ON(handle), type, [&](int) {
    *type = kAmdGpu;
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_gpu_device_bdf(void* handle, uint64_t* address) {
  return OfCard(ON(handle), address, [&](int card) {
    *address = AddressOf(card);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_gpu_asic_info(void* handle, AsicInfo* info) {
  return OfCard(ON(handle), info, [&](int card) {
    Fill(card, *info);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_gpu_memory_total(void* handle, uint32_t kind, uint64_t* bytes) {
  return OfCard(ON(handle), bytes, [&](int card) {
    if (kind != kVram) return AMDSMI_STATUS_NOT_SUPPORTED;
    *bytes = Card(card).memory;
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_gpu_memory_usage(void* handle, uint32_t kind, uint64_t* bytes) {
  return OfCard(ON(handle), bytes, [&](int card) {
    if (kind != kVram) return AMDSMI_STATUS_NOT_SUPPORTED;
    *bytes = UsedOf(card);
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_gpu_vram_usage(void* handle, VramUsage* usage) {
  return OfCard(ON(handle), usage, [&](int card) {
    *usage = {static_cast<uint32_t>(Card(card).memory >> 20),
              static_cast<uint32_t>(UsedOf(card) >> 20),
              {}};
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_get_lib_version(LibraryVersion* version) {
  return Started(CALL(), [&](world::Call&) {
    if (version == nullptr) return AMDSMI_STATUS_INVAL;
    *version = {26, 0, 2, "26.0.2"};
    return AMDSMI_STATUS_SUCCESS;
  });
}

amdsmi_status_t amdsmi_status_code_to_string(int32_t status, const char** text) {
  return static_cast<amdsmi_status_t>(world::Answer(CALL(status), [&] {
    if (text == nullptr) return AMDSMI_STATUS_INVAL;
    *text = TextOf(status);
    return AMDSMI_STATUS_SUCCESS;
  }));
}

}  // extern "C"
