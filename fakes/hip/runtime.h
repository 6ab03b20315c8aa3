// What HIP knows once it has begun, and how a call of it is answered.
#pragma once

#include "fakes/amd/topology.h"
#include "fakes/hip/types.h"
#include "fakes/world/call.h"

namespace gpustage::hip {

struct Facts {
  char name[64];
  char gfx[64];
  char uuid[24];
  int place;  // in World::devices, -1: none
  amd::Target target;
  uint32_t wave, units, multiprocessors, megahertz, memory_width, memory_megahertz;
  uint32_t domain, bus, device;
  int32_t integrated;
  uint64_t memory;
};

// Of the first call: begins HSA and takes its GPUs that the masks leave.
hipError_t Start();
int DeviceCount();
const Facts& Of(int device);
bool IsDevice(int device);
int& Current();  // of this thread

// What hipGetLastError tells.
hipError_t Remember(hipError_t error);
hipError_t LastError();

inline int PlaceOf(int device) { return IsDevice(device) ? Of(device).place : -1; }

// A call that begins HIP, and is refused where there is no GPU.
template <typename Body>
hipError_t WithDevice(world::Call&& call, Body body) {
  return Remember(static_cast<hipError_t>(world::Answer(call, [&]() -> hipError_t {
    const hipError_t started = Start();
    if (started != hipSuccess) return started;
    return DeviceCount() == 0 ? hipErrorNoDevice : body();
  })));
}

// One that is answered without a GPU, too.
template <typename Body>
hipError_t Without(world::Call&& call, Body body) {
  return Remember(static_cast<hipError_t>(world::Answer(call, [&]() -> hipError_t {
    (void)Start();
    return body();
  })));
}

// A call about this thread's device.
#define HERE(...) CALL(__VA_ARGS__).On(PlaceOf(Current()))

// HIP_VISIBLE_DEVICES, or CUDA_VISIBLE_DEVICES where that is empty.
int Visible(const char* mask, const Facts* all, int count, int* chosen);

}  // namespace gpustage::hip
