// Everything that is made, bound and recorded for work that is never done: it exists, and that is
// all.
#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"

using namespace gpustage;
using namespace gpustage::vulkan;

#define FIXED(handle) CALL().On(PlaceOf(handle)).Trust(Fidelity::kFixed)
#define ACCEPTED(handle) static_cast<VkResult>(Answer(FIXED(handle), [] { return VK_SUCCESS; }))

extern "C" {

#define MADE(name, Info, Handle)                                                            \
  VkResult name(VkDevice device, const Info*, const VkAllocationCallbacks*, Handle* out) {  \
    return static_cast<VkResult>(Answer(FIXED(device), [&] { return Make(device, out); })); \
  }
MADE(vkCreateEvent, VkEventCreateInfo, VkEvent)
MADE(vkCreateQueryPool, VkQueryPoolCreateInfo, VkQueryPool)
MADE(vkCreateBufferView, VkBufferViewCreateInfo, VkBufferView)
MADE(vkCreateImageView, VkImageViewCreateInfo, VkImageView)
MADE(vkCreateShaderModule, VkShaderModuleCreateInfo, VkShaderModule)
MADE(vkCreatePipelineCache, VkPipelineCacheCreateInfo, VkPipelineCache)
MADE(vkCreatePipelineLayout, VkPipelineLayoutCreateInfo, VkPipelineLayout)
MADE(vkCreateSampler, VkSamplerCreateInfo, VkSampler)
MADE(vkCreateDescriptorSetLayout, VkDescriptorSetLayoutCreateInfo, VkDescriptorSetLayout)
MADE(vkCreateDescriptorPool, VkDescriptorPoolCreateInfo, VkDescriptorPool)
MADE(vkCreateFramebuffer, VkFramebufferCreateInfo, VkFramebuffer)
MADE(vkCreateRenderPass, VkRenderPassCreateInfo, VkRenderPass)
MADE(vkCreateRenderPass2, VkRenderPassCreateInfo2, VkRenderPass)
MADE(vkCreateCommandPool, VkCommandPoolCreateInfo, VkCommandPool)
MADE(vkCreateSamplerYcbcrConversion, VkSamplerYcbcrConversionCreateInfo, VkSamplerYcbcrConversion)
MADE(vkCreateDescriptorUpdateTemplate, VkDescriptorUpdateTemplateCreateInfo,
     VkDescriptorUpdateTemplate)
MADE(vkCreatePrivateDataSlot, VkPrivateDataSlotCreateInfo, VkPrivateDataSlot)

#define GONE(name, Handle)                                                  \
  void name(VkDevice device, Handle handle, const VkAllocationCallbacks*) { \
    if (handle == VK_NULL_HANDLE) return;                                   \
    Tell(FIXED(device), [&] { free(Thing(handle)); });                      \
  }
GONE(vkDestroyFence, VkFence)
GONE(vkDestroySemaphore, VkSemaphore)
GONE(vkDestroyEvent, VkEvent)
GONE(vkDestroyQueryPool, VkQueryPool)
GONE(vkDestroyBuffer, VkBuffer)
GONE(vkDestroyBufferView, VkBufferView)
GONE(vkDestroyImage, VkImage)
GONE(vkDestroyImageView, VkImageView)
GONE(vkDestroyShaderModule, VkShaderModule)
GONE(vkDestroyPipelineCache, VkPipelineCache)
GONE(vkDestroyPipeline, VkPipeline)
GONE(vkDestroyPipelineLayout, VkPipelineLayout)
GONE(vkDestroySampler, VkSampler)
GONE(vkDestroyDescriptorSetLayout, VkDescriptorSetLayout)
GONE(vkDestroyDescriptorPool, VkDescriptorPool)
GONE(vkDestroyFramebuffer, VkFramebuffer)
GONE(vkDestroyRenderPass, VkRenderPass)
GONE(vkDestroyCommandPool, VkCommandPool)
GONE(vkDestroySamplerYcbcrConversion, VkSamplerYcbcrConversion)
GONE(vkDestroyDescriptorUpdateTemplate, VkDescriptorUpdateTemplate)
GONE(vkDestroyPrivateDataSlot, VkPrivateDataSlot)

// Any SPIR-V is taken for a program.
VkResult vkCreateComputePipelines(VkDevice device, VkPipelineCache, uint32_t count,
                                  const VkComputePipelineCreateInfo*, const VkAllocationCallbacks*,
                                  VkPipeline* out) {
  return static_cast<VkResult>(Answer(CALL(count).On(PlaceOf(device)).Trust(Fidelity::kFixed),
                                      [&] { return MakeAll(device, count, out); }));
}

VkResult vkCreateGraphicsPipelines(VkDevice device, VkPipelineCache, uint32_t count,
                                   const VkGraphicsPipelineCreateInfo*,
                                   const VkAllocationCallbacks*, VkPipeline* out) {
  return static_cast<VkResult>(Answer(CALL(count).On(PlaceOf(device)).Trust(Fidelity::kFixed),
                                      [&] { return MakeAll(device, count, out); }));
}

VkResult vkGetPipelineCacheData(VkDevice device, VkPipelineCache, size_t* bytes, void*) {
  return static_cast<VkResult>(Answer(FIXED(device), [&] {
    *bytes = 0;
    return VK_SUCCESS;
  }));
}

VkResult vkMergePipelineCaches(VkDevice device, VkPipelineCache, uint32_t, const VkPipelineCache*) {
  return ACCEPTED(device);
}

VkResult vkAllocateDescriptorSets(VkDevice device, const VkDescriptorSetAllocateInfo* info,
                                  VkDescriptorSet* out) {
  return static_cast<VkResult>(
      Answer(FIXED(device), [&] { return MakeAll(device, info->descriptorSetCount, out); }));
}

VkResult vkFreeDescriptorSets(VkDevice device, VkDescriptorPool, uint32_t count,
                              const VkDescriptorSet* sets) {
  return static_cast<VkResult>(Answer(FIXED(device), [&] {
    for (uint32_t i = 0; i < count; ++i) free(Thing(sets[i]));
    return VK_SUCCESS;
  }));
}

VkResult vkResetDescriptorPool(VkDevice device, VkDescriptorPool, VkDescriptorPoolResetFlags) {
  return ACCEPTED(device);
}

void vkUpdateDescriptorSets(VkDevice device, uint32_t, const VkWriteDescriptorSet*, uint32_t,
                            const VkCopyDescriptorSet*) {
  Tell(FIXED(device), [] {});
}

void vkUpdateDescriptorSetWithTemplate(VkDevice device, VkDescriptorSet, VkDescriptorUpdateTemplate,
                                       const void*) {
  Tell(FIXED(device), [] {});
}

void vkGetDescriptorSetLayoutSupport(VkDevice device, const VkDescriptorSetLayoutCreateInfo*,
                                     VkDescriptorSetLayoutSupport* out) {
  Tell(FIXED(device), [&] { out->supported = VK_TRUE; });
}

VkResult vkAllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* info,
                                  VkCommandBuffer* out) {
  return static_cast<VkResult>(Answer(FIXED(device), [&] {
    for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
      auto* const made = New<CommandBuffer>();
      if (made == nullptr) return VK_ERROR_OUT_OF_HOST_MEMORY;
      *made = {kLoaderMagic, As<Device>(device)};
      out[i] = reinterpret_cast<VkCommandBuffer>(made);
    }
    return VK_SUCCESS;
  }));
}

