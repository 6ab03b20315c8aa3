#include "fakes/smi/cards.h"

#include <cstring>

#include "fakes/world/fault.h"
#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

namespace gpustage::smi {
namespace {

amd::Node g_cards[amd::kMaxNodes];
int g_count = 0;
int g_open = 0;

}  // namespace

bool Find() {
  char state[8];
  const long length = world::ReadFile("/sys/module/amdgpu/initstate", state, sizeof(state));
  if (length < 4 || memcmp(state, "live", 4) != 0) return false;
  static amd::Node nodes[amd::kMaxNodes];
  const int count = amd::ReadTopology(amd::Nodes::kOnlyRead, nodes);
  g_count = 0;
  for (int i = 0; i < count; ++i)
    if (nodes[i].simd_count > 0) g_cards[g_count++] = nodes[i];
  __atomic_store_n(&g_open, 1, __ATOMIC_RELEASE);
  return true;
}

void Forget() { __atomic_store_n(&g_open, 0, __ATOMIC_RELEASE); }
bool IsOpen() { return __atomic_load_n(&g_open, __ATOMIC_ACQUIRE) != 0; }
int Count() { return IsOpen() ? g_count : 0; }
const amd::Node& Card(int index) { return g_cards[index]; }

const char* NameOf(int index) {
  const int place = Card(index).place;
  return place < 0 ? "AMD Radeon Graphics" : world::Here().devices[place].name;
}

uint64_t UsedOf(int index) {
  const int place = Card(index).place;
  if (place < 0) return 0;
  const world::Device& device = world::Here().devices[place];
  return device.memory_total - world::FreeMemory(device, place);
}

uint64_t AddressOf(int index) {
  const amd::Node& card = Card(index);
  return static_cast<uint64_t>(card.domain) << 16 | (card.location_id & 0xffff);
}

}  // namespace gpustage::smi
