// librocm_smi64: starts, counts cards, tells what they are called and what memory they have.
#include <cstring>

#include "fakes/smi/cards.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"
#include "fakes/world/text.h"

// rsmi_status_t of rocm_smi.h.
enum rsmi_status_t : int32_t {
  RSMI_STATUS_SUCCESS = 0,
  RSMI_STATUS_INVALID_ARGS = 1,
  RSMI_STATUS_NOT_SUPPORTED = 2,
  RSMI_STATUS_INSUFFICIENT_SIZE = 11,
  RSMI_STATUS_INIT_ERROR = 8,
};

namespace gpustage::world {
const int32_t kNotSupported = RSMI_STATUS_NOT_SUPPORTED;
const int32_t kDeviceLost = RSMI_STATUS_INIT_ERROR;
int32_t AnswerOfStub(const char*) {
  return smi::IsOpen() ? RSMI_STATUS_NOT_SUPPORTED : RSMI_STATUS_INIT_ERROR;
}
}  // namespace gpustage::world

using namespace gpustage;
using namespace gpustage::smi;

namespace {

struct Version {
  uint32_t major, minor, patch;
  const char* build;
};

constexpr uint32_t kVram = 0;
constexpr uint16_t kAmd = 0x1002;

template <typename Body>
rsmi_status_t OfCard(world::Call&& call, uint32_t device, const void* room, Body body) {
  return static_cast<rsmi_status_t>(world::Answer(call, [&]() -> rsmi_status_t {
    if (!IsOpen()) return RSMI_STATUS_INIT_ERROR;
    if (!IsCard(device) || room == nullptr) return RSMI_STATUS_INVALID_ARGS;
    return body(static_cast<int>(device));
  }));
}

const char* TextOf(rsmi_status_t status) {
  switch (status) {
    case RSMI_STATUS_SUCCESS:
      return "RSMI_STATUS_SUCCESS: The function has been executed successfully.";
    case RSMI_STATUS_INVALID_ARGS:
      return "RSMI_STATUS_INVALID_ARGS: The provided arguments do not meet the preconditions "
             "required for calling this function.";
    case RSMI_STATUS_NOT_SUPPORTED:
      return "RSMI_STATUS_NOT_SUPPORTED: This function is not supported in the current "
             "environment.";
    case RSMI_STATUS_INIT_ERROR:
      return "RSMI_STATUS_INIT_ERROR: An error occurred during initialization, during monitor "
             "discovery or when when initializing internal data structures";
    default:
      return "RSMI_STATUS_UNKNOWN_ERROR: An unknown error prevented the call from completing "
             "successfully";
  }
}

}  // namespace

#define OF(device) CALL(device).On(PlaceOf(device)), device

extern "C" {

rsmi_status_t rsmi_init(uint64_t) {
  return static_cast<rsmi_status_t>(
      world::Answer(CALL(), [] { return Find() ? RSMI_STATUS_SUCCESS : RSMI_STATUS_INIT_ERROR; }));
}

rsmi_status_t rsmi_shut_down() {
  return static_cast<rsmi_status_t>(world::Answer(CALL(), [] {
    if (!IsOpen()) return RSMI_STATUS_INIT_ERROR;
    Forget();
    return RSMI_STATUS_SUCCESS;
  }));
}

rsmi_status_t rsmi_num_monitor_devices(uint32_t* count) {
  world::Call call(__func__, "");
  return static_cast<rsmi_status_t>(world::Answer(call, [&] {
    if (!IsOpen()) return RSMI_STATUS_INIT_ERROR;
    if (count == nullptr) return RSMI_STATUS_INVALID_ARGS;
    *count = static_cast<uint32_t>(Count());
    call.Gives(Count());
    return RSMI_STATUS_SUCCESS;
  }));
}

rsmi_status_t rsmi_dev_name_get(uint32_t device, char* name, size_t size) {
  return OfCard(OF(device), name, [&](int card) {
    return world::CopyText(name, size, NameOf(card)) ? RSMI_STATUS_SUCCESS
                                                     : RSMI_STATUS_INSUFFICIENT_SIZE;
  });
}

rsmi_status_t rsmi_dev_id_get(uint32_t device, uint16_t* id) {
  return OfCard(OF(device), id, [&](int card) {
    *id = static_cast<uint16_t>(Card(card).device_id);
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_vendor_id_get(uint32_t device, uint16_t* id) {
  return OfCard(OF(device), id, [&](int) {
    *id = kAmd;
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_vendor_name_get(uint32_t device, char* name, size_t size) {
  return OfCard(OF(device), name, [&](int) {
    return world::CopyText(name, size, "Advanced Micro Devices, Inc. [AMD/ATI]")
               ? RSMI_STATUS_SUCCESS
               : RSMI_STATUS_INSUFFICIENT_SIZE;
  });
}

rsmi_status_t rsmi_dev_memory_total_get(uint32_t device, uint32_t kind, uint64_t* bytes) {
  return OfCard(OF(device), bytes, [&](int card) {
    if (kind != kVram) return RSMI_STATUS_NOT_SUPPORTED;
    *bytes = Card(card).memory;
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_memory_usage_get(uint32_t device, uint32_t kind, uint64_t* bytes) {
  return OfCard(OF(device), bytes, [&](int card) {
    if (kind != kVram) return RSMI_STATUS_NOT_SUPPORTED;
    *bytes = UsedOf(card);
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_pci_id_get(uint32_t device, uint64_t* address) {
  return OfCard(OF(device), address, [&](int card) {
    *address = static_cast<uint64_t>(Card(card).domain) << 32 | Card(card).location_id;
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_unique_id_get(uint32_t device, uint64_t* id) {
  return OfCard(OF(device), id, [&](int card) {
    if (Card(card).unique_id == 0) return RSMI_STATUS_NOT_SUPPORTED;
    *id = Card(card).unique_id;
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_dev_drm_render_minor_get(uint32_t device, uint32_t* minor) {
  return OfCard(OF(device), minor, [&](int card) {
    *minor = Card(card).render_minor;
    return RSMI_STATUS_SUCCESS;
  });
}

rsmi_status_t rsmi_version_get(Version* version) {
  return static_cast<rsmi_status_t>(world::Answer(CALL(), [&] {
    if (version == nullptr) return RSMI_STATUS_INVALID_ARGS;
    *version = {5, 0, 0, "5.2.3"};
    return RSMI_STATUS_SUCCESS;
  }));
}

rsmi_status_t rsmi_status_string(rsmi_status_t status, const char** text) {
  return static_cast<rsmi_status_t>(world::Answer(CALL(status), [&] {
    if (text == nullptr) return RSMI_STATUS_INVALID_ARGS;
    *text = TextOf(status);
    return RSMI_STATUS_SUCCESS;
  }));
}

}  // extern "C"
