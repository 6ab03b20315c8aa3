// libhsa-runtime64: begins, lists agents, and tells what they are. Nothing is queued or run.
#include <cstring>

#include "fakes/hsa/agents.h"
#include "fakes/hsa/types.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

namespace gpustage::world {
const int32_t kNotSupported = HSA_STATUS_ERROR;
const int32_t kDeviceLost = HSA_STATUS_ERROR_OUT_OF_RESOURCES;
}  // namespace gpustage::world

using namespace gpustage;
using namespace gpustage::hsa;

namespace {

constexpr uint16_t kVersion = 1;
constexpr uint16_t kMinor = GPUSTAGE_ROCM_MAJOR >= 6 ? 14 : 1;
constexpr uint64_t kTicks = 100000000;

// How often the process began it and has not yet ended it.
int32_t g_users = 0;
int32_t g_lock = 0;

// By the process that holds it: in a child of a fork nobody lives who would give back its parent's.
class Locked {
 public:
  Locked() {
    const auto self = static_cast<int32_t>(world::SystemCall(SYS_getpid));
    for (;;) {
      int32_t holder = __atomic_load_n(&g_lock, __ATOMIC_RELAXED);
      if (holder == self)
        world::SystemCall(SYS_sched_yield);
      else if (__atomic_compare_exchange_n(&g_lock, &holder, self, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED))
        return;
    }
  }
  ~Locked() { __atomic_store_n(&g_lock, 0, __ATOMIC_RELEASE); }
};

hsa_status_t Begin() {
  const Locked locked;
  if (g_users == 0) {
    const hsa_status_t found = FindAgents();
    if (found != HSA_STATUS_SUCCESS) return found;
  }
  ++g_users;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t End() {
  const Locked locked;
  if (g_users == 0) return HSA_STATUS_ERROR_NOT_INITIALIZED;
  --g_users;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t System(hsa_system_info_t what, void* value) {
  switch (what) {
    case 0: return Put(value, kVersion);
    case 1: return Put(value, kMinor);
    case 2: return Put(value, uint64_t{1});
    case 3: return Put(value, kTicks);
    case 4: return Put(value, UINT64_MAX);
    case 5: return Put(value, int32_t{0});
    case 6: return Put(value, int32_t{1});
    case 7: memset(value, 0, 128); return HSA_STATUS_SUCCESS;
    default: return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  }
}

const char* TextOf(hsa_status_t status) {
  switch (status) {
    case HSA_STATUS_SUCCESS:
      return "HSA_STATUS_SUCCESS: The function has been executed successfully.";
    case HSA_STATUS_INFO_BREAK:
      return "HSA_STATUS_INFO_BREAK: A traversal over a list of elements has been interrupted by "
             "the application before completing.";
    case HSA_STATUS_ERROR: return "HSA_STATUS_ERROR: A generic error has occurred.";
    case HSA_STATUS_ERROR_INVALID_ARGUMENT:
      return "HSA_STATUS_ERROR_INVALID_ARGUMENT: One of the actual arguments does not meet a "
             "precondition stated in the documentation of the corresponding formal argument.";
    case HSA_STATUS_ERROR_INVALID_AGENT:
      return "HSA_STATUS_ERROR_INVALID_AGENT: The agent is invalid.";
    case HSA_STATUS_ERROR_OUT_OF_RESOURCES:
      return "HSA_STATUS_ERROR_OUT_OF_RESOURCES: The runtime failed to allocate the necessary "
             "resources. This error may also occur when the core runtime library needs to spawn "
             "threads or create internal OS-specific events.";
    case HSA_STATUS_ERROR_NOT_INITIALIZED:
      return "HSA_STATUS_ERROR_NOT_INITIALIZED: An API other than hsa_init has been invoked while "
             "the reference count of the HSA runtime is zero.";
    case HSA_STATUS_ERROR_INVALID_ISA:
      return "HSA_STATUS_ERROR_INVALID_ISA: The instruction set architecture is invalid.";
    default: return nullptr;
  }
}

}  // namespace

#define STARTED(call, body)                                                                        \
  static_cast<hsa_status_t>(world::Answer(call, [&]() -> hsa_status_t {                            \
    if (__atomic_load_n(&g_users, __ATOMIC_ACQUIRE) == 0) return HSA_STATUS_ERROR_NOT_INITIALIZED; \
    body                                                                                           \
  }))

extern "C" {

// What a debugger looks for.
struct {
  int32_t version;
  void* map;
  uint64_t brk;
  int32_t state;
  uint64_t base;
} _amdgpu_r_debug = {};

hsa_status_t hsa_init() { return static_cast<hsa_status_t>(world::Answer(CALL(), Begin)); }
hsa_status_t hsa_shut_down() { return static_cast<hsa_status_t>(world::Answer(CALL(), End)); }

hsa_status_t hsa_status_string(hsa_status_t status, const char** text) {
  return static_cast<hsa_status_t>(world::Answer(CALL(status), [&] {
    const char* const known = TextOf(status);
    if (known == nullptr || text == nullptr) return HSA_STATUS_ERROR_INVALID_ARGUMENT;
    *text = known;
    return HSA_STATUS_SUCCESS;
  }));
}

hsa_status_t hsa_system_get_info(hsa_system_info_t what, void* value) {
  return STARTED(CALL(what), {
    return value == nullptr ? HSA_STATUS_ERROR_INVALID_ARGUMENT : System(what, value);
  });
}

hsa_status_t hsa_iterate_agents(hsa_status_t (*callback)(hsa_agent_t, void*), void* data) {
  world::Call call("hsa_iterate_agents", "");
  call.Gives(AgentCount());
  return STARTED(call, {
    if (callback == nullptr) return HSA_STATUS_ERROR_INVALID_ARGUMENT;
    for (int i = 0; i < AgentCount(); ++i)
      if (const hsa_status_t said = callback(HandleOf(i), data); said != HSA_STATUS_SUCCESS)
        return said;
    return HSA_STATUS_SUCCESS;
  });
}

}  // extern "C"
