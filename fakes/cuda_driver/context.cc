// Contexts: which device a thread works on, and whether they were destroyed.
#include "fakes/cuda_driver/context.h"

#include "fakes/cuda_driver/driver.h"
#include "fakes/world/kernel_side.h"
#include "fakes/world/limits.h"

namespace gpustage::cuda_driver {
namespace {

constexpr int kMaxContexts = 64;
constexpr int kMaxDepth = 8;
constexpr unsigned int kContextFlags = 0xff;
constexpr unsigned int kKnownPrimaryFlags = 0x1f;

CUctx_st g_primary[world::kMaxDevices];
CUctx_st g_created[kMaxContexts];

struct ContextStack {
  CUcontext contexts[kMaxDepth];
  int depth;
};
thread_local ContextStack t_stack;

CUcontext Current() { return t_stack.depth == 0 ? nullptr : t_stack.contexts[t_stack.depth - 1]; }

CUresult Push(CUcontext context) {
  if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (t_stack.depth == kMaxDepth) return CUDA_ERROR_INVALID_CONTEXT;
  t_stack.contexts[t_stack.depth++] = context;
  return CUDA_SUCCESS;
}

CUresult SetCurrent(CUcontext context) {
  if (t_stack.depth > 0) --t_stack.depth;
  return context == nullptr ? CUDA_SUCCESS : Push(context);
}

// A context opens nvidiactl and more again. With 29 descriptors left it was refused.
constexpr int kDescriptorsOfContext = 48;
CUresult AskForContext() {
  int error = 0;
  if (world::ControlNode(&error) == world::Node::kFails) return CUDA_ERROR_NOT_PERMITTED;
  return world::DescriptorsLeft() < kDescriptorsOfContext ? CUDA_ERROR_OPERATING_SYSTEM
                                                          : CUDA_SUCCESS;
}

CUresult Create(CUcontext* context, unsigned int flags, CUdevice device) {
  if (context == nullptr || (flags & ~kContextFlags) != 0) return CUDA_ERROR_INVALID_VALUE;
  for (CUctx_st& free : g_created) {
    int32_t unused = 0;
    if (!__atomic_compare_exchange_n(&free.users, &unused, 1, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    free.device = device;
    free.flags = flags;
    *context = &free;
    return Push(&free);
  }
  return CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult Destroy(CUcontext context) {
  if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (context >= g_primary && context < g_primary + world::kMaxDevices)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (context < g_created || context >= g_created + kMaxContexts ||
      __atomic_exchange_n(&context->users, 0, __ATOMIC_ACQ_REL) == 0)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (Current() == context) --t_stack.depth;
  return CUDA_SUCCESS;
}

CUresult Release(CUctx_st& primary) {
  if (__atomic_load_n(&primary.users, __ATOMIC_ACQUIRE) == 0) return CUDA_ERROR_INVALID_CONTEXT;
  if (__atomic_sub_fetch(&primary.users, 1, __ATOMIC_ACQ_REL) == 0) primary.flags = 0;
  return CUDA_SUCCESS;
}

CUresult PutState(const CUctx_st& primary, unsigned int* flags, int* active) {
  if (flags == nullptr || active == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *flags = primary.flags;
  *active = __atomic_load_n(&primary.users, __ATOMIC_ACQUIRE) > 0 ? 1 : 0;
  return CUDA_SUCCESS;
}

}  // namespace

CUdevice CurrentDevice() { return Current() == nullptr ? -1 : Current()->device; }

CUcontext TheCurrentContext() { return Current(); }

CUresult CurrentContext() {
  if (Current() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  return __atomic_load_n(&Current()->users, __ATOMIC_ACQUIRE) == 0 ? CUDA_ERROR_CONTEXT_IS_DESTROYED
                                                                   : CUDA_SUCCESS;
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) -> CUresult {
    if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const CUresult node = AskForContext();
    if (node != CUDA_SUCCESS) return node;
    g_primary[device].device = device;
    __atomic_add_fetch(&g_primary[device].users, 1, __ATOMIC_ACQ_REL);
    return Put(context, CUcontext{&g_primary[device]});
  });
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) { return Release(g_primary[device]); });
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) {
    __atomic_store_n(&g_primary[device].users, 0, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned int flags) {
  return OnDevice(CALL(device, flags), device, [&](const Device&) -> CUresult {
    if ((flags & ~kKnownPrimaryFlags) != 0) return CUDA_ERROR_INVALID_VALUE;
    g_primary[device].flags = flags;
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned int* flags, int* active) {
  return OnDevice(CALL(device), device,
                  [&](const Device&) { return PutState(g_primary[device], flags, active); });
}

CUresult cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, flags, device); });
}

CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam*, int, unsigned int flags,
                        CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, flags, device); });
}

CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams*, unsigned int flags,
                        CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, flags, device); });
}

CUresult cuCtxDestroy_v2(CUcontext context) {
  return AfterInit(CALL(context), [&] { return Destroy(context); });
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  return AfterInit(CALL(context), [&] { return Push(context); });
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  return AfterInit(CALL(), [&]() -> CUresult {
    if (t_stack.depth == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (context != nullptr) *context = Current();
    --t_stack.depth;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSetCurrent(CUcontext context) {
  return AfterInit(CALL(context), [&] { return SetCurrent(context); });
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  return AfterInit(CALL(), [&] { return Put(context, Current()); });
}

CUresult cuCtxGetDevice(CUdevice* device) {
  return AfterInit(CALL(), [&]() -> CUresult {
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return CurrentDevice() < 0 ? CUDA_ERROR_INVALID_CONTEXT : Put(device, CurrentDevice());
  });
}

CUresult cuCtxSynchronize() {
  return InContext(CALL(), [] { return CUDA_SUCCESS; });
}
