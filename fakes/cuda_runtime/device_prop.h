// cudaDeviceProp, whose layout differs between the majors. The caller's compiler chose one; the
// library writes its own.
#pragma once

#include "fakes/cuda_runtime/runtime.h"

namespace gpustage::cuda_runtime {

// What the scenario wants written, or the library's own layout. `major` is that of the entry point.
void WriteProperties(void* out, const DeviceFacts& facts, int major);

}  // namespace gpustage::cuda_runtime
