#include "fakes/world/world.h"

#include <cstring>

#include "fakes/world/syscall.h"

using gpustage::world::Stamp;

// Written in the file when the fake is placed, long after this was compiled: everything reads it as
// volatile, so that no compiler puts the empty strings below into the code. The linker is told to
// keep it (-u).
extern "C" {
extern volatile Stamp gpustage_stamp;
volatile Stamp gpustage_stamp = {
    {'G', 'P', 'U', 'S', 'T', 'A', 'G', 'E', '-', 'S', 'T', 'A', 'M', 'P', '1', '\0'},
    0,
    0,
    {'\0'},
    {'\0'}};
}

namespace gpustage::world {
namespace {

// Of a copy without a world. Filled by the first call: all its bytes are zero in the file, so it
// costs no space there.
World g_empty;

const World* g_world = nullptr;

const World* OpenWorld() {
  unsigned long bytes = 0;
  const auto* world = static_cast<const World*>(
      Instance() == 0
          ? nullptr
          : MapFile(const_cast<const char*>(gpustage_stamp.world), /*writable=*/false, &bytes));
  if (world != nullptr && bytes >= sizeof(World) &&
      memcmp(world->magic, kWorldMagic, sizeof(kWorldMagic)) == 0 &&
      world->version == kWorldVersion && world->bytes == sizeof(World) &&
      world->device_count <= kMaxDevices &&
      world->board_count <= kMaxDevices - world->device_count &&
      world->other_count <= kMaxDevices - world->device_count - world->board_count &&
      world->fault_count <= kMaxFaults) {
    return world;
  }
  // A machine with a driver and no device; two threads that come here write the same bytes.
  g_empty.driver_cuda_version = 13000;
  memcpy(g_empty.driver_version, "580.159.04", 11);
  return &g_empty;
}

bool ComesBefore(const Device& a, const Device& b) {
  if (a.pci_domain != b.pci_domain) return a.pci_domain < b.pci_domain;
  if (a.pci_bus != b.pci_bus) return a.pci_bus < b.pci_bus;
  return a.pci_device < b.pci_device;
}

}  // namespace

long OwnCallMark() { return static_cast<long>(OwnCall(gpustage_stamp.mark)); }

uint16_t Instance() { return static_cast<uint16_t>(gpustage_stamp.instance); }

const char* JournalPath() { return const_cast<const char*>(gpustage_stamp.journal); }

// No lock: a lock that another thread holds while this one forks would hang the child. Who comes
// second throws its mapping away; the file stays mapped until the process ends.
const World& Here() {
  const World* world = __atomic_load_n(&g_world, __ATOMIC_ACQUIRE);
  if (world != nullptr) return *world;
  world = OpenWorld();
  const World* none = nullptr;
  if (!__atomic_compare_exchange_n(&g_world, &none, world, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    if (world != &g_empty) UnmapMemory(const_cast<World*>(world), sizeof(World));
    return *none;
  }
  return *world;
}

void SortByPci(const World& world, uint8_t* places, int count) {
  for (int i = 1; i < count; ++i) {
    const uint8_t moved = places[i];
    int to = i;
    for (; to > 0 && ComesBefore(world.devices[moved], world.devices[places[to - 1]]); --to)
      places[to] = places[to - 1];
    places[to] = moved;
  }
}

}  // namespace gpustage::world
