#include "fakes/amd/topology.h"

#include <fcntl.h>

#include "fakes/world/kernel_side.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::amd {
namespace {

using world::Here;
using world::Text;

constexpr char kNodes[] = "/sys/class/kfd/kfd/topology/nodes/";

// "name value" lines, as amdkfd writes them.
class Fields {
 public:
  explicit Fields(const char* path) {
    const long length = world::ReadFile(path, text_, sizeof(text_) - 1);
    text_[length] = '\0';
    read_ = length > 0;
  }
  bool read() const { return read_; }
  uint64_t Get(const char* name) const {
    const size_t length = strlen(name);
    for (const char* line = text_; line != nullptr && *line != '\0'; line = Next(line))
      if (strncmp(line, name, length) == 0 && line[length] == ' ') return Number(line + length + 1);
    return 0;
  }

 private:
  static const char* Next(const char* line) {
    const char* const end = strchr(line, '\n');
    return end == nullptr ? nullptr : end + 1;
  }
  static uint64_t Number(const char* digits) {
    uint64_t number = 0;
    for (; *digits >= '0' && *digits <= '9'; ++digits)
      number = number * 10 + static_cast<uint64_t>(*digits - '0');
    return number;
  }
  char text_[4096];
  bool read_;
};

uint64_t NumberIn(const char* path, bool* there) {
  char text[32];
  const long length = world::ReadFile(path, text, sizeof(text) - 1);
  text[length] = '\0';
  *there = length > 0;
  uint64_t number = 0;
  for (const char* at = text; *at >= '0' && *at <= '9'; ++at)
    number = number * 10 + static_cast<uint64_t>(*at - '0');
  return number;
}

void Fill(const Fields& from, Node& to) {
  const auto get = [&](const char* name) { return static_cast<uint32_t>(from.Get(name)); };
  to.simd_count = get("simd_count");
  to.simd_per_cu = get("simd_per_cu");
  to.wave_front_size = get("wave_front_size");
  to.gfx_target_version = get("gfx_target_version");
  to.device_id = get("device_id");
  to.location_id = get("location_id");
  to.domain = get("domain");
  to.render_minor = get("drm_render_minor");
  to.cpu_cores = get("cpu_cores_count");
  to.megahertz = get("max_engine_clk_fcompute");
  to.cpu_megahertz = get("max_engine_clk_ccompute");
  to.unique_id = from.Get("unique_id");
}

void FillMemory(int number, Node& to) {
  Text<128> path;
  path.Add(kNodes).Decimal(number).Add("/mem_banks/0/properties");
  const Fields bank(path.c_str());
  to.memory = bank.Get("size_in_bytes");
  to.memory_width = static_cast<uint32_t>(bank.Get("width"));
  to.memory_megahertz = static_cast<uint32_t>(bank.Get("mem_clk_max"));
}

enum class Found { kYes, kSkipped, kBroken, kNoFolder };

Found ReadNode(int number, Nodes how, Node& to) {
  Text<128> id_path, path;
  id_path.Add(kNodes).Decimal(number).Add("/gpu_id");
  bool there = false;
  const uint64_t id = NumberIn(id_path.c_str(), &there);
  if (!there) return Found::kNoFolder;
  path.Add(kNodes).Decimal(number).Add("/properties");
  const Fields fields(path.c_str());
  if (!fields.read()) return Found::kBroken;
  to = {};
  to.number = number;
  to.place = -1;
  Fill(fields, to);
  FillMemory(number, to);
  if (id == 0) return Found::kYes;  // a processor
  to.place = PlaceAt(to.domain, to.location_id);
  if (how == Nodes::kOnlyRead) return Found::kYes;
  if (to.render_minor == 0) return Found::kBroken;
  Text<32> node;
  node.Add("dri/renderD").Decimal(to.render_minor);
  switch (world::NodeCalled(node.c_str())) {
    case world::Node::kThere: return Found::kYes;
    case world::Node::kMissing: return Found::kSkipped;
    default: return Found::kBroken;
  }
}

}  // namespace

// A machine without a GPU has none, and nobody looks.
bool KfdIsThere() {
  return Here().device_nodes[0] != 0 && world::NodeCalled("kfd") == world::Node::kThere;
}

int ReadTopology(Nodes how, Node (&nodes)[kMaxNodes]) {
  int count = 0;
  for (int number = 0; number < kMaxNodes; ++number) {
    switch (ReadNode(number, how, nodes[count])) {
      case Found::kYes: ++count; break;
      case Found::kSkipped: break;
      case Found::kBroken: return -1;
      case Found::kNoFolder: return number == 0 ? -1 : count;
    }
  }
  return count;
}

void GfxName(const Target& target, char* name, size_t size) {
  world::TextWriter(name, size)
      .Add("gfx")
      .Decimal(target.major)
      .Hex(target.minor)
      .Hex(target.stepping);
}

int PlaceAt(uint32_t domain, uint32_t location_id) {
  const world::World& world = Here();
  const uint32_t first = world.device_count + world.board_count;
  for (uint32_t i = first; i < first + world.other_count; ++i) {
    const world::Device& device = world.devices[i];
    if (device.pci_domain == domain &&
        (device.pci_bus << 8 | device.pci_device << 3) == (location_id & ~7u))
      return static_cast<int>(i);
  }
  return -1;
}

}  // namespace gpustage::amd
