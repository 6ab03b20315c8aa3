// Streams, events and errors. All that is asked for is done at once, and nothing is computed.
#include <cstdlib>

#include "fakes/hip/runtime.h"

using namespace gpustage;
using namespace gpustage::hip;

namespace {

const struct {
  int number;
  const char* name;
  const char* text;
} kErrors[] = {
#define ERROR(number, name, text) {number, #name, text},
#include "fakes/hip/errors.inc"
#undef ERROR
};

template <typename T>
hipError_t Make(T** to) {
  if (to == nullptr) return hipErrorInvalidValue;
  *to = static_cast<T*>(calloc(1, 64));
  return *to == nullptr ? hipErrorOutOfMemory : hipSuccess;
}

template <typename T>
hipError_t Destroy(T* thing) {
  if (thing == nullptr) return hipErrorInvalidHandle;
  free(thing);
  return hipSuccess;
}

#define DONE() WithDevice(HERE().Trust(world::Fidelity::kFixed), [] { return hipSuccess; })

}  // namespace

extern "C" {

hipError_t hipStreamCreate(hipStream_t* stream) {
  return WithDevice(HERE(), [&] { return Make(stream); });
}
hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned) {
  return WithDevice(HERE(), [&] { return Make(stream); });
}
hipError_t hipStreamCreateWithPriority(hipStream_t* stream, unsigned, int) {
  return WithDevice(HERE(), [&] { return Make(stream); });
}
hipError_t hipStreamDestroy(hipStream_t stream) {
  return WithDevice(HERE(), [&] { return Destroy(stream); });
}
hipError_t hipStreamSynchronize(hipStream_t) { return DONE(); }
hipError_t hipStreamQuery(hipStream_t) { return DONE(); }
hipError_t hipStreamWaitEvent(hipStream_t, hipEvent_t, unsigned) { return DONE(); }
hipError_t hipDeviceSynchronize() { return DONE(); }
hipError_t hipDeviceReset() { return DONE(); }

hipError_t hipEventCreate(hipEvent_t* event) {
  return WithDevice(HERE(), [&] { return Make(event); });
}
hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned) {
  return WithDevice(HERE(), [&] { return Make(event); });
}
hipError_t hipEventDestroy(hipEvent_t event) {
  return WithDevice(HERE(), [&] { return Destroy(event); });
}
hipError_t hipEventRecord(hipEvent_t event, hipStream_t) {
  return WithDevice(HERE(), [&] { return event == nullptr ? hipErrorInvalidHandle : hipSuccess; });
}
hipError_t hipEventSynchronize(hipEvent_t event) {
  return WithDevice(HERE(), [&] { return event == nullptr ? hipErrorInvalidHandle : hipSuccess; });
}
hipError_t hipEventQuery(hipEvent_t event) {
  return WithDevice(HERE(), [&] { return event == nullptr ? hipErrorInvalidHandle : hipSuccess; });
}
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t from, hipEvent_t to) {
  return WithDevice(HERE(), [&] {
    if (milliseconds == nullptr) return hipErrorInvalidValue;
    if (from == nullptr || to == nullptr) return hipErrorInvalidHandle;
    *milliseconds = 0;
    return hipSuccess;
  });
}

hipError_t hipGetLastError() {
  const hipError_t last = LastError();
  return static_cast<hipError_t>(world::Answer(CALL(), [&] {
    Remember(hipSuccess);
    return last;
  }));
}
hipError_t hipPeekAtLastError() {
  const hipError_t last = LastError();
  return static_cast<hipError_t>(world::Answer(CALL(), [&] { return last; }));
}

const char* hipGetErrorName(hipError_t error) {
  return world::AnswerText(CALL(error), [&]() -> const char* {
    for (const auto& known : kErrors)
      if (known.number == error) return known.name;
    return "hipErrorUnknown";
  });
}
const char* hipGetErrorString(hipError_t error) {
  return world::AnswerText(CALL(error), [&]() -> const char* {
    for (const auto& known : kErrors)
      if (known.number == error) return known.text;
    return "unknown error";
  });
}

// Static initialisers of every program register their kernels, before anybody asks for a GPU.
void** __hipRegisterFatBinary(const void*) {
  static void* binary = nullptr;
  world::Answer(CALL().Trust(world::Fidelity::kFixed), [] { return 0; });
  return &binary;
}
void __hipUnregisterFatBinary(void**) {}
void __hipRegisterFunction(void**, const void*, char*, const char*, unsigned, void*, void*, void*,
                           void*, int*) {}
void __hipRegisterVar(void**, void*, char*, char*, int, size_t, int, int) {}

}  // extern "C"
