// The types of the CUDA runtime API that api.h speaks of. header_check.cc takes NVIDIA's in their
// place.
#pragma once

#include <cstddef>
#include <cstdint>

using cudaError_t = int32_t;
using cudaDeviceAttr = int32_t;
using cudaMemcpyKind = int32_t;
using cudaFuncAttribute = int32_t;
using cudaStreamCaptureMode = int32_t;
using cudaStreamCaptureStatus = int32_t;
using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;
using cudaGraphNode_t = struct CUgraphNode_st*;
using cudaGraphExecUpdateResult = int32_t;
struct cudaDeviceProp;
struct cudaGraphExecUpdateResultInfo;
struct cudaLaunchConfig_st;
using cudaLaunchConfig_t = cudaLaunchConfig_st;
struct cudaFuncAttributes {
  size_t sharedSizeBytes;
  size_t constSizeBytes;
  size_t localSizeBytes;
  int maxThreadsPerBlock;
  int numRegs;
  int ptxVersion;
  int binaryVersion;
  int cacheModeCA;
  int maxDynamicSharedSizeBytes;
  int preferredShmemCarveout;
#if GPUSTAGE_CUDART_MAJOR >= 12
  int clusterDimMustBeSet;
  int requiredClusterWidth;
  int requiredClusterHeight;
  int requiredClusterDepth;
  int clusterSchedulingPolicyPreference;
  int nonPortableClusterSizeAllowed;
  int reserved[16];
#endif
};
struct dim3 {
  unsigned int x, y, z;
};

enum : cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorInitializationError = 3,
  cudaErrorStubLibrary = 34,
  cudaErrorInsufficientDriver = 35,
  cudaErrorCallRequiresNewerDriver = 36,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNotSupported = 801,
  cudaErrorUnknown = 999,
};
