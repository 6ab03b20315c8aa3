// The part of ggml's binary interface that computes: buffers and backends. See abi.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpustage::ggml {

struct Device;
struct Tensor;
struct Graph;
struct Backend;
struct BufferType;
struct Buffer;

struct BufferTypeInterface {
  const char* (*get_name)(BufferType*);
  Buffer* (*alloc_buffer)(BufferType*, size_t);
  size_t (*get_alignment)(BufferType*);
  size_t (*get_max_size)(BufferType*);
  size_t (*get_alloc_size)(BufferType*, const Tensor*);
  bool (*is_host)(BufferType*);
#if GPUSTAGE_GGML_OLLAMA
  Buffer* (*noalloc_buffer)(BufferType*, size_t);
#endif
};

struct BufferType {
  BufferTypeInterface functions;
  Device* device;
  void* context;
#if GPUSTAGE_GGML_OLLAMA
  bool no_alloc;
#endif
};

struct BufferInterface {
  void (*free_buffer)(Buffer*);
  void* (*get_base)(Buffer*);
  int32_t (*init_tensor)(Buffer*, Tensor*);
  void (*memset_tensor)(Buffer*, Tensor*, uint8_t, size_t, size_t);
  void (*set_tensor)(Buffer*, Tensor*, const void*, size_t, size_t);
  void (*get_tensor)(Buffer*, const Tensor*, void*, size_t, size_t);
#if !GPUSTAGE_GGML_OLLAMA
  void* tensor_2d[2];  // set and get
#endif
  bool (*cpy_tensor)(Buffer*, const Tensor*, Tensor*);
  void (*clear)(Buffer*, uint8_t);
  void (*reset)(Buffer*);
};

struct Buffer {
  BufferInterface functions;
  BufferType* type;
  void* context;
  size_t size;
  int32_t usage;
#if GPUSTAGE_GGML_OLLAMA
  bool no_alloc;
#endif
};

struct BackendInterface {
  const char* (*get_name)(Backend*);
  void (*free)(Backend*);
  void* tensor_transfers[GPUSTAGE_GGML_OLLAMA ? 3 : 5];  // set, get, upstream's two for 2D, copy
  void (*synchronize)(Backend*);
  void* graph_plans[4];
  int32_t (*graph_compute)(Backend*, Graph*);  // Ollama: and a batch size, which is not looked at
  void* events[2];
  void* graph_optimize;
#if GPUSTAGE_GGML_OLLAMA
  void* graph_reserve;
  size_t (*buffer_size)(Backend*);
  void (*reset)(Backend*);
#endif
};

struct Backend {
  const uint8_t* guid;  // 16 bytes
  BackendInterface functions;
  Device* device;
  void* context;
};

static_assert(sizeof(BufferInterface) == (GPUSTAGE_GGML_OLLAMA ? 9 : 11) * sizeof(void*));
static_assert(offsetof(Backend, functions.graph_compute) == (GPUSTAGE_GGML_OLLAMA ? 0x58 : 0x68));

}  // namespace gpustage::ggml
