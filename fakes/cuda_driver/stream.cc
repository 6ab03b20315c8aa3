// Streams and events. Whatever is asked of a device is done when it is asked, so a stream is always
// done.
#include "fakes/cuda_driver/context.h"
#include "fakes/cuda_driver/driver.h"

struct CUstream_st {
  int32_t used;
  unsigned int flags;
  int priority;
};

struct CUevent_st {
  int32_t used;
  unsigned int flags;
  int32_t recorded;
};

namespace gpustage::cuda_driver {
namespace {

constexpr unsigned int kDisableTiming = 2;
constexpr unsigned int kEventFlags = 7;

CUstream_st g_streams[256];
CUevent_st g_events[4096];

template <typename T, size_t N>
T* TakeSlot(T (&slots)[N]) {
  for (T& slot : slots) {
    int32_t unused = 0;
    if (__atomic_compare_exchange_n(&slot.used, &unused, 1, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return &slot;
  }
  return nullptr;
}

template <typename T, size_t N>
bool IsOneOf(const T (&slots)[N], const T* handle) {
  return handle >= slots && handle < slots + N && handle->used != 0;
}

CUresult NewStream(CUstream* stream, unsigned int flags, int priority) {
  CUstream_st* const slot = TakeSlot(g_streams);
  if (slot == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  slot->flags = flags;
  slot->priority = priority > kLeastPriority      ? kLeastPriority
                   : priority < kGreatestPriority ? kGreatestPriority
                                                  : priority;
  return Put(stream, slot);
}

// The arguments are looked at before anything else.
CUresult CreateStream(Call&& call, CUstream* stream, unsigned int flags, int priority) {
  return Answer(call, [&]() -> CUresult {
    if (stream == nullptr || flags > 1) return CUDA_ERROR_INVALID_VALUE;
    if (DeviceCount() < 0) return CUDA_ERROR_NOT_INITIALIZED;
    const CUresult context = CurrentContext();
    if (context == CUDA_SUCCESS) return NewStream(stream, flags, priority);
    *stream = reinterpret_cast<CUstream>(3);  // the real one leaves something that is no stream
    return context;
  });
}

template <typename Body>
CUresult OnStream(Call&& call, CUstream stream, Body body) {
  return Answer(call, [&]() -> CUresult {
    if (!IsStream(stream)) return CUDA_ERROR_INVALID_HANDLE;
    if (DeviceCount() < 0) return CUDA_ERROR_NOT_INITIALIZED;
    const CUresult context = CurrentContext();
    return context != CUDA_SUCCESS ? context : body();
  });
}

template <typename Body>
CUresult OnEvent(Call&& call, CUevent event, Body body) {
  return Answer(call, [&]() -> CUresult {
    if (DeviceCount() < 0)
      return event == nullptr ? CUDA_ERROR_NOT_INITIALIZED : CUDA_ERROR_INVALID_CONTEXT;
    return IsOneOf(g_events, event) ? body() : CUDA_ERROR_INVALID_HANDLE;
  });
}

unsigned int FlagsOf(CUstream stream) { return IsOneOf(g_streams, stream) ? stream->flags : 0; }

CUresult Elapsed(float* milliseconds, CUevent start, CUevent end) {
  if (!IsOneOf(g_events, end) || start->recorded == 0 || end->recorded == 0 ||
      ((start->flags | end->flags) & kDisableTiming) != 0 || milliseconds == nullptr)
    return CUDA_ERROR_INVALID_HANDLE;
  return Put(milliseconds, 0.0f);
}

}  // namespace

bool IsStream(CUstream stream) {
  return reinterpret_cast<uintptr_t>(stream) <= 2 || IsOneOf(g_streams, stream);
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuStreamCreate(CUstream* stream, unsigned int flags) {
  return CreateStream(CALL(flags), stream, flags, 0);
}

CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned int flags, int priority) {
  return CreateStream(CALL(flags, priority), stream, flags, priority);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  return Answer(CALL(stream), [&]() -> CUresult {
    if (!IsOneOf(g_streams, stream)) return CUDA_ERROR_INVALID_HANDLE;
    __atomic_store_n(&stream->used, 0, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamQuery(CUstream stream) {
  return InContext(CALL(stream), [&]() -> CUresult {
    return IsStream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuStreamSynchronize(CUstream stream) {
  return InContext(CALL(stream), [&]() -> CUresult {
    return IsStream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuStreamGetFlags(CUstream stream, unsigned int* flags) {
  return OnStream(CALL(stream), stream, [&] { return Put(flags, FlagsOf(stream)); });
}

CUresult cuStreamGetPriority(CUstream stream, int* priority) {
  return OnStream(CALL(stream), stream,
                  [&] { return Put(priority, IsOneOf(g_streams, stream) ? stream->priority : 0); });
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return OnStream(CALL(stream), stream, [&] { return Put(status, CUstreamCaptureStatus{}); });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags) {
  return OnStream(CALL(stream, event, flags), stream, [&]() -> CUresult {
    if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
    return IsOneOf(g_events, event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuEventCreate(CUevent* event, unsigned int flags) {
  return InContext(CALL(flags), [&]() -> CUresult {
    if (event == nullptr || (flags & ~kEventFlags) != 0) return CUDA_ERROR_INVALID_VALUE;
    CUevent_st* const slot = TakeSlot(g_events);
    if (slot == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
    slot->flags = flags;
    slot->recorded = 0;
    return Put(event, slot);
  });
}

CUresult cuEventDestroy_v2(CUevent event) {
  return OnEvent(CALL(event), event, [&] {
    __atomic_store_n(&event->used, 0, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  });
}

CUresult cuEventQuery(CUevent event) {
  return OnEvent(CALL(event), event, [] { return CUDA_SUCCESS; });
}

CUresult cuEventSynchronize(CUevent event) {
  return OnEvent(CALL(event), event, [] { return CUDA_SUCCESS; });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  return OnStream(CALL(event, stream), stream, [&]() -> CUresult {
    if (!IsOneOf(g_events, event)) return CUDA_ERROR_INVALID_HANDLE;
    event->recorded = 1;
    return CUDA_SUCCESS;
  });
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return OnEvent(CALL(start, end), start, [&] { return Elapsed(milliseconds, start, end); });
}
