// What callers see of HIP, from hip_runtime_api.h.
#pragma once

#include <cstddef>
#include <cstdint>

enum hipError_t : int32_t {
  hipSuccess = 0,
  hipErrorInvalidValue = 1,
  hipErrorOutOfMemory = 2,
  hipErrorNoDevice = 100,
  hipErrorInvalidDevice = 101,
  hipErrorInvalidHandle = 400,
  hipErrorNotFound = 500,
  hipErrorNotReady = 600,
  hipErrorUnknown = 999,
  hipErrorNotSupported = 801,
};

struct hipUUID {
  char bytes[16];
};
struct ihipStream_t;
struct ihipEvent_t;
using hipStream_t = ihipStream_t*;
using hipEvent_t = ihipEvent_t*;
using hipDevice_t = int;

extern "C" {
hipError_t hipInit(unsigned flags);
hipError_t hipGetDeviceCount(int* count);
hipError_t hipGetDevice(int* device);
hipError_t hipSetDevice(int device);
hipError_t hipDeviceGetAttribute(int* value, int attribute, int device);
hipError_t hipDeviceGetPCIBusId(char* text, int size, int device);
hipError_t hipMemGetInfo(size_t* free, size_t* total);
hipError_t hipMalloc(void** memory, size_t bytes);
hipError_t hipFree(void* memory);
hipError_t hipMemset(void* memory, int value, size_t bytes);
hipError_t hipGetLastError();
hipError_t hipDriverGetVersion(int* version);
const char* hipGetErrorString(hipError_t error);
// R0600 from 6 on, R0000 before.
hipError_t hipGetDevicePropertiesR0600(void* properties, int device);
hipError_t hipGetDeviceProperties(void* properties, int device);
}
