// Contexts: which device a thread works on. Nothing else of a context is modelled.
#include "fakes/cuda_driver/driver.h"

struct CUctx_st {
  CUdevice device;
  int32_t users;  // 0: free or destroyed
};

namespace gpustage::cuda_driver {
namespace {

constexpr int kMaxContexts = 64;
constexpr int kMaxDepth = 8;

CUctx_st g_primary[world::kMaxDevices];
CUctx_st g_created[kMaxContexts];

struct ContextStack {
  CUcontext contexts[kMaxDepth];
  int depth;
};
thread_local ContextStack t_stack;

CUcontext Current() { return t_stack.depth == 0 ? nullptr : t_stack.contexts[t_stack.depth - 1]; }

CUresult Push(CUcontext context) {
  if (context == nullptr || t_stack.depth == kMaxDepth) return CUDA_ERROR_INVALID_CONTEXT;
  t_stack.contexts[t_stack.depth++] = context;
  return CUDA_SUCCESS;
}

CUresult SetCurrent(CUcontext context) {
  if (t_stack.depth > 0) --t_stack.depth;
  return context == nullptr ? CUDA_SUCCESS : Push(context);
}

CUresult Create(CUcontext* context, CUdevice device) {
  if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (CUctx_st& free : g_created) {
    int32_t unused = 0;
    if (!__atomic_compare_exchange_n(&free.users, &unused, 1, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    free.device = device;
    *context = &free;
    return Push(&free);
  }
  return CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult Destroy(CUcontext context) {
  if (context < g_created || context >= g_created + kMaxContexts) return CUDA_ERROR_INVALID_CONTEXT;
  if (Current() == context) --t_stack.depth;
  return __atomic_exchange_n(&context->users, 0, __ATOMIC_ACQ_REL) == 0 ? CUDA_ERROR_INVALID_CONTEXT
                                                                        : CUDA_SUCCESS;
}

}  // namespace

CUdevice CurrentDevice() { return Current() == nullptr ? -1 : Current()->device; }

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) {
    g_primary[device].device = device;
    __atomic_add_fetch(&g_primary[device].users, 1, __ATOMIC_ACQ_REL);
    return Put(context, CUcontext{&g_primary[device]});
  });
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) -> CUresult {
    if (__atomic_load_n(&g_primary[device].users, __ATOMIC_ACQUIRE) == 0)
      return CUDA_ERROR_INVALID_CONTEXT;
    __atomic_sub_fetch(&g_primary[device].users, 1, __ATOMIC_ACQ_REL);
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return OnDevice(CALL(device), device, [&](const Device&) {
    __atomic_store_n(&g_primary[device].users, 0, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned int flags) {
  return OnDevice(CALL(device, flags).Trust(Fidelity::kFixed), device,
                  [&](const Device&) { return CUDA_SUCCESS; });
}

CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned int* flags, int* active) {
  return OnDevice(CALL(device), device, [&](const Device&) {
    const int users = __atomic_load_n(&g_primary[device].users, __ATOMIC_ACQUIRE);
    const CUresult result = Put(flags, 0u);
    return result == CUDA_SUCCESS ? Put(active, users > 0 ? 1 : 0) : result;
  });
}

CUresult cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, device); });
}

CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam*, int, unsigned int flags,
                        CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, device); });
}

CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams*, unsigned int flags,
                        CUdevice device) {
  return OnDevice(CALL(flags, device), device,
                  [&](const Device&) { return Create(context, device); });
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
    return CurrentDevice() < 0 ? CUDA_ERROR_INVALID_CONTEXT : Put(device, CurrentDevice());
  });
}

CUresult cuCtxSynchronize() {
  return AfterInit(CALL(), [&]() -> CUresult {
    return CurrentDevice() < 0 ? CUDA_ERROR_INVALID_CONTEXT : CUDA_SUCCESS;
  });
}
