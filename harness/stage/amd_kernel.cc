// The names of files and fields are the kernel's (drivers/gpu/drm/amd/amdkfd/kfd_topology.c); what
// is a machine's own, such as where a GPU sits and its ids, is made up.
#include "harness/stage/amd_kernel.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "fakes/world/format.h"

namespace gpustage {
namespace {

constexpr char kTopology[] = "/sys/class/kfd/kfd/topology";
// CUdevice_attribute numbers, as a device file gives them.
constexpr int kClock = 13, kMemoryClock = 36, kMemoryWidth = 37, kPciId = 139;

struct Target {
  unsigned major, minor, stepping;
};
// "gfx90a" is 9.0.10.
Target TargetOf(const std::string& gfx) {
  const size_t minor = gfx.size() - 2;
  return {static_cast<unsigned>(std::atoi(gfx.substr(3, minor - 3).c_str())),
          static_cast<unsigned>(std::strtoul(gfx.substr(minor, 1).c_str(), nullptr, 16)),
          static_cast<unsigned>(std::strtoul(gfx.substr(minor + 1).c_str(), nullptr, 16))};
}

struct Address {
  unsigned domain = 0, bus = 0, device = 0, function = 0;
};
Address AddressOf(const GpuDevice& gpu) {
  Address at;
  std::sscanf(gpu.pci.c_str(), "%x:%x:%x.%x", &at.domain, &at.bus, &at.device, &at.function);
  return at;
}

int Attribute(const GpuDevice& gpu, int number) {
  const auto found = gpu.attributes.find(number);
  return found == gpu.attributes.end() ? 0 : found->second;
}

void Write(std::vector<TreeOp>& ops, std::string path, std::string content, FileMode mode = 0644) {
  ops.push_back({WriteFileOp{std::move(path), std::move(content), mode}, {}});
}

// The fields that a processor and a GPU have alike, in the kernel's order.
std::string NodeProperties(const std::vector<std::pair<const char*, uint64_t>>& own) {
  static constexpr const char* kFields[] = {"cpu_cores_count",
                                            "simd_count",
                                            "mem_banks_count",
                                            "caches_count",
                                            "io_links_count",
                                            "p2p_links_count",
                                            "cpu_core_id_base",
                                            "simd_id_base",
                                            "max_waves_per_simd",
                                            "lds_size_in_kb",
                                            "gds_size_in_kb",
                                            "num_gws",
                                            "wave_front_size",
                                            "array_count",
                                            "simd_arrays_per_engine",
                                            "cu_per_simd_array",
                                            "simd_per_cu",
                                            "max_slots_scratch_cu",
                                            "gfx_target_version",
                                            "vendor_id",
                                            "device_id",
                                            "location_id",
                                            "domain",
                                            "drm_render_minor",
                                            "hive_id",
                                            "num_sdma_engines",
                                            "num_sdma_xgmi_engines",
                                            "num_sdma_queues_per_engine",
                                            "num_cp_queues",
                                            "max_engine_clk_fcompute",
                                            "local_mem_size",
                                            "fw_version",
                                            "capability",
                                            "debug_prop",
                                            "sdma_fw_version",
                                            "unique_id",
                                            "num_xcc",
                                            "max_engine_clk_ccompute"};
  std::string text;
  for (const std::string_view field : kFields) {
    uint64_t value = 0;
    for (const auto& [name, is] : own)
      if (field == name) value = is;
    text += fmt::format("{} {}\n", field, value);
  }
  return text;
}

std::string Link(size_t from, size_t to) {
  return fmt::format(
      "type 2\nversion_major 0\nversion_minor 0\nnode_from {}\nnode_to {}\nweight 20\n"
      "min_latency 0\nmax_latency 0\nmin_bandwidth 312\nmax_bandwidth 31504\n"
      "recommended_transfer_size 0\nflags 1\n",
      from, to);
}

// The 64 bits that a discrete board has of its own; an integrated GPU has none.
uint64_t UniqueId(const GpuDevice& gpu) {
  uint64_t id = 0;
  for (size_t i = 8; i < gpu.uuid.size() && !gpu.integrated; ++i) id = id << 8 | gpu.uuid[i];
  return id;
}

std::string GpuProperties(const GpuDevice& gpu, size_t minor) {
  const Target target = TargetOf(gpu.gfx);
  const Address at = AddressOf(gpu);
  const bool is_rdna = target.major >= 10;
  const uint64_t units = gpu.sm_count > 0 ? static_cast<uint64_t>(gpu.sm_count) : 1;
  return NodeProperties(
      {{"simd_count", units * (is_rdna ? 2 : 4)},
       {"mem_banks_count", 1},
       {"io_links_count", 1},
       {"simd_id_base", 2147487744},
       {"max_waves_per_simd", is_rdna ? 16 : 8},
       {"lds_size_in_kb", 64},
       {"num_gws", 64},
       {"wave_front_size", is_rdna ? 32 : 64},
       {"array_count", units < 8 ? 1 : units / 8},
       {"simd_arrays_per_engine", units < 16 ? 1 : 2},
       {"cu_per_simd_array", units < 8 ? units : 8},
       {"simd_per_cu", is_rdna ? 2 : 4},
       {"max_slots_scratch_cu", 32},
       {"gfx_target_version", target.major * 10000 + target.minor * 100 + target.stepping},
       {"vendor_id", 0x1002},
       {"device_id", static_cast<unsigned>(Attribute(gpu, kPciId)) >> 16},
       {"location_id", at.bus << 8 | at.device << 3 | at.function},
       {"domain", at.domain},
       {"drm_render_minor", minor},
       {"num_sdma_engines", 2},
       {"num_sdma_queues_per_engine", 6},
       {"num_cp_queues", 8},
       {"max_engine_clk_fcompute", static_cast<unsigned>(Attribute(gpu, kClock)) / 1000},
       {"unique_id", UniqueId(gpu)},
       {"num_xcc", 1}});
}

void AddNode(std::vector<TreeOp>& ops, const GpuDevice& gpu, size_t node, size_t minor) {
  const std::string folder = fmt::format("{}/nodes/{}", kTopology, node);
  Write(ops, folder + "/gpu_id", fmt::format("{}\n", 41941 + 257 * (node - 1)));
  Write(ops, folder + "/name", "ip discovery\n");
  Write(ops, folder + "/properties", GpuProperties(gpu, minor));
  Write(ops, folder + "/mem_banks/0/properties",
        fmt::format("heap_type 1\nsize_in_bytes {}\nflags 0\nwidth {}\nmem_clk_max {}\n",
                    gpu.memory_total, Attribute(gpu, kMemoryWidth),
                    Attribute(gpu, kMemoryClock) / 1000));
  Write(ops, fmt::format("{}/nodes/0/io_links/{}/properties", kTopology, node - 1), Link(0, node));
  Write(ops, folder + "/io_links/0/properties", Link(node, 0));
}

// The PCI device behind a bridge of its own, and what points to it.
void AddCard(std::vector<TreeOp>& ops, const GpuDevice& gpu, size_t bridge, size_t card) {
  const std::string pci = fmt::format("pci0000:00/0000:00:{:02x}.0/{}", bridge, gpu.pci);
  const std::string folder = "/sys/devices/" + pci;
  const unsigned id = static_cast<unsigned>(Attribute(gpu, kPciId)) >> 16;
  const std::string render = fmt::format("renderD{}", 128 + card);
  const std::string name = fmt::format("card{}", card);
  for (const auto& [file, content] : std::vector<std::pair<std::string, std::string>>{
           {"vendor", "0x1002\n"},
           {"device", fmt::format("{:#06x}\n", id)},
           {"subsystem_vendor", "0x1002\n"},
           {"subsystem_device", "0x0e3b\n"},
           {"mem_info_vram_total", fmt::format("{}\n", gpu.memory_total)},
           {"mem_info_vram_used", fmt::format("{}\n", gpu.memory_total - gpu.memory_free)},
           {"numa_node", "0\n"},
           {"unique_id", fmt::format("{:016x}\n", UniqueId(gpu))},
           {"uevent", fmt::format("DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:{:04X}\n"
                                  "PCI_SUBSYS_ID=1002:0E3B\nPCI_SLOT_NAME={}\n",
                                  id, gpu.pci)},
           {"vbios_version", "113-EXT0000-001\n"},
           {"current_link_speed", "16.0 GT/s PCIe\n"},
           {fmt::format("drm/{}/dev", name), fmt::format("226:{}\n", card)},
           {fmt::format("drm/{}/dev", render), fmt::format("226:{}\n", 128 + card)}})
    Write(ops, fmt::format("{}/{}", folder, file), content);
  for (const std::string& node : {name, render}) {
    ops.push_back({SymlinkOp{fmt::format("{}/drm/{}/device", folder, node),
                             fmt::format("../../../{}", gpu.pci)},
                   {}});
    ops.push_back({SymlinkOp{fmt::format("/sys/class/drm/{}", node),
                             fmt::format("../../devices/{}/drm/{}", pci, node)},
                   {}});
  }
  ops.push_back({SymlinkOp{"/sys/bus/pci/devices/" + gpu.pci, "../../../devices/" + pci}, {}});
}

}  // namespace

std::vector<TreeOp> AmdKernelSide(const std::vector<GpuDevice>& others) {
  std::vector<TreeOp> ops;
  size_t nodes = 0;
  for (size_t i = 0; i < others.size(); ++i) {
    if (others[i].gfx.empty()) continue;
    AddNode(ops, others[i], ++nodes, 128 + i);
    AddCard(ops, others[i], nodes, i);
  }
  if (nodes == 0) return ops;
  Write(ops, "/sys/module/amdgpu/initstate", "live\n");
  Write(ops, fmt::format("{}/generation_id", kTopology), "2\n");
  Write(ops, fmt::format("{}/system_properties", kTopology),
        "platform_oem 0\nplatform_id 0\nplatform_rev 0\n");
  Write(ops, fmt::format("{}/nodes/0/gpu_id", kTopology), "0\n");
  Write(ops, fmt::format("{}/nodes/0/name", kTopology), "\n");
  Write(ops, fmt::format("{}/nodes/0/properties", kTopology),
        NodeProperties({{"cpu_cores_count", 16},
                        {"mem_banks_count", 1},
                        {"io_links_count", nodes},
                        {"max_engine_clk_ccompute", 4500}}));
  Write(ops, "/dev/kfd", fmt::format("{}kfd\n", world::kNodeContent), 0666);
  return ops;
}

}  // namespace gpustage
