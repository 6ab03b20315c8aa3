#include "fakes/vulkan/machine.h"

#include <cstring>

#include "fakes/vulkan/driver_version.h"
#include "fakes/world/fault.h"
#include "fakes/world/kernel_side.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::vulkan {
namespace {

using world::Here;

constexpr int kPciIdAttribute =
    139;  // CU_DEVICE_ATTRIBUTE_GPU_PCI_DEVICE_ID: device << 16 | vendor

uint32_t PciId(const world::Device& device) {
  const int32_t id = device.attributes[kPciIdAttribute];
  return id == world::kNoAttribute ? 0 : static_cast<uint32_t>(id);
}

const VulkanProfile* Named(const char* device, bool* own) {
  const VulkanProfile* other = nullptr;
  for (uint32_t i = 0; i < gpustage_vulkan_profile_count; ++i) {
    const VulkanProfile& profile = gpustage_vulkan_profiles[i];
    *own = world::Equal(profile.device, device);
    if (*own) return &profile;
    if (profile.answers_for_others != 0) other = &profile;
  }
  return other;
}

// The nth GPU of a kernel driver that is not NVIDIA's has the node renderD128 + n.
bool HasRenderNode(int number) {
  world::Text<32> name;
  name.Add("dri/renderD").Decimal(128 + number);
  return world::NodeCalled(name.c_str()) == world::Node::kThere;
}

// Ours are NVIDIA's, the first of all, or those behind the boards.
struct Range {
  int first;
  int count;
};
Range Ours() {
  const world::World& world = Here();
  if (kVendor == 0x10de) return {0, static_cast<int>(world.device_count)};
  return {static_cast<int>(world.device_count + world.board_count),
          static_cast<int>(world.other_count)};
}

bool IsOurs(const world::Device& device) {
  if (device.mig != world::Mig::kOff) return false;
  return kVendor == 0x10de || (PciId(device) & 0xffff) == kVendor;
}

// fields of VkPhysicalDeviceIDProperties and of the other structs that repeat them.
template <typename Struct>
void GiveIdentity(const Gpu& gpu, Struct* to) {
  const world::Device& device = *gpu.device;
  if (!kUuidIsAddress) {
    memcpy(to->deviceUUID, device.uuid, VK_UUID_SIZE);
    return;
  }
  const uint32_t address[4] = {device.pci_domain, device.pci_bus, device.pci_device, 0};
  memcpy(to->deviceUUID, address, VK_UUID_SIZE);
}

template <typename Struct>
void GiveDriver(Struct* to) {
  if (kIsNvidia) world::CopyText(to->driverInfo, sizeof(to->driverInfo), Here().driver_version);
}

// What is this machine's and not the profile's.
void Personal(const Gpu& gpu, VkBaseOutStructure* to) {
  if (gpu.device == nullptr) return;
  switch (to->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES:
      return GiveIdentity(gpu, reinterpret_cast<VkPhysicalDeviceIDProperties*>(to));
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES:
      return GiveIdentity(gpu, reinterpret_cast<VkPhysicalDeviceVulkan11Properties*>(to));
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES:
      return GiveDriver(reinterpret_cast<VkPhysicalDeviceDriverProperties*>(to));
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES:
      return GiveDriver(reinterpret_cast<VkPhysicalDeviceVulkan12Properties*>(to));
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT: {
      auto* const pci = reinterpret_cast<VkPhysicalDevicePCIBusInfoPropertiesEXT*>(to);
      pci->pciDomain = gpu.device->pci_domain;
      pci->pciBus = gpu.device->pci_bus;
      pci->pciDevice = gpu.device->pci_device;
      pci->pciFunction = 0;
      return;
    }
    default: return;
  }
}

// By the place of the GPU, and the processor behind them all.
uint64_t g_used[world::kMaxDevices + 1][VK_MAX_MEMORY_HEAPS];

uint64_t* UsedOf(const Gpu& gpu, uint32_t heap) {
  return &g_used[gpu.place < 0 ? world::kMaxDevices : static_cast<uint32_t>(gpu.place)][heap];
}

// As RADV divides the memory of an APU: what is local is rounded up to whole pages, and the rest is
// the other heap's.
uint64_t ShareOf(uint64_t whole, const VulkanHeap& heap) {
  constexpr uint64_t kPage = 4096;
  const bool local = (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
  if (heap.parts == 1) return whole;
  const uint32_t part = local ? heap.part : heap.parts - heap.part;
  const uint64_t share = (whole * part / heap.parts + kPage - 1) / kPage * kPage;
  return local ? share : whole - share;
}

constexpr size_t kHead = sizeof(VkBaseOutStructure);

// All that stands behind its head, but for the words that the recorded driver left alone.
void CopyRow(const VulkanRow& row, char* to) {
  const char* const from = static_cast<const char*>(row.answer);
  if (row.is_words == 0) {
    memcpy(to + kHead, from + kHead, row.bytes - kHead);
    return;
  }
  for (size_t at = kHead; at < row.bytes; at += sizeof(int32_t)) {
    int32_t word;
    memcpy(&word, from + at, sizeof(word));
    if (word != kUnwrittenWord) memcpy(to + at, &word, sizeof(word));
  }
}

// Every feature struct is its head and then truth values.
bool Covers(const void* has, const void* asked, size_t from, size_t bytes) {
  for (size_t at = from; at + sizeof(VkBool32) <= bytes; at += sizeof(VkBool32)) {
    VkBool32 want, have;
    memcpy(&want, static_cast<const char*>(asked) + at, sizeof(want));
    memcpy(&have, static_cast<const char*>(has) + at, sizeof(have));
    if (want != VK_FALSE && have == VK_FALSE) return false;
  }
  return true;
}

}  // namespace

VkResult FindGpus(Gpu (&gpus)[world::kMaxDevices], uint32_t* count) {
  *count = 0;
  const world::World& world = Here();
  if (kVendor == 0) {
    gpus[(*count)++] = {-1, nullptr, &gpustage_vulkan_profiles[0], true};
    return VK_SUCCESS;
  }
  const Range ours = Ours();
  if (ours.count == 0) return VK_SUCCESS;
  if (kIsNvidia && (world::ControlNode() != world::Node::kThere ||
                    world::TheKernelModule() != world::KernelModule::kSame))
    return VK_ERROR_INITIALIZATION_FAILED;
  uint8_t places[world::kMaxDevices];
  for (int i = 0; i < ours.count; ++i) places[i] = static_cast<uint8_t>(ours.first + i);
  world::SortByPci(world, places, ours.count);
  const uint32_t there = kIsNvidia ? world::DevicesThere() : 0;
  for (int i = 0; i < ours.count; ++i) {
    const int place = places[i];
    const world::Device& device = world.devices[place];
    if (!IsOurs(device)) continue;
    if (kIsNvidia ? (there >> place & 1) == 0 : !HasRenderNode(place - ours.first)) continue;
    bool own = false;
    const VulkanProfile* const profile = Named(device.profile, &own);
    if (profile != nullptr) gpus[(*count)++] = {place, &device, profile, own};
  }
  return VK_SUCCESS;
}

void FillProperties(const Gpu& gpu, VkPhysicalDeviceProperties* properties) {
  *properties = *gpu.profile->properties;
  if (gpu.device == nullptr) return;
  if (kIsNvidia || !gpu.own_profile)
    world::CopyText(properties->deviceName, sizeof(properties->deviceName), gpu.device->name);
  if (const uint32_t id = PciId(*gpu.device); id != 0) properties->deviceID = id >> 16;
  if (kIsNvidia) properties->driverVersion = NvidiaDriverVersion(Here().driver_version);
  if (!gpu.own_profile && gpu.device->integrated != 0)
    properties->deviceType = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
}

const VulkanRow* FindRow(const VulkanRow* rows, uint32_t count, VkStructureType type) {
  for (uint32_t i = 0; i < count; ++i)
    if (static_cast<const VkBaseInStructure*>(rows[i].answer)->sType == type) return &rows[i];
  return nullptr;
}

void FillChain(const Gpu& gpu, void* next, bool features) {
  for (auto* to = static_cast<VkBaseOutStructure*>(next); to != nullptr; to = to->pNext) {
    const VulkanRow* const row = FindRow(gpu.profile->rows, gpu.profile->row_count, to->sType);
    if (row == nullptr || (row->is_feature != 0) != features) continue;
    CopyRow(*row, reinterpret_cast<char*>(to));
    Personal(gpu, to);
  }
}

bool HasFeatures(const Gpu& gpu, const void* next, const VkPhysicalDeviceFeatures* plain) {
  const VkPhysicalDeviceFeatures& features = *gpu.profile->features;
  if (plain != nullptr && !Covers(&features, plain, 0, sizeof(features))) return false;
  for (auto* asked = static_cast<const VkBaseInStructure*>(next); asked != nullptr;
       asked = asked->pNext) {
    if (asked->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2) {
      const auto* const core = reinterpret_cast<const VkPhysicalDeviceFeatures2*>(asked);
      if (!Covers(&features, &core->features, 0, sizeof(features))) return false;
    }
    const VulkanRow* const row = FindRow(gpu.profile->rows, gpu.profile->row_count, asked->sType);
    if (row != nullptr && row->is_feature != 0 && !Covers(row->answer, asked, kHead, row->bytes))
      return false;
  }
  return true;
}

bool HasExtension(const Gpu& gpu, const char* name, uint32_t* at) {
  for (uint32_t i = 0; i < gpu.profile->extension_count; ++i) {
    if (!world::Equal(gpu.profile->extensions[i].extensionName, name)) continue;
    if (at != nullptr) *at = i;
    return true;
  }
  return false;
}

uint64_t HeapSize(const Gpu& gpu, uint32_t heap) {
  const VulkanHeap& at = gpu.profile->heaps[heap];
  if (at.part == 0 || gpu.device == nullptr) return at.bytes;
  const uint64_t whole =
      kVendor == 0x10de ? gpu.device->nvml_memory_total : gpu.device->memory_total;
  return ShareOf(whole, at);
}

uint64_t HeapBudget(const Gpu& gpu, uint32_t heap) {
  const uint64_t size = HeapSize(gpu, heap);
  const VulkanHeap& at = gpu.profile->heaps[heap];
  if (at.part == 0 || gpu.device == nullptr) return size;
  uint64_t free = world::FreeMemory(*gpu.device, gpu.place);
  // A fault says what is left; else CUDA's figure is what its own context has left.
  if (free == gpu.device->memory_free) free += gpu.profile->budget_over_free;
  free = ShareOf(free, at);
  return free < size ? free : size;
}

uint64_t HeapUsage(const Gpu& gpu, uint32_t heap) {
  return __atomic_load_n(UsedOf(gpu, heap), __ATOMIC_ACQUIRE);
}

bool TakeFromHeap(const Gpu& gpu, uint32_t heap, uint64_t bytes) {
  const uint64_t budget = HeapBudget(gpu, heap);
  const uint64_t used = __atomic_add_fetch(UsedOf(gpu, heap), bytes, __ATOMIC_ACQ_REL);
  if (used >= bytes && used <= budget) return true;
  ReturnToHeap(gpu, heap, bytes);
  return false;
}

void ReturnToHeap(const Gpu& gpu, uint32_t heap, uint64_t bytes) {
  __atomic_sub_fetch(UsedOf(gpu, heap), bytes, __ATOMIC_ACQ_REL);
}

}  // namespace gpustage::vulkan
