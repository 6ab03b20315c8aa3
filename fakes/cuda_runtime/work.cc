// Streams and events are the driver's. Graphs and kernels are accepted and never run. A scanner
// computes gets success and untouched output.
#include "fakes/cuda_runtime/runtime.h"

namespace gpustage::cuda_runtime {
namespace {

// A handle is a number that was not given before; nothing is behind it.
template <typename Handle>
cudaError_t New(Handle* handle) {
  static uintptr_t last = 0;
  if (handle == nullptr) return cudaErrorInvalidValue;
  *handle = reinterpret_cast<Handle>(__atomic_add_fetch(&last, 16, __ATOMIC_RELAXED));
  return cudaSuccess;
}

cudaError_t Accept(Call&& call) {
  return InContext(static_cast<Call&&>(call).Trust(Fidelity::kFixed), [] { return cudaSuccess; });
}

template <typename Handle>
cudaError_t Create(Call&& call, Handle* handle) {
  return InContext(static_cast<Call&&>(call).Trust(Fidelity::kFixed), [&] { return New(handle); });
}

cudaError_t FunctionAttributes(cudaFuncAttributes* attributes) {
  if (attributes == nullptr) return cudaErrorInvalidValue;
  *attributes = {};
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 32;
  return cudaSuccess;
}

}  // namespace
}  // namespace gpustage::cuda_runtime

using namespace gpustage::cuda_runtime;

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return InContext(CALL(), [&] { return Cuda().cuStreamCreate(stream, 0); });
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return InContext(CALL(flags), [&] { return Cuda().cuStreamCreate(stream, flags); });
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int priority) {
  return InContext(CALL(flags, priority),
                   [&] { return Cuda().cuStreamCreateWithPriority(stream, flags, priority); });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return InContext(CALL(stream), [&] { return Cuda().cuStreamDestroy(stream); });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return InContext(CALL(stream), [&] { return Cuda().cuStreamSynchronize(stream); });
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return InContext(CALL(stream), [&] { return Cuda().cuStreamQuery(stream); });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  return InContext(CALL(stream, event, flags),
                   [&] { return Cuda().cuStreamWaitEvent(stream, event, flags); });
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return Accept(CALL(stream, mode));
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return Create(CALL(stream), graph);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return InContext(CALL(stream), [&] { return Cuda().cuStreamIsCapturing(stream, status); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return InContext(CALL(), [&] { return Cuda().cuEventCreate(event, 0); });
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  return InContext(CALL(flags), [&] { return Cuda().cuEventCreate(event, flags); });
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return InContext(CALL(event), [&] { return Cuda().cuEventDestroy(event); });
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return InContext(CALL(event, stream), [&] { return Cuda().cuEventRecord(event, stream); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return InContext(CALL(event), [&] { return Cuda().cuEventSynchronize(event); });
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return InContext(CALL(event), [&] { return Cuda().cuEventQuery(event); });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return InContext(CALL(start, end),
                   [&] { return Cuda().cuEventElapsedTime(milliseconds, start, end); });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return Accept(CALL(graph, stream));
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return Accept(CALL(graph)); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return Accept(CALL(graph)); }
#if GPUSTAGE_CUDART_MAJOR == 11
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* result, cudaGraph_t graph, cudaGraphNode_t*,
                                 char*, size_t) {
  return Create(CALL(graph), result);
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t*,
                                cudaGraphExecUpdateResult*) {
  return Accept(CALL(exec, graph));
}
#else
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* result, cudaGraph_t graph,
                                 unsigned long long flags) {
  return Create(CALL(graph, flags), result);
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo*) {
  return Accept(CALL(exec, graph));
}
#endif

cudaError_t cudaLaunchKernel(const void* function, dim3, dim3, void**, size_t shared_bytes,
                             cudaStream_t stream) {
  return Accept(CALL(function, shared_bytes, stream));
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void* function, void**) {
  return Accept(CALL(function));
}
cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3, dim3, void**,
                                        size_t shared_bytes, cudaStream_t stream) {
  return Accept(CALL(function, shared_bytes, stream));
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  return InContext(CALL(function).Trust(Fidelity::kFixed),
                   [&] { return FunctionAttributes(attributes); });
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return Accept(CALL(function, attribute, value));
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, const void* function, int block_size, size_t shared_bytes, unsigned int flags) {
  return InContext(CALL(function, block_size, shared_bytes, flags).Trust(Fidelity::kFixed),
                   [&] { return Put(blocks, 1); });
}
