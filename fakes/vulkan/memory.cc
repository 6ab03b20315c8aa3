// Memory on the account of its heap. Pages that nobody touches cost nothing, so a GPU of 80 GiB can
// be filled on a small machine.
#include <sys/mman.h>

#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"
#include "fakes/world/syscall.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

constexpr VkDeviceSize kImageAlignment = 65536;
constexpr VkDeviceSize kMostBytesOfATexel = 16;

uint64_t RoundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

const Gpu& GpuHere(VkDevice device) { return As<Device>(device)->parent->gpu; }

VkResult Allocate(VkDevice device, const VkMemoryAllocateInfo& info, VkDeviceMemory* out) {
  const Gpu& gpu = GpuHere(device);
  if (info.memoryTypeIndex >= gpu.profile->type_count) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const uint32_t heap = gpu.profile->types[info.memoryTypeIndex].heapIndex;
  if (!TakeFromHeap(gpu, heap, info.allocationSize)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const VkResult made = Make(device, out);
  if (made != VK_SUCCESS) {
    ReturnToHeap(gpu, heap, info.allocationSize);
    return made;
  }
  Object& memory = *Thing(*out);
  memory.size = info.allocationSize;
  memory.heap = heap;
  memory.type = info.memoryTypeIndex;
  return VK_SUCCESS;
}

VkResult Map(VkDevice device, Object& memory, VkDeviceSize offset, void** out) {
  const VkMemoryPropertyFlags flags = GpuHere(device).profile->types[memory.type].propertyFlags;
  if ((flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) == 0 || offset > memory.size)
    return VK_ERROR_MEMORY_MAP_FAILED;
  if (memory.memory == nullptr)
    memory.memory = world::MapMemory(memory.size, PROT_READ | PROT_WRITE);
  if (memory.memory == nullptr) return VK_ERROR_MEMORY_MAP_FAILED;
  *out = static_cast<char*>(memory.memory) + offset;
  return VK_SUCCESS;
}

// VkPhysicalDeviceMaintenance4Properties::maxBufferSize, where the driver has one.
uint64_t MostBytesOfABuffer(const Gpu& gpu) {
  const VulkanRow* const row = FindRow(gpu.profile->rows, gpu.profile->row_count,
                                       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES);
  if (row == nullptr) return UINT64_MAX;
  return static_cast<const VkPhysicalDeviceMaintenance4Properties*>(row->answer)->maxBufferSize;
}

void Require(VkDevice device, uint64_t bytes, uint64_t alignment, VkMemoryRequirements* out) {
  out->size = RoundUp(bytes, alignment);
  out->alignment = alignment;
  out->memoryTypeBits = (1u << GpuHere(device).profile->type_count) - 1;
}

void RequireOfBuffer(VkDevice device, uint64_t bytes, VkMemoryRequirements* out) {
  const VulkanProfile& profile = *GpuHere(device).profile;
  Require(device, bytes, profile.buffer_alignment, out);
  if (profile.exact_sizes != 0) out->size = bytes;
}

uint64_t BytesOf(const VkImageCreateInfo& info) {
  return kMostBytesOfATexel * info.extent.width * info.extent.height * info.extent.depth *
         info.arrayLayers * static_cast<uint32_t>(info.samples);
}

}  // namespace

#define ON(device) CALL().On(PlaceOf(device))
#define ASSUMED(device) ON(device).Trust(Fidelity::kAssumed)

