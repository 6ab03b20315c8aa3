// AMD's GPUs as the thunk of HSA finds them: what amdkfd shows below /sys/class/kfd, and the nodes
// in /dev that it opens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fakes/world/format.h"

namespace gpustage::amd {

inline constexpr int kMaxNodes = 64;

struct Node {
  int number;  // of the folder
  int place;   // in World::devices, -1 where the machine has none at this address
  uint32_t simd_count;
  uint32_t simd_per_cu;
  uint32_t wave_front_size;
  uint32_t gfx_target_version;  // 90010 is gfx90a, 110000 gfx1100
  uint32_t device_id;
  uint32_t location_id;
  uint32_t domain;
  uint32_t render_minor;
  uint32_t cpu_cores;
  uint32_t megahertz;
  uint32_t cpu_megahertz;
  uint32_t memory_width;
  uint32_t memory_megahertz;
  uint64_t unique_id;
  uint64_t memory;
};

struct Target {
  uint32_t major, minor, stepping;
  friend bool operator==(const Target& a, const Target& b) {
    return a.major == b.major && a.minor == b.minor && a.stepping == b.stepping;
  }
};
inline Target TargetOf(uint32_t version) {
  return {version / 10000, version / 100 % 100, version % 100};
}

// /dev/kfd can be opened.
bool KfdIsThere();

// How many nodes there are, GPUs and processors; -1 where the topology cannot be read, or a render
// node refuses. A GPU whose render node is not there at all is left out, without a word. Who only
// reads /sys opens no nodes.
enum class Nodes { kOpened, kOnlyRead };
int ReadTopology(Nodes how, Node (&nodes)[kMaxNodes]);

// "gfx90a"
void GfxName(const Target& target, char* name, size_t size);

// The machine's device at a PCI address, -1: none.
int PlaceAt(uint32_t domain, uint32_t location_id);

}  // namespace gpustage::amd
