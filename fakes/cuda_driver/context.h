// What is behind a context handle.
#pragma once

#include "fakes/cuda_driver/api.h"

struct CUctx_st {
  CUdevice device;
  int32_t users;  // 0: free or destroyed
  unsigned int flags;
};

namespace gpustage::cuda_driver {

// Priorities of its streams, as an H200 has them. The least comes first.
constexpr int kLeastPriority = 0, kGreatestPriority = -5;

CUcontext TheCurrentContext();  // null: none

}  // namespace gpustage::cuda_driver
