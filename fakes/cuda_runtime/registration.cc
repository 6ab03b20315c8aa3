// What nvcc puts into programs: registration of kernels in static initialisers, and launches. One
// library of kernels makes thousands of these calls before main(), so only the first of each kind
// is recorded in a process.
#include "fakes/cuda_runtime/runtime.h"

namespace gpustage::cuda_runtime {
namespace {

void RecordFirst(Call&& call, int32_t& slot) {
  if (world::FirstInProcess(slot))
    Answer(static_cast<Call&&>(call).Trust(Fidelity::kFixed), [] { return cudaSuccess; });
}

#define RECORD_FIRST()         \
  do {                         \
    static int32_t slot = 0;   \
    RecordFirst(CALL(), slot); \
  } while (false)

void* g_fat_binary;  // one handle serves all: nothing is ever looked up through it

}  // namespace
}  // namespace gpustage::cuda_runtime

using namespace gpustage::cuda_runtime;

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  RECORD_FIRST();
  return &g_fat_binary;
}
void __cudaRegisterFatBinaryEnd(void**) { RECORD_FIRST(); }
void __cudaUnregisterFatBinary(void**) { RECORD_FIRST(); }
void __cudaRegisterFunction(void**, const char*, char*, const char*, int, void*, void*, void*,
                            void*, int*) {
  RECORD_FIRST();
}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) { RECORD_FIRST(); }

unsigned int __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_bytes, void* stream) {
  RECORD_FIRST();
  t_thread.launch = {grid, block, shared_bytes, stream};
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_bytes,
                                       void* stream) {
  RECORD_FIRST();
  *grid = t_thread.launch.grid;
  *block = t_thread.launch.block;
  *shared_bytes = t_thread.launch.shared_bytes;
  *static_cast<void**>(stream) = t_thread.launch.stream;
  return cudaSuccess;
}

#if GPUSTAGE_CUDART_MAJOR >= 13
// The kernel of a host function: the function itself serves as its handle.
cudaError_t __cudaGetKernel(void** kernel, const void* function) {
  RECORD_FIRST();
  *kernel = const_cast<void*>(function);
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(void* kernel, dim3, dim3, void**, size_t shared_bytes,
                               cudaStream_t stream) {
  return InContext(CALL(kernel, shared_bytes, stream).Trust(Fidelity::kFixed),
                   [] { return cudaSuccess; });
}
#endif
}