void vkFreeCommandBuffers(VkDevice device, VkCommandPool, uint32_t count,
                          const VkCommandBuffer* buffers) {
  Tell(FIXED(device), [&] {
    for (uint32_t i = 0; i < count; ++i) free(As<CommandBuffer>(buffers[i]));
  });
}

VkResult vkBeginCommandBuffer(VkCommandBuffer buffer, const VkCommandBufferBeginInfo*) {
  return ACCEPTED(buffer);
}
VkResult vkEndCommandBuffer(VkCommandBuffer buffer) { return ACCEPTED(buffer); }
VkResult vkResetCommandBuffer(VkCommandBuffer buffer, VkCommandBufferResetFlags) {
  return ACCEPTED(buffer);
}
VkResult vkResetCommandPool(VkDevice device, VkCommandPool, VkCommandPoolResetFlags) {
  return ACCEPTED(device);
}
void vkTrimCommandPool(VkDevice device, VkCommandPool, VkCommandPoolTrimFlags) {
  Tell(FIXED(device), [] {});
}
void vkResetQueryPool(VkDevice device, VkQueryPool, uint32_t, uint32_t) {
  Tell(FIXED(device), [] {});
}
void vkGetRenderAreaGranularity(VkDevice device, VkRenderPass, VkExtent2D* out) {
  Tell(FIXED(device), [&] { *out = {1, 1}; });
}

VkResult vkSetPrivateData(VkDevice device, VkObjectType, uint64_t, VkPrivateDataSlot slot,
                          uint64_t data) {
  return static_cast<VkResult>(Answer(FIXED(device), [&] {
    Thing(slot)->value = data;
    return VK_SUCCESS;
  }));
}
void vkGetPrivateData(VkDevice device, VkObjectType, uint64_t, VkPrivateDataSlot slot,
                      uint64_t* data) {
  Tell(FIXED(device), [&] { *data = Thing(slot)->value; });
}

}  // extern "C"