extern "C" {

VkResult vkAllocateMemory(VkDevice device, const VkMemoryAllocateInfo* info,
                          const VkAllocationCallbacks*, VkDeviceMemory* out) {
  const uint64_t bytes = info->allocationSize;
  const uint32_t type = info->memoryTypeIndex;
  return static_cast<VkResult>(
      Answer(CALL(bytes, type).On(PlaceOf(device)), [&] { return Allocate(device, *info, out); }));
}

void vkFreeMemory(VkDevice device, VkDeviceMemory handle, const VkAllocationCallbacks*) {
  if (handle == VK_NULL_HANDLE) return;
  Tell(ON(device), [&] {
    Object* const memory = Thing(handle);
    if (memory->memory != nullptr) world::UnmapMemory(memory->memory, memory->size);
    ReturnToHeap(GpuHere(device), memory->heap, memory->size);
    free(memory);
  });
}

VkResult vkMapMemory(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize,
                     VkMemoryMapFlags, void** out) {
  return static_cast<VkResult>(
      Answer(ON(device), [&] { return Map(device, *Thing(memory), offset, out); }));
}

// What was written stays for the next who maps it.
void vkUnmapMemory(VkDevice device, VkDeviceMemory) {
  Tell(ON(device), [] {});
}

VkResult vkFlushMappedMemoryRanges(VkDevice device, uint32_t, const VkMappedMemoryRange*) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

VkResult vkInvalidateMappedMemoryRanges(VkDevice device, uint32_t, const VkMappedMemoryRange*) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

void vkGetDeviceMemoryCommitment(VkDevice device, VkDeviceMemory, VkDeviceSize* out) {
  Tell(ON(device), [&] { *out = 0; });
}

VkResult vkBindBufferMemory(VkDevice device, VkBuffer, VkDeviceMemory, VkDeviceSize) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

VkResult vkBindBufferMemory2(VkDevice device, uint32_t, const VkBindBufferMemoryInfo*) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

VkResult vkBindImageMemory(VkDevice device, VkImage, VkDeviceMemory, VkDeviceSize) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

VkResult vkBindImageMemory2(VkDevice device, uint32_t, const VkBindImageMemoryInfo*) {
  return static_cast<VkResult>(Answer(ON(device), [] { return VK_SUCCESS; }));
}

VkResult vkCreateBuffer(VkDevice device, const VkBufferCreateInfo* info,
                        const VkAllocationCallbacks*, VkBuffer* out) {
  const uint64_t bytes = info->size;
  return static_cast<VkResult>(Answer(CALL(bytes).On(PlaceOf(device)), [&] {
    if (bytes > MostBytesOfABuffer(GpuHere(device))) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkResult made = Make(device, out);
    if (made == VK_SUCCESS) Thing(*out)->size = bytes;
    return made;
  }));
}

VkResult vkCreateImage(VkDevice device, const VkImageCreateInfo* info, const VkAllocationCallbacks*,
                       VkImage* out) {
  return static_cast<VkResult>(Answer(ON(device), [&] {
    const VkResult made = Make(device, out);
    if (made == VK_SUCCESS) Thing(*out)->size = BytesOf(*info);
    return made;
  }));
}

void vkGetBufferMemoryRequirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements* out) {
  Tell(ASSUMED(device), [&] { RequireOfBuffer(device, Thing(buffer)->size, out); });
}

void vkGetBufferMemoryRequirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2* info,
                                    VkMemoryRequirements2* out) {
  Tell(ASSUMED(device),
       [&] { RequireOfBuffer(device, Thing(info->buffer)->size, &out->memoryRequirements); });
}

void vkGetDeviceBufferMemoryRequirements(VkDevice device,
                                         const VkDeviceBufferMemoryRequirements* info,
                                         VkMemoryRequirements2* out) {
  Tell(ASSUMED(device),
       [&] { RequireOfBuffer(device, info->pCreateInfo->size, &out->memoryRequirements); });
}

void vkGetImageMemoryRequirements(VkDevice device, VkImage image, VkMemoryRequirements* out) {
  Tell(ASSUMED(device), [&] { Require(device, Thing(image)->size, kImageAlignment, out); });
}

void vkGetImageMemoryRequirements2(VkDevice device, const VkImageMemoryRequirementsInfo2* info,
                                   VkMemoryRequirements2* out) {
  Tell(ASSUMED(device), [&] {
    Require(device, Thing(info->image)->size, kImageAlignment, &out->memoryRequirements);
  });
}

void vkGetDeviceImageMemoryRequirements(VkDevice device,
                                        const VkDeviceImageMemoryRequirements* info,
                                        VkMemoryRequirements2* out) {
  Tell(ASSUMED(device), [&] {
    Require(device, BytesOf(*info->pCreateInfo), kImageAlignment, &out->memoryRequirements);
  });
}

void vkGetImageSparseMemoryRequirements(VkDevice device, VkImage, uint32_t* count,
                                        VkSparseImageMemoryRequirements*) {
  Tell(ASSUMED(device), [&] { *count = 0; });
}

void vkGetImageSparseMemoryRequirements2(VkDevice device,
                                         const VkImageSparseMemoryRequirementsInfo2*,
                                         uint32_t* count, VkSparseImageMemoryRequirements2*) {
  Tell(ASSUMED(device), [&] { *count = 0; });
}

void vkGetDeviceImageSparseMemoryRequirements(VkDevice device,
                                              const VkDeviceImageMemoryRequirements*,
                                              uint32_t* count, VkSparseImageMemoryRequirements2*) {
  Tell(ASSUMED(device), [&] { *count = 0; });
}

void vkGetImageSubresourceLayout(VkDevice device, VkImage image, const VkImageSubresource*,
                                 VkSubresourceLayout* out) {
  Tell(ASSUMED(device), [&] { *out = {0, Thing(image)->size, 0, 0, 0}; });
}

// An address for each, that nobody can read.
VkDeviceAddress vkGetBufferDeviceAddress(VkDevice device, const VkBufferDeviceAddressInfo* info) {
  Tell(ASSUMED(device), [] {});
  return reinterpret_cast<uintptr_t>(Thing(info->buffer)) << 8;
}

uint64_t vkGetBufferOpaqueCaptureAddress(VkDevice device, const VkBufferDeviceAddressInfo*) {
  Tell(ASSUMED(device), [] {});
  return 0;
}

uint64_t vkGetDeviceMemoryOpaqueCaptureAddress(VkDevice device,
                                               const VkDeviceMemoryOpaqueCaptureAddressInfo*) {
  Tell(ASSUMED(device), [] {});
  return 0;
}

}  // extern "C"
