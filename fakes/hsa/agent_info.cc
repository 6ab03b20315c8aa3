// What an agent, its instruction set and its memory are.
#include <cstring>

#include "fakes/hsa/agents.h"
#include "fakes/world/call.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

using namespace gpustage;
using namespace gpustage::hsa;

namespace {

constexpr size_t kNameRoom = 64;
constexpr uint64_t kHostMemory = 32ull << 30;

hsa_status_t PutText(void* to, const char* text) {
  world::CopyText(static_cast<char*>(to), kNameRoom, text);
  return HSA_STATUS_SUCCESS;
}

const char* ProductOf(const Agent& agent) {
  if (!agent.is_gpu) return "AMD Ryzen 9 7950X 16-Core Processor";
  return agent.node.place < 0 ? "AMD Radeon Graphics"
                              : world::Here().devices[agent.node.place].name;
}

hsa_status_t PutUuid(const Agent& agent, void* to) {
  if (!agent.is_gpu) return PutText(to, "CPU-XX");
  if (agent.node.unique_id == 0) return PutText(to, "GPU-XX");
  world::Text<32> uuid;
  uuid.Add("GPU-").Hex(agent.node.unique_id, 16);
  memcpy(to, uuid.c_str(), 21);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t PutName(const Agent& agent, void* to) {
  if (!agent.is_gpu) return PutText(to, ProductOf(agent));
  char name[kNameRoom] = {};
  amd::GfxName(agent.target, name, sizeof(name));
  return PutText(to, name);
}

uint32_t Units(const Agent& agent) {
  if (!agent.is_gpu) return agent.node.cpu_cores;
  return agent.node.simd_per_cu == 0 ? 0 : agent.node.simd_count / agent.node.simd_per_cu;
}

struct Dimensions {
  uint16_t x, y, z;
};
struct Grid {
  uint32_t x, y, z;
};

hsa_status_t Standard(const Agent& agent, hsa_agent_info_t what, void* to) {
  const bool gpu = agent.is_gpu;
  switch (what) {
    case 0: return PutName(agent, to);
    case 1: return PutText(to, gpu ? "AMD" : "CPU");
    case 2: return Put(to, int32_t{gpu ? 1 : 0});
    case 3: return Put(to, int32_t{1});
    case 4: return Put(to, int32_t{gpu ? 0 : 1});
    case 5:
    case 23: return Put(to, int32_t{2});
    case 6: return Put(to, gpu ? agent.node.wave_front_size : 0u);
    case 7: return Put(to, gpu ? Dimensions{1024, 1024, 1024} : Dimensions{0, 0, 0});
    case 8: return Put(to, uint32_t{gpu ? 1024u : 0u});
    case 9: return Put(to, gpu ? Grid{UINT32_MAX, UINT32_MAX, UINT32_MAX} : Grid{0, 0, 0});
    case 10: return Put(to, gpu ? UINT32_MAX : 0u);
    case 11: return Put(to, uint32_t{gpu ? 32u : 0u});
    case 12: return Put(to, uint32_t{gpu ? 128u : 0u});
    case 13: return Put(to, uint32_t{gpu ? 64u : 0u});
    case 14: return Put(to, uint32_t{gpu ? 131072u : 0u});
    case 15: return Put(to, int32_t{0});
    case 16: return Put(to, static_cast<uint32_t>(agent.order));
    case 17: return Put(to, int32_t{gpu ? 1 : 0});
    case 18:
      return Put(to, Grid{32768, gpu ? 0u : 1048576u, 0}), Put(static_cast<char*>(to) + 12, 0u);
    case 19: return Put(to, gpu ? static_cast<uint64_t>(agent.order) + 1 : 0);
    case 20: memset(to, 0, 128); return HSA_STATUS_SUCCESS;
    case 21: return Put(to, uint16_t{1});
    case 22: return Put(to, uint16_t{1});
    case 24: return Put(to, gpu);  // fast operations of 16 bits
    default: return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  }
}

// 0xa000 and on, AMD's own.
hsa_status_t Amds(const Agent& agent, hsa_agent_info_t what, void* to) {
  const amd::Node& node = agent.node;
  switch (what & 0xfff) {
    case 0x000: return Put(to, node.device_id);
    case 0x001: return Put(to, uint32_t{agent.is_gpu ? 128u : 64u});
    case 0x002: return Put(to, Units(agent));
    case 0x003: return Put(to, agent.is_gpu ? node.megahertz : node.cpu_megahertz);
    case 0x004: return Put(to, static_cast<uint32_t>(node.number));
    case 0x005: return Put(to, uint32_t{agent.is_gpu ? 4u : 1u});
    case 0x006: return Put(to, node.location_id);
    case 0x007: return Put(to, node.memory_width);
    case 0x008: return Put(to, node.memory_megahertz);
    case 0x009: return PutText(to, ProductOf(agent));
    case 0x00a: return Put(to, uint32_t{agent.is_gpu ? 32u : 0u});
    case 0x00b: return Put(to, agent.is_gpu ? node.simd_per_cu : 0u);
    case 0x00c:
    case 0x00d: return Put(to, uint32_t{agent.is_gpu ? 1u : 0u});
    case 0x00f: return Put(to, node.domain);
    case 0x010: return Put(to, agent.is_gpu);
    case 0x011: return PutUuid(agent, to);
    case 0x012: return Put(to, uint32_t{0});
    case 0x013: return Put(to, false);
    case 0x014: return Put(to, Units(agent));
    case 0x015: return Put(to, node.memory);
    case 0x016: return Put(to, uint64_t{100000000});
    case 0x107:
    case 0x108:
    case 0x109:
    case 0x10a:
    case 0x10b: return Put(to, uint32_t{0});
    case 0x110: return Put(to, int32_t{0});
    case 0x111: return Put(to, uint32_t{agent.is_gpu ? 1u : 0u});
    case 0x113: return Put(to, HandleOf(0));
    case 0x114: memset(to, 0, 8); return HSA_STATUS_SUCCESS;
    default: return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  }
}

// "amdgcn-amd-amdhsa--gfx1100"; which features a target was built with is not told.
world::TextWriter& AddIsa(const Agent& agent, world::TextWriter& out) {
  char name[kNameRoom] = {};
  amd::GfxName(agent.target, name, sizeof(name));
  return out.Add("amdgcn-amd-amdhsa--").Add(name);
}

const Agent* OfOrder(uint64_t isa) {
  for (int i = 0; i < AgentCount(); ++i) {
    const Agent* const agent = AgentOf(HandleOf(i));
    if (agent->is_gpu && static_cast<uint64_t>(agent->order) + 1 == isa) return agent;
  }
  return nullptr;
}

// A pool of an agent: its own memory, and of a GPU the memory of a work group.
constexpr uint64_t kPoolsOfOne = 2;
hsa_status_t Pool(const Agent& agent, bool of_group, hsa_amd_memory_pool_info_t what, void* to) {
  const uint64_t bytes = of_group ? 65536 : agent.is_gpu ? agent.node.memory : kHostMemory;
  switch (what) {
    case 0: return Put(to, int32_t{of_group ? 3 : 0});
    case 1: return Put(to, uint32_t{of_group ? 0u : agent.is_gpu ? 4u : 3u});
    case 2:
    case 16: return Put(to, bytes);
    case 5: return Put(to, !of_group);
    case 6:
    case 7:
    case 18: return Put(to, uint64_t{of_group ? 0u : 4096u});
    case 15: return Put(to, !agent.is_gpu);
    case 17: return Put(to, int32_t{agent.is_gpu ? 1 : 0});
    default: return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  }
}

}  // namespace

extern "C" {

hsa_status_t hsa_agent_get_info(hsa_agent_t handle, hsa_agent_info_t what, void* value) {
  const Agent* const agent = AgentOf(handle);
  return static_cast<hsa_status_t>(
      world::Answer(CALL(what).On(agent == nullptr ? -1 : agent->node.place), [&] {
        if (agent == nullptr) return HSA_STATUS_ERROR_INVALID_AGENT;
        if (value == nullptr) return HSA_STATUS_ERROR_INVALID_ARGUMENT;
        return what < 0xa000 ? Standard(*agent, what, value) : Amds(*agent, what, value);
      }));
}

hsa_status_t hsa_agent_iterate_isas(hsa_agent_t handle, hsa_status_t (*callback)(hsa_isa_t, void*),
                                    void* data) {
  return static_cast<hsa_status_t>(world::Answer(CALL(), [&] {
    const Agent* const agent = AgentOf(handle);
    if (agent == nullptr) return HSA_STATUS_ERROR_INVALID_AGENT;
    if (!agent->is_gpu) return HSA_STATUS_ERROR_INVALID_AGENT;  // rocminfo says N/A of it
    return callback({static_cast<uint64_t>(agent->order) + 1}, data);
  }));
}

hsa_status_t hsa_isa_get_info_alt(hsa_isa_t isa, hsa_isa_info_t what, void* value) {
  return static_cast<hsa_status_t>(world::Answer(CALL(what), [&] {
    const Agent* const agent = OfOrder(isa.handle);
    if (agent == nullptr) return HSA_STATUS_ERROR_INVALID_ISA;
    world::Text<80> name;
    AddIsa(*agent, name);
    switch (what) {
      case 0: return Put(value, static_cast<uint32_t>(name.length() + 1));
      case 1: memcpy(value, name.c_str(), name.length() + 1); return HSA_STATUS_SUCCESS;
      case 5: return Put(value, uint16_t{0x100});
      case 6: return Put(value, uint16_t{1});
      case 7:
      case 8: memset(value, 0, 3); return HSA_STATUS_SUCCESS;
      case 12: return Put(value, Dimensions{1024, 1024, 1024});
      case 13: return Put(value, uint32_t{1024});
      case 14: return Put(value, Grid{UINT32_MAX, UINT32_MAX, UINT32_MAX});
      case 16: return Put(value, uint64_t{UINT32_MAX});
      case 17: return Put(value, uint32_t{32});
      default: return Put(value, false);
    }
  }));
}

hsa_status_t hsa_amd_agent_iterate_memory_pools(
    hsa_agent_t handle, hsa_status_t (*callback)(hsa_amd_memory_pool_t, void*), void* data) {
  return static_cast<hsa_status_t>(world::Answer(CALL(), [&] {
    const Agent* const agent = AgentOf(handle);
    if (agent == nullptr) return HSA_STATUS_ERROR_INVALID_AGENT;
    for (uint64_t i = 0; i < (agent->is_gpu ? kPoolsOfOne : 1); ++i)
      if (const hsa_status_t said = callback({handle.handle * kPoolsOfOne + i}, data);
          said != HSA_STATUS_SUCCESS)
        return said;
    return HSA_STATUS_SUCCESS;
  }));
}

hsa_status_t hsa_amd_memory_pool_get_info(hsa_amd_memory_pool_t pool,
                                          hsa_amd_memory_pool_info_t what, void* value) {
  const Agent* const agent = AgentOf({pool.handle / kPoolsOfOne});
  return static_cast<hsa_status_t>(
      world::Answer(CALL(what).On(agent == nullptr ? -1 : agent->node.place), [&] {
        if (agent == nullptr) return HSA_STATUS_ERROR_INVALID_ARGUMENT;
        return Pool(*agent, pool.handle % kPoolsOfOne != 0, what, value);
      }));
}

}  // extern "C"
