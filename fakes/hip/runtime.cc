// Beginning: HSA's GPUs in its order, cut by the masks.
#include "fakes/hip/runtime.h"

#include <cstdlib>
#include <cstring>

#include "fakes/hsa/types.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::world {
const int32_t kNotSupported = hipErrorNotSupported;
const int32_t kDeviceLost = hipErrorUnknown;
}  // namespace gpustage::world

namespace gpustage::hip {
namespace {

constexpr int kMaxDevices = amd::kMaxNodes;
// hsa_agent_info_t and hsa_amd_agent_info_t.
constexpr uint32_t kAgentName = 0, kWavefront = 6, kAgentDevice = 17;
constexpr uint32_t kUnits = 0xa002, kClock = 0xa003, kAddress = 0xa006, kWidth = 0xa007,
                   kMemoryClock = 0xa008, kProduct = 0xa009, kDomain = 0xa00f, kUuid = 0xa011;
constexpr uint32_t kPoolSegment = 0, kPoolSize = 2;
constexpr int32_t kIsGpu = 1, kGlobal = 0;

Facts g_facts[kMaxDevices];
int g_count = 0;

// Runs once a process; a child that was forked begins anew where its parent was inside.
int32_t g_owner = 0;
constexpr int32_t kDone = -1;
hipError_t g_result = hipSuccess;

template <typename T>
T Ask(hsa_agent_t agent, uint32_t what) {
  T value = {};
  hsa_agent_get_info(agent, what, &value);
  return value;
}

hsa_status_t TakePool(hsa_amd_memory_pool_t pool, void* to) {
  int32_t segment = -1;
  uint64_t bytes = 0;
  hsa_amd_memory_pool_get_info(pool, kPoolSegment, &segment);
  hsa_amd_memory_pool_get_info(pool, kPoolSize, &bytes);
  if (segment == kGlobal) *static_cast<uint64_t*>(to) += bytes;
  return HSA_STATUS_SUCCESS;
}

// "gfx90a" is 9.0.10: the last two are digits of their own.
amd::Target TargetOf(const char* gfx) {
  const auto digit = [](char c) {
    return static_cast<uint32_t>(c >= 'a' ? c - 'a' + 10 : c - '0');
  };
  const size_t length = strlen(gfx);
  amd::Target target = {};
  if (length < 6) return target;
  for (size_t i = 3; i + 2 < length; ++i) target.major = target.major * 10 + digit(gfx[i]);
  target.minor = digit(gfx[length - 2]);
  target.stepping = digit(gfx[length - 1]);
  return target;
}

void Fill(hsa_agent_t agent, Facts& to) {
  to = {};
  hsa_agent_get_info(agent, kAgentName, to.gfx);
  hsa_agent_get_info(agent, kProduct, to.name);
  hsa_agent_get_info(agent, kUuid, to.uuid);
  to.target = TargetOf(to.gfx);
  to.wave = Ask<uint32_t>(agent, kWavefront);
  to.units = Ask<uint32_t>(agent, kUnits);
  // From gfx10 on two compute units are one work group processor, and HIP counts those.
  to.multiprocessors = to.target.major >= 10 && to.units > 1 ? to.units / 2 : to.units;
  to.megahertz = Ask<uint32_t>(agent, kClock);
  to.memory_width = Ask<uint32_t>(agent, kWidth);
  to.memory_megahertz = Ask<uint32_t>(agent, kMemoryClock);
  to.domain = Ask<uint32_t>(agent, kDomain);
  const uint32_t address = Ask<uint32_t>(agent, kAddress);
  to.bus = address >> 8;
  to.device = address >> 3 & 31;
  to.place = amd::PlaceAt(to.domain, address);
  to.integrated = to.place < 0 ? 0 : world::Here().devices[to.place].integrated;
  hsa_amd_agent_iterate_memory_pools(agent, TakePool, &to.memory);
}

struct Found {
  Facts all[kMaxDevices];
  int count;
};
hsa_status_t Take(hsa_agent_t agent, void* to) {
  auto& found = *static_cast<Found*>(to);
  if (Ask<int32_t>(agent, kAgentDevice) == kIsGpu && found.count < kMaxDevices)
    Fill(agent, found.all[found.count++]);
  return HSA_STATUS_SUCCESS;
}

hipError_t Begin() {
  const hsa_status_t began = hsa_init();
  // No kernel driver is no error of the start: there is no GPU then.
  if (began == HSA_STATUS_ERROR_OUT_OF_RESOURCES) return hipSuccess;
  static Found found;
  found.count = 0;
  if (began != HSA_STATUS_SUCCESS || hsa_iterate_agents(Take, &found) != HSA_STATUS_SUCCESS)
    return hipErrorInvalidDevice;
  const char* mask = getenv("HIP_VISIBLE_DEVICES");
  if (mask == nullptr || *mask == '\0') mask = getenv("CUDA_VISIBLE_DEVICES");
  int chosen[kMaxDevices];
  const bool all = mask == nullptr || *mask == '\0';
  const int visible = all ? found.count : Visible(mask, found.all, found.count, chosen);
  for (int i = 0; i < visible; ++i) g_facts[i] = found.all[all ? i : chosen[i]];
  g_count = visible;
  return hipSuccess;
}

struct Thread {
  int current;
  hipError_t last;
};
constinit thread_local Thread t_thread;

}  // namespace

hipError_t Start() {
  for (;;) {
    int32_t owner = __atomic_load_n(&g_owner, __ATOMIC_ACQUIRE);
    if (owner == kDone) return g_result;
    const int32_t pid = world::ProcessId();
    if (owner == pid) {
      world::SystemCall(SYS_sched_yield);
    } else if (__atomic_compare_exchange_n(&g_owner, &owner, pid, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED)) {
      // Only the call that began it is told why it failed; every later one finds no device.
      const hipError_t result = Begin();
      __atomic_store_n(&g_owner, kDone, __ATOMIC_RELEASE);
      return result;
    }
  }
}

int DeviceCount() { return g_count; }
const Facts& Of(int device) { return g_facts[device]; }
bool IsDevice(int device) { return device >= 0 && device < g_count; }
int& Current() { return t_thread.current; }

hipError_t Remember(hipError_t error) { return t_thread.last = error; }
hipError_t LastError() { return t_thread.last; }

// A number as HIP itself would write it, or a part of a UUID. Anything else ends the list; what was
// named before counts once.
int Visible(const char* mask, const Facts* all, int count, int* chosen) {
  int made = 0;
  for (bool more = true; more;) {
    const size_t length = strcspn(mask, ",");
    world::Text<64> token;
    token.Add(mask, length < 63 ? length : 63);
    int place = -1;
    for (int i = 0; i < count && place < 0; ++i) {
      world::Text<16> number;
      number.Decimal(i);
      if (world::Equal(token.c_str(), number.c_str()) ||
          (strstr(token.c_str(), "GPU-") != nullptr &&
           strstr(all[i].uuid, token.c_str()) != nullptr))
        place = i;
    }
    if (place < 0) return made;
    bool known = false;
    for (int i = 0; i < made; ++i) known |= chosen[i] == place;
    if (!known) chosen[made++] = place;
    more = mask[length] == ',' && mask[length + 1] != '\0';
    mask += length + 1;
  }
  return made;
}

}  // namespace gpustage::hip
