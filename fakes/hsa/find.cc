// How HSA comes to its agents: the topology of amdkfd, the mask, the override of the target, and
// the targets that this release knows.
#include <cstdlib>
#include <cstring>

#include "fakes/hsa/agents.h"
#include "fakes/world/text.h"

namespace gpustage::hsa {
namespace {

Agent g_agents[amd::kMaxNodes];
int g_count = 0;

// Source: runtime/hsa-runtime/core/runtime/isa.cpp; of 5.2 the names in Debian's library.
constexpr amd::Target kTargets[] = {
    {7, 0, 0},  {7, 0, 1},  {7, 0, 2},  {8, 0, 1},  {8, 0, 2},  {8, 0, 3},  {8, 0, 5},
    {8, 1, 0},  {9, 0, 0},  {9, 0, 2},  {9, 0, 4},  {9, 0, 6},  {9, 0, 8},  {9, 0, 9},
    {9, 0, 10}, {9, 0, 12}, {10, 1, 0}, {10, 1, 1}, {10, 1, 2}, {10, 1, 3}, {10, 3, 0},
    {10, 3, 1}, {10, 3, 2}, {10, 3, 3}, {10, 3, 4}, {10, 3, 5},
#if GPUSTAGE_ROCM_MAJOR >= 6
    {9, 4, 0},  {9, 4, 1},  {9, 4, 2},  {10, 3, 6}, {11, 0, 0}, {11, 0, 1}, {11, 0, 2},
    {11, 0, 3}, {11, 5, 0}, {11, 5, 1}, {11, 5, 2}, {12, 0, 0}, {12, 0, 1},
#endif
};

// "11.0.0", as the thunk reads it: three numbers and nothing behind them.
bool ReadVersion(const char* text, amd::Target* target) {
  uint32_t numbers[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (*text < '0' || *text > '9') return false;
    for (; *text >= '0' && *text <= '9'; ++text)
      numbers[i] = numbers[i] * 10 + static_cast<uint32_t>(*text - '0');
    if (i < 2 && *text++ != '.') return false;
  }
  if (*text != '\0' || numbers[0] > 63 || numbers[1] > 255 || numbers[2] > 255) return false;
  *target = {numbers[0], numbers[1], numbers[2]};
  return true;
}

// The target of a GPU, by the variable of its node, of all nodes, or the kernel. False: the
// variable says none.
bool FindTarget(Agent& agent) {
  world::Text<48> own;
  own.Add("HSA_OVERRIDE_GFX_VERSION_").Decimal(agent.order);
  const char* text = getenv(own.c_str());
  if (text == nullptr) text = getenv("HSA_OVERRIDE_GFX_VERSION");
  agent.target = amd::TargetOf(agent.node.gfx_target_version);
  return text == nullptr || ReadVersion(text, &agent.target);
}

constexpr size_t kShortestUuid = 5, kLongestUuid = 20;

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Which GPU's "GPU-0011223344556677" begins so; -1: none, or more than one.
int ByUuid(const char* token, size_t length, const amd::Node* const* gpus, int count) {
  if (length < kShortestUuid || length > kLongestUuid) return -1;
  int found = -1;
  for (int i = 0; i < count; ++i) {
    if (gpus[i]->unique_id == 0) continue;
    world::Text<32> uuid;
    uuid.Add("GPU-").Hex(gpus[i]->unique_id, 16);
    size_t same = 0;
    while (same < length && token[same] == Upper(uuid.c_str()[same])) ++same;
    if (same < length) continue;
    if (found != -1) return -1;
    found = i;
  }
  return found;
}

}  // namespace

bool IsKnown(const amd::Target& target) {
  for (const amd::Target& known : kTargets)
    if (known == target) return true;
  return false;
}

// The first token that names no GPU, or one that was named before, ends the list; no more tokens
// are read than there are GPUs.
int Choose(const char* mask, const amd::Node* const* gpus, int count,
           int (&chosen)[amd::kMaxNodes]) {
  int made = 0;
  for (int read = 0; read < count && *mask != '\0'; ++read) {
    const size_t whole = strcspn(mask, ",");
    char token[64] = {};
    size_t length = 0;
    for (size_t i = 0; i < whole && length + 1 < sizeof(token); ++i)
      if (mask[i] != ' ' && mask[i] != '\t') token[length++] = Upper(mask[i]);
    char* end = nullptr;
    const long place =
        token[0] == 'G' ? ByUuid(token, length, gpus, count) : strtol(token, &end, 0);
    if (length == 0 || (end != nullptr && *end != '\0') || place < 0 || place >= count) break;
    for (int i = 0; i < made; ++i)
      if (chosen[i] == place) return made;
    chosen[made++] = static_cast<int>(place);
    mask += whole + (mask[whole] == ',' ? 1 : 0);
  }
  return made;
}

hsa_status_t FindAgents() {
  g_count = 0;
  if (!amd::KfdIsThere()) return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  static amd::Node nodes[amd::kMaxNodes];
  const int count = amd::ReadTopology(amd::Nodes::kOpened, nodes);
  Agent found[amd::kMaxNodes];
  const amd::Node* gpus[amd::kMaxNodes];
  int orders[amd::kMaxNodes];
  int gpu_count = 0;
  for (int i = 0; i < count; ++i) {
    found[i] = {nodes[i], {}, nodes[i].simd_count > 0, i};
    // One that the variable gives no target takes all others with it.
    if (found[i].is_gpu && !FindTarget(found[i])) return HSA_STATUS_SUCCESS;
  }
  for (int i = 0; i < count; ++i) {
    if (found[i].node.cpu_cores > 0) {
      g_agents[g_count] = found[i];
      g_agents[g_count++].is_gpu = false;
    }
    if (!found[i].is_gpu) continue;
    orders[gpu_count] = i;
    gpus[gpu_count++] = &nodes[i];
  }
  int chosen[amd::kMaxNodes];
  const char* const mask = getenv("ROCR_VISIBLE_DEVICES");
  const int visible = mask == nullptr ? gpu_count : Choose(mask, gpus, gpu_count, chosen);
  for (int i = 0; i < visible && g_count < amd::kMaxNodes; ++i) {
    const Agent& gpu = found[orders[mask == nullptr ? i : chosen[i]]];
    if (IsKnown(gpu.target)) g_agents[g_count++] = gpu;  // any other without a word
  }
  return HSA_STATUS_SUCCESS;
}

int AgentCount() { return g_count; }

const Agent* AgentOf(hsa_agent_t agent) {
  return agent.handle == 0 || agent.handle > static_cast<uint64_t>(g_count)
             ? nullptr
             : &g_agents[agent.handle - 1];
}

hsa_agent_t HandleOf(int index) { return {static_cast<uint64_t>(index) + 1}; }

}  // namespace gpustage::hsa
