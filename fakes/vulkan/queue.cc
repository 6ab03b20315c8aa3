// What is submitted is done at once: fences are set, semaphores count, and nothing was computed.
#include "fakes/vulkan/objects.h"
#include "fakes/vulkan/tell.h"

using namespace gpustage;
using namespace gpustage::vulkan;

namespace {

void Set(uint64_t& value, uint64_t to) { __atomic_store_n(&value, to, __ATOMIC_RELEASE); }
uint64_t Get(const uint64_t& value) { return __atomic_load_n(&value, __ATOMIC_ACQUIRE); }

template <typename Struct>
const Struct* InChain(const void* next, VkStructureType type) {
  for (auto* in = static_cast<const VkBaseInStructure*>(next); in != nullptr; in = in->pNext)
    if (in->sType == type) return reinterpret_cast<const Struct*>(in);
  return nullptr;
}

void SetFence(VkFence fence) {
  if (fence != VK_NULL_HANDLE) Set(Thing(fence)->value, 1);
}

void Signal(const VkSubmitInfo& submit) {
  const auto* const timeline = InChain<VkTimelineSemaphoreSubmitInfo>(
      submit.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
  for (uint32_t i = 0; i < submit.signalSemaphoreCount; ++i) {
    const bool counted = timeline != nullptr && i < timeline->signalSemaphoreValueCount;
    Set(Thing(submit.pSignalSemaphores[i])->value,
        counted ? timeline->pSignalSemaphoreValues[i] : 1);
  }
}

}  // namespace

#define DONE(handle, body) \
  static_cast<VkResult>(Answer(CALL().On(PlaceOf(handle)), [&]() -> VkResult { body }))

extern "C" {

VkResult vkQueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* submits, VkFence fence) {
  return static_cast<VkResult>(Answer(CALL(count).On(PlaceOf(queue)).Trust(Fidelity::kFixed), [&] {
    for (uint32_t i = 0; i < count; ++i) Signal(submits[i]);
    SetFence(fence);
    return VK_SUCCESS;
  }));
}

VkResult vkQueueSubmit2(VkQueue queue, uint32_t count, const VkSubmitInfo2* submits,
                        VkFence fence) {
  return static_cast<VkResult>(Answer(CALL(count).On(PlaceOf(queue)).Trust(Fidelity::kFixed), [&] {
    for (uint32_t i = 0; i < count; ++i)
      for (uint32_t s = 0; s < submits[i].signalSemaphoreInfoCount; ++s)
        Set(Thing(submits[i].pSignalSemaphoreInfos[s].semaphore)->value,
            submits[i].pSignalSemaphoreInfos[s].value);
    SetFence(fence);
    return VK_SUCCESS;
  }));
}

VkResult vkQueueBindSparse(VkQueue queue, uint32_t count, const VkBindSparseInfo*, VkFence fence) {
  return static_cast<VkResult>(Answer(CALL(count).On(PlaceOf(queue)).Trust(Fidelity::kFixed), [&] {
    SetFence(fence);
    return VK_SUCCESS;
  }));
}

VkResult vkQueueWaitIdle(VkQueue queue) { return DONE(queue, return VK_SUCCESS;); }

VkResult vkResetFences(VkDevice device, uint32_t count, const VkFence* fences) {
  return DONE(device, {
    for (uint32_t i = 0; i < count; ++i) Set(Thing(fences[i])->value, 0);
    return VK_SUCCESS;
  });
}

VkResult vkGetFenceStatus(VkDevice device, VkFence fence) {
  return DONE(device, return Get(Thing(fence)->value) != 0 ? VK_SUCCESS : VK_NOT_READY;);
}

// Nobody else could set one that is not set by now but another thread; whoever waits is told so.
VkResult vkWaitForFences(VkDevice device, uint32_t count, const VkFence* fences, VkBool32 all,
                         uint64_t) {
  return DONE(device, {
    uint32_t set = 0;
    for (uint32_t i = 0; i < count; ++i) set += Get(Thing(fences[i])->value) != 0 ? 1 : 0;
    return (all != VK_FALSE ? set == count : set > 0) ? VK_SUCCESS : VK_TIMEOUT;
  });
}

VkResult vkGetEventStatus(VkDevice device, VkEvent event) {
  return DONE(device, return Get(Thing(event)->value) != 0 ? VK_EVENT_SET : VK_EVENT_RESET;);
}

VkResult vkSetEvent(VkDevice device, VkEvent event) {
  return DONE(device, Set(Thing(event)->value, 1); return VK_SUCCESS;);
}

VkResult vkResetEvent(VkDevice device, VkEvent event) {
  return DONE(device, Set(Thing(event)->value, 0); return VK_SUCCESS;);
}

VkResult vkGetSemaphoreCounterValue(VkDevice device, VkSemaphore semaphore, uint64_t* value) {
  return DONE(device, *value = Get(Thing(semaphore)->value); return VK_SUCCESS;);
}

VkResult vkWaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo* info, uint64_t) {
  return DONE(device, {
    uint32_t reached = 0;
    for (uint32_t i = 0; i < info->semaphoreCount; ++i)
      reached += Get(Thing(info->pSemaphores[i])->value) >= info->pValues[i] ? 1 : 0;
    const bool any = (info->flags & VK_SEMAPHORE_WAIT_ANY_BIT) != 0;
    return (any ? reached > 0 : reached == info->semaphoreCount) ? VK_SUCCESS : VK_TIMEOUT;
  });
}

VkResult vkSignalSemaphore(VkDevice device, const VkSemaphoreSignalInfo* info) {
  return DONE(device, Set(Thing(info->semaphore)->value, info->value); return VK_SUCCESS;);
}

VkResult vkCreateFence(VkDevice device, const VkFenceCreateInfo* info, const VkAllocationCallbacks*,
                       VkFence* out) {
  return DONE(device, {
    const VkResult made = Make(device, out);
    if (made == VK_SUCCESS)
      Thing(*out)->value = (info->flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0 ? 1 : 0;
    return made;
  });
}

VkResult vkCreateSemaphore(VkDevice device, const VkSemaphoreCreateInfo* info,
                           const VkAllocationCallbacks*, VkSemaphore* out) {
  return DONE(device, {
    const VkResult made = Make(device, out);
    const auto* const type = InChain<VkSemaphoreTypeCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    if (made == VK_SUCCESS && type != nullptr) Thing(*out)->value = type->initialValue;
    return made;
  });
}

VkResult vkGetQueryPoolResults(VkDevice device, VkQueryPool, uint32_t, uint32_t, size_t bytes,
                               void* out, VkDeviceSize, VkQueryResultFlags) {
  return DONE(device, {
    for (size_t i = 0; i < bytes; ++i) static_cast<char*>(out)[i] = 0;
    return VK_SUCCESS;
  });
}

}  // extern "C"
