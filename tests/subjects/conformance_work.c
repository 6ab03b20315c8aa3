// libcuda: contexts, memory, streams, events, modules and cuGetProcAddress.
#include <stdint.h>

#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static void* g_context;  // of this process, where a section needs one

static void Use(void) {
  Find("cuInit")(0);
  Find("cuDevicePrimaryCtxRetain")(&g_context, 0);
  Find("cuCtxSetCurrent")(g_context);
}

static void NoContext(void) {
  ASK_POINTER("driver.context.none.current", Find("cuCtxGetCurrent")(&g_pointer));
  ASK("driver.context.none.current(null)", Find("cuCtxGetCurrent")(NULL));
  ASK_INT("driver.context.none.device", Find("cuCtxGetDevice")(&g_int));
  ASK("driver.context.none.device(null)", Find("cuCtxGetDevice")(NULL));
  ASK("driver.context.none.synchronize", Find("cuCtxSynchronize")());
  ASK_POINTER("driver.context.none.pop", Find("cuCtxPopCurrent_v2")(&g_pointer));
  ASK("driver.context.none.pop(null)", Find("cuCtxPopCurrent_v2")(NULL));
  ASK("driver.context.none.push(null)", Find("cuCtxPushCurrent_v2")(NULL));
  ASK("driver.context.none.set(null)", Find("cuCtxSetCurrent")(NULL));
  ASK("driver.context.none.destroy(null)", Find("cuCtxDestroy_v2")(NULL));
  ASK_SIZE("driver.context.none.memory", Find("cuMemGetInfo_v2")(&g_size, g_bytes));
  ASK_SIZE("driver.context.none.allocate", Find("cuMemAlloc_v2")(&g_size, (Size)4096));
  ASK("driver.context.none.free(null)", Find("cuMemFree_v2")((Size)0));
  ASK("driver.context.none.free(garbage)", Find("cuMemFree_v2")((Size)0x1234500));
  ASK_POINTER("driver.context.none.host", Find("cuMemHostAlloc")(&g_pointer, (Size)64, 0));
  ASK_POINTER("driver.context.none.stream", Find("cuStreamCreate")(&g_pointer, 0));
  ASK_POINTER("driver.context.none.event", Find("cuEventCreate")(&g_pointer, 0));
  ASK_POINTER("driver.context.none.module", Find("cuModuleLoadData")(&g_pointer, "text"));
  ASK_INT("driver.context.none.flags", Find("cuCtxGetFlags")(&g_int));
  ASK_SIZE("driver.context.none.limit", Find("cuCtxGetLimit")(&g_size, 0));
  ASK_INT("driver.context.none.api_version", Find("cuCtxGetApiVersion")(NULL, &g_int));
  ASK_TWO("driver.context.none.priorities", Find("cuCtxGetStreamPriorityRange")(&g_int, &g_more));
}

static void Primary(void) {
  void* again = NULL;
  ASK("driver.primary.release_unretained", Find("cuDevicePrimaryCtxRelease_v2")(0));
  ASK("driver.primary.retain(null)", Find("cuDevicePrimaryCtxRetain")(NULL, 0));
  ASK_TWO("driver.primary.state", Find("cuDevicePrimaryCtxGetState")(0, &g_int, &g_more));
  ASK_TWO("driver.primary.state(null)", Find("cuDevicePrimaryCtxGetState")(0, NULL, &g_more));
  ASK_TWO("driver.primary.state(,null)", Find("cuDevicePrimaryCtxGetState")(0, &g_int, NULL));
  ASK("driver.primary.set_flags(99)", Find("cuDevicePrimaryCtxSetFlags_v2")(0, 99));
  ASK("driver.primary.set_flags(4)", Find("cuDevicePrimaryCtxSetFlags_v2")(0, 4));
  ASK_TWO("driver.primary.state.flags", Find("cuDevicePrimaryCtxGetState")(0, &g_int, &g_more));
  ASK("driver.primary.retain", Find("cuDevicePrimaryCtxRetain")(&g_context, 0));
  ASK_VALUE("driver.primary.retain.again", Find("cuDevicePrimaryCtxRetain")(&again, 0),
            again == g_context ? "same" : "other");
  ASK_TWO("driver.primary.state.active", Find("cuDevicePrimaryCtxGetState")(0, &g_int, &g_more));
  ASK_POINTER("driver.primary.current", Find("cuCtxGetCurrent")(&g_pointer));
  ASK("driver.primary.set_current", Find("cuCtxSetCurrent")(g_context));
  ASK_VALUE("driver.primary.current.set", Find("cuCtxGetCurrent")(&again),
            again == g_context ? "same" : "other");
  ASK_INT("driver.primary.device", Find("cuCtxGetDevice")(&g_int));
  ASK("driver.primary.device(null)", Find("cuCtxGetDevice")(NULL));
  ASK_INT("driver.primary.flags", Find("cuCtxGetFlags")(&g_int));
  ASK_INT("driver.primary.api_version", Find("cuCtxGetApiVersion")(g_context, &g_int));
  ASK("driver.primary.synchronize", Find("cuCtxSynchronize")());
  ASK("driver.primary.destroy", Find("cuCtxDestroy_v2")(g_context));
  ASK("driver.primary.release", Find("cuDevicePrimaryCtxRelease_v2")(0));
  ASK_TWO("driver.primary.state.one_left", Find("cuDevicePrimaryCtxGetState")(0, &g_int, &g_more));
  ASK("driver.primary.release.last", Find("cuDevicePrimaryCtxRelease_v2")(0));
  ASK_TWO("driver.primary.state.released", Find("cuDevicePrimaryCtxGetState")(0, &g_int, &g_more));
  ASK("driver.primary.release.too_often", Find("cuDevicePrimaryCtxRelease_v2")(0));
  ASK_SIZE("driver.primary.allocate_released", Find("cuMemAlloc_v2")(&g_size, (Size)4096));
  ASK_INT("driver.primary.device_released", Find("cuCtxGetDevice")(&g_int));
  ASK("driver.primary.set(null)", Find("cuCtxSetCurrent")(NULL));
  ASK("driver.primary.reset", Find("cuDevicePrimaryCtxReset_v2")(0));
}

static void Created(void) {
  void* one = NULL;
  void* two = NULL;
  void* seen = NULL;
  ASK("driver.context.create(null)", Find("cuCtxCreate_v2")(NULL, 0, 0));
  ASK_POINTER("driver.context.create(flags 4096)", Find("cuCtxCreate_v2")(&g_pointer, 4096, 0));
  ASK("driver.context.create", Find("cuCtxCreate_v2")(&one, 0, 0));
  ASK_VALUE("driver.context.current", Find("cuCtxGetCurrent")(&seen),
            seen == one ? "same" : "other");
  ASK("driver.context.create.second", Find("cuCtxCreate_v2")(&two, 8, 0));
  ASK_VALUE("driver.context.current.second", Find("cuCtxGetCurrent")(&seen),
            seen == two ? "same" : "other");
  ASK_INT("driver.context.flags.second", Find("cuCtxGetFlags")(&g_int));
  ASK_VALUE("driver.context.pop", Find("cuCtxPopCurrent_v2")(&seen),
            seen == two ? "same" : "other");
  ASK_VALUE("driver.context.current.popped", Find("cuCtxGetCurrent")(&seen),
            seen == one ? "same" : "other");
  ASK("driver.context.push", Find("cuCtxPushCurrent_v2")(two));
  ASK("driver.context.push.again", Find("cuCtxPushCurrent_v2")(two));
  ASK("driver.context.pop.again", Find("cuCtxPopCurrent_v2")(&seen));
  ASK("driver.context.destroy", Find("cuCtxDestroy_v2")(two));
  ASK_VALUE("driver.context.current.destroyed", Find("cuCtxGetCurrent")(&seen),
            seen == one   ? "below"
            : seen == two ? "destroyed"
                          : "none");
  ASK("driver.context.set", Find("cuCtxSetCurrent")(one));
  for (int limit = 0; limit <= 9; ++limit)
    ASK_SIZE(Id("driver.context.limit.%d", limit), Find("cuCtxGetLimit")(&g_size, limit));
  ASK("driver.context.limit(null)", Find("cuCtxGetLimit")(NULL, 0));
  ASK_INT("driver.context.cache_config", Find("cuCtxGetCacheConfig")(&g_int));
  ASK_INT("driver.context.shared_config", Find("cuCtxGetSharedMemConfig")(&g_int));
  ASK_INT("driver.context.api_version(null)", Find("cuCtxGetApiVersion")(NULL, &g_int));
  ASK_INT("driver.context.api_version", Find("cuCtxGetApiVersion")(one, &g_int));
  ASK_TWO("driver.context.priorities", Find("cuCtxGetStreamPriorityRange")(&g_int, &g_more));
  ASK("driver.context.priorities(null)", Find("cuCtxGetStreamPriorityRange")(NULL, NULL));
  ASK("driver.context.peer_self", Find("cuCtxEnablePeerAccess")(one, 0));
  ASK("driver.context.peer(null)", Find("cuCtxEnablePeerAccess")(NULL, 0));
  ASK("driver.context.no_peer", Find("cuCtxDisablePeerAccess")(one));
  ASK("driver.context.destroy.first", Find("cuCtxDestroy_v2")(one));
}

void AskContexts(void) {
  Find("cuInit")(0);
  NoContext();
  Primary();
  Created();
}

// What cuMemGetInfo counts less than before.
static Size Free(void) {
  Size size[2] = {0, 0};
  Find("cuMemGetInfo_v2")(&size[0], &size[1]);
  return size[0];
}
static const char* Taken(Size before) { return Id("took %lld", (long long)(before - Free())); }

static void Allocations(void) {
  static const Size kSizes[] = {1, 256, 4096, 1 << 20, 2 << 20, (2 << 20) + 1, 3 << 20, 64 << 20};
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i) {
    const Size before = Free();
    Size memory = 0;
    ASK_VALUE(Id("driver.memory.allocate(%llu)", kSizes[i]),
              Find("cuMemAlloc_v2")(&memory, kSizes[i]), Taken(before));
    ASK_VALUE(Id("driver.memory.alignment(%llu)", kSizes[i]), 0,
              memory % 512 == 0 ? "512" : "less");
    ASK_VALUE(Id("driver.memory.free(%llu)", kSizes[i]), Find("cuMemFree_v2")(memory),
              Taken(before));
  }
  ASK_SIZE("driver.memory.allocate(0)", Find("cuMemAlloc_v2")(&g_size, (Size)0));
  ASK("driver.memory.allocate(null)", Find("cuMemAlloc_v2")(NULL, (Size)4096));
  ASK_SIZE("driver.memory.allocate(1 << 45)", Find("cuMemAlloc_v2")(&g_size, (Size)1 << 45));
  ASK_SIZE("driver.memory.allocate(-1)", Find("cuMemAlloc_v2")(&g_size, ~(Size)0));
  ASK("driver.memory.free(null)", Find("cuMemFree_v2")((Size)0));
  ASK("driver.memory.free(garbage)", Find("cuMemFree_v2")((Size)0x123456000));
}

static void Ranges(void) {
  Size memory = 0, base = 0, other = 0;
  ASK("driver.memory.allocate", Find("cuMemAlloc_v2")(&memory, (Size)100000));
  ASK_VALUE("driver.memory.range", Find("cuMemGetAddressRange_v2")(&base, &g_size, memory + 50),
            Id("%s %llu", base == memory ? "base" : "other", g_size));
  ASK_SIZE("driver.memory.range(null)",
           Find("cuMemGetAddressRange_v2")(NULL, &g_size, memory + 50));
  ASK("driver.memory.range(null, null)", Find("cuMemGetAddressRange_v2")(NULL, NULL, memory));
  ASK("driver.memory.range(garbage)",
      Find("cuMemGetAddressRange_v2")(&base, &g_size, (Size)0x123456000));
  ASK("driver.memory.free(inside)", Find("cuMemFree_v2")(memory + 256));
  static const int kAttributes[] = {2, 8, 9, 10, 99};
  for (size_t i = 0; i < sizeof(kAttributes) / sizeof(kAttributes[0]); ++i)
    ASK_INT(Id("driver.memory.pointer_attribute.%d", kAttributes[i]),
            Find("cuPointerGetAttribute")(&g_int, kAttributes[i], memory));
  ASK_INT("driver.memory.pointer_attribute(garbage)",
          Find("cuPointerGetAttribute")(&g_int, 2, (Size)0x123456000));
  ASK("driver.memory.pointer_attribute(null)", Find("cuPointerGetAttribute")(NULL, 2, memory));
  ASK("driver.memory.free", Find("cuMemFree_v2")(memory));
  ASK("driver.memory.free.twice", Find("cuMemFree_v2")(memory));
  ASK_VALUE("driver.memory.info", Find("cuMemGetInfo_v2")(&base, &other), Id("total %llu", other));
  ASK("driver.memory.info(null)", Find("cuMemGetInfo_v2")(NULL, &other));
  ASK("driver.memory.info(,null)", Find("cuMemGetInfo_v2")(&other, NULL));
  ASK("driver.memory.info(null, null)", Find("cuMemGetInfo_v2")(NULL, NULL));
}

static void HostMemory(void) {
  static char registered[16384] __attribute__((aligned(4096)));
  void* host = NULL;
  Size device = 0;
  ASK_POINTER("driver.host.allocate(0)", Find("cuMemHostAlloc")(&g_pointer, (Size)0, 0));
  ASK("driver.host.allocate(null)", Find("cuMemHostAlloc")(NULL, (Size)64, 0));
  ASK_POINTER("driver.host.allocate(flags 99)", Find("cuMemHostAlloc")(&g_pointer, (Size)64, 99));
  ASK("driver.host.allocate", Find("cuMemHostAlloc")(&host, (Size)4096, 2));
  ASK_VALUE("driver.host.device_pointer", Find("cuMemHostGetDevicePointer_v2")(&device, host, 0),
            device == (Size)(uintptr_t)host ? "same" : "other");
  ASK("driver.host.device_pointer(flags 1)",
      Find("cuMemHostGetDevicePointer_v2")(&device, host, 1));
  ASK("driver.host.device_pointer(null)", Find("cuMemHostGetDevicePointer_v2")(NULL, host, 0));
  ASK("driver.host.device_pointer(stack)",
      Find("cuMemHostGetDevicePointer_v2")(&device, registered, 0));
  ASK_INT("driver.host.flags", Find("cuMemHostGetFlags")(&g_int, host));
  ASK_INT("driver.host.flags(stack)", Find("cuMemHostGetFlags")(&g_int, registered));
  ASK("driver.host.free", Find("cuMemFreeHost")(host));
  ASK("driver.host.free.twice", Find("cuMemFreeHost")(host));
  ASK("driver.host.free(null)", Find("cuMemFreeHost")(NULL));
  ASK("driver.host.free(stack)", Find("cuMemFreeHost")(registered));
  ASK("driver.host.register", Find("cuMemHostRegister_v2")(registered, (Size)8192, 0));
  ASK("driver.host.register.twice", Find("cuMemHostRegister_v2")(registered, (Size)8192, 0));
  ASK("driver.host.register(null)", Find("cuMemHostRegister_v2")(NULL, (Size)8192, 0));
  ASK("driver.host.register(0)", Find("cuMemHostRegister_v2")(registered, (Size)0, 0));
  ASK("driver.host.unregister", Find("cuMemHostUnregister")(registered));
  ASK("driver.host.unregister.twice", Find("cuMemHostUnregister")(registered));
  ASK("driver.host.unregister(null)", Find("cuMemHostUnregister")(NULL));
}

void AskMemory(void) {
  Use();
  Size warm = 0;  // the first allocation may take a block that later ones share
  Find("cuMemAlloc_v2")(&warm, (Size)64);
  Allocations();
  Ranges();
  HostMemory();
}

void AskCopies(void) {
  Size a = 0, b = 0;
  char in[64], out[64];
  Use();
  Find("cuMemAlloc_v2")(&a, (Size)4096);
  Find("cuMemAlloc_v2")(&b, (Size)4096);
  for (size_t i = 0; i < sizeof(in); ++i) in[i] = (char)('a' + i % 26);
  memset(out, 0, sizeof(out));
  ASK("driver.copy.set", Find("cuMemsetD8_v2")(a, 'x', (Size)4096));
  ASK_VALUE("driver.copy.get.set", Find("cuMemcpyDtoH_v2")(out, a, (Size)8), out);
  ASK("driver.copy.put", Find("cuMemcpyHtoD_v2")(a, in, (Size)32));
  ASK("driver.copy.across", Find("cuMemcpyDtoD_v2")(b, a, (Size)64));
  ASK_VALUE("driver.copy.get", Find("cuMemcpyDtoH_v2")(out, b, (Size)40), out);
  ASK("driver.copy.any", Find("cuMemcpy")(a + 100, b, (Size)16));
  ASK("driver.copy.put(0)", Find("cuMemcpyHtoD_v2")(a, in, (Size)0));
  ASK("driver.copy.put(null)", Find("cuMemcpyHtoD_v2")((Size)0, in, (Size)8));
  ASK("driver.copy.get(,null)", Find("cuMemcpyDtoH_v2")(out, (Size)0, (Size)8));
  ASK("driver.copy.get(garbage)", Find("cuMemcpyDtoH_v2")(out, (Size)0x123456000, (Size)8));
  ASK("driver.copy.across(garbage)", Find("cuMemcpyDtoD_v2")(a, (Size)0x123456000, (Size)8));
  ASK("driver.copy.set(null)", Find("cuMemsetD8_v2")((Size)0, 0, (Size)8));
  ASK("driver.copy.set(garbage)", Find("cuMemsetD8_v2")((Size)0x123456000, 0, (Size)8));
  ASK("driver.copy.set(0)", Find("cuMemsetD8_v2")(a, 0, (Size)0));
  ASK("driver.copy.put(too long)", Find("cuMemcpyHtoD_v2")(a, g_bytes, (Size)60000));
  ASK("driver.copy.set16", Find("cuMemsetD16_v2")(a, 0x4142, (Size)4));
  ASK("driver.copy.set32", Find("cuMemsetD32_v2")(a + 8, 0x43444546, (Size)2));
  ASK("driver.copy.set32(odd)", Find("cuMemsetD32_v2")(a + 1, 0, (Size)2));
  ASK_VALUE("driver.copy.get.set16_32", Find("cuMemcpyDtoH_v2")(out, a, (Size)16),
            Id("%.16s", out));
  ASK("driver.copy.put_async", Find("cuMemcpyHtoDAsync_v2")(a, "later", (Size)6, NULL));
  ASK("driver.copy.set_async", Find("cuMemsetD8Async")(a + 5, '!', (Size)1, NULL));
  ASK("driver.copy.get_async", Find("cuMemcpyDtoHAsync_v2")(out, a, (Size)6, NULL));
  ASK("driver.copy.synchronize", Find("cuCtxSynchronize")());
  ASK_VALUE("driver.copy.async_arrived", 0, Id("%.6s", out));
}

// Each in a process of its own: what crashes inside the driver leaves it locked.
static Size Prepared(void) {
  Size memory = 0;
  Use();
  Find("cuMemAlloc_v2")(&memory, (Size)4096);
  return memory;
}
void AskPutNull(void) {
  const Size memory = Prepared();
  ASK("driver.copy.put(,null)", Find("cuMemcpyHtoD_v2")(memory, NULL, (Size)8));
}
void AskGetNull(void) {
  const Size memory = Prepared();
  ASK("driver.copy.get(null)", Find("cuMemcpyDtoH_v2")(NULL, memory, (Size)8));
}
// CUmemAllocationProp: pinned memory of a device.
struct Prop {
  int type;
  int handle_types;
  int location_type;
  int location;
  void* metadata;
  unsigned char flags[8];
};

static void VirtualWrong(struct Prop* prop) {
  ASK("driver.virtual.create(null)", Find("cuMemCreate")(NULL, (Size)2 << 20, prop, (Size)0));
  ASK("driver.virtual.create(,null)", Find("cuMemCreate")(&g_size, (Size)2 << 20, NULL, (Size)0));
  ASK_SIZE("driver.virtual.create(0)", Find("cuMemCreate")(&g_size, (Size)0, prop, (Size)0));
  ASK_SIZE("driver.virtual.create(4096)", Find("cuMemCreate")(&g_size, (Size)4096, prop, (Size)0));
  prop->location = 99;
  ASK_SIZE("driver.virtual.create.device99",
           Find("cuMemCreate")(&g_size, (Size)2 << 20, prop, (Size)0));
  ASK_SIZE("driver.virtual.granularity.device99",
           Find("cuMemGetAllocationGranularity")(&g_size, prop, 0));
  prop->location = 0;
  ASK_SIZE("driver.virtual.create(1 << 45)",
           Find("cuMemCreate")(&g_size, (Size)1 << 45, prop, (Size)0));
  ASK_SIZE("driver.virtual.reserve(0)",
           Find("cuMemAddressReserve")(&g_size, (Size)0, (Size)0, (Size)0, (Size)0));
  ASK_SIZE("driver.virtual.reserve(4096)",
           Find("cuMemAddressReserve")(&g_size, (Size)4096, (Size)0, (Size)0, (Size)0));
  ASK("driver.virtual.reserve(null)",
      Find("cuMemAddressReserve")(NULL, (Size)2 << 20, (Size)0, (Size)0, (Size)0));
}

void AskVirtualMemory(void) {
  struct Prop prop = {1, 0, 1, 0, NULL, {0}};
  struct {
    int location_type, location, flags;
  } access = {1, 0, 3};
  Size handle = 0, address = 0, before = 0;
  char out[8] = "";
  Use();
  for (int option = 0; option <= 2; ++option)
    ASK_SIZE(Id("driver.virtual.granularity.%d", option),
             Find("cuMemGetAllocationGranularity")(&g_size, &prop, option));
  ASK("driver.virtual.granularity(null)", Find("cuMemGetAllocationGranularity")(NULL, &prop, 0));
  ASK("driver.virtual.granularity(,null)", Find("cuMemGetAllocationGranularity")(&g_size, NULL, 0));
  VirtualWrong(&prop);
  before = Free();
  ASK_VALUE("driver.virtual.create", Find("cuMemCreate")(&handle, (Size)4 << 20, &prop, (Size)0),
            Taken(before));
  ASK("driver.virtual.reserve",
      Find("cuMemAddressReserve")(&address, (Size)8 << 20, (Size)0, (Size)0, (Size)0));
  ASK("driver.virtual.map(offset)",
      Find("cuMemMap")(address, (Size)2 << 20, (Size)2 << 20, handle, (Size)0));
  ASK("driver.virtual.map", Find("cuMemMap")(address, (Size)4 << 20, (Size)0, handle, (Size)0));
  ASK("driver.virtual.map.again",
      Find("cuMemMap")(address, (Size)4 << 20, (Size)0, handle, (Size)0));
  ASK("driver.virtual.set.no_access", Find("cuMemsetD8_v2")(address, 'v', (Size)4));
  ASK("driver.virtual.access(null)", Find("cuMemSetAccess")(address, (Size)4 << 20, NULL, (Size)1));
  ASK("driver.virtual.access", Find("cuMemSetAccess")(address, (Size)4 << 20, &access, (Size)1));
  ASK("driver.virtual.set", Find("cuMemsetD8_v2")(address, 'v', (Size)4));
  ASK_VALUE("driver.virtual.get", Find("cuMemcpyDtoH_v2")(out, address, (Size)4), out);
  ASK("driver.virtual.address_free.mapped", Find("cuMemAddressFree")(address, (Size)8 << 20));
  ASK("driver.virtual.unmap", Find("cuMemUnmap")(address, (Size)4 << 20));
  ASK("driver.virtual.unmap.again", Find("cuMemUnmap")(address, (Size)4 << 20));
  ASK_VALUE("driver.virtual.release", Find("cuMemRelease")(handle), Taken(before));
  ASK("driver.virtual.release.twice", Find("cuMemRelease")(handle));
  ASK("driver.virtual.address_free", Find("cuMemAddressFree")(address, (Size)8 << 20));
  ASK("driver.virtual.address_free.twice", Find("cuMemAddressFree")(address, (Size)8 << 20));
}

static void Streams(void) {
  void* stream = NULL;
  ASK("driver.stream.create(null)", Find("cuStreamCreate")(NULL, 0));
  ASK_POINTER("driver.stream.create(flags 99)", Find("cuStreamCreate")(&g_pointer, 99));
  ASK("driver.stream.create", Find("cuStreamCreate")(&stream, 1));
  ASK("driver.stream.query", Find("cuStreamQuery")(stream));
  ASK("driver.stream.synchronize", Find("cuStreamSynchronize")(stream));
  ASK_INT("driver.stream.flags", Find("cuStreamGetFlags")(stream, &g_int));
  ASK_INT("driver.stream.priority", Find("cuStreamGetPriority")(stream, &g_int));
  ASK_INT("driver.stream.capturing", Find("cuStreamIsCapturing")(stream, &g_int));
  ASK("driver.stream.capturing(null)", Find("cuStreamIsCapturing")(stream, NULL));
  ASK("driver.stream.default.query", Find("cuStreamQuery")(NULL));
  ASK("driver.stream.default.synchronize", Find("cuStreamSynchronize")(NULL));
  ASK_INT("driver.stream.default.flags", Find("cuStreamGetFlags")(NULL, &g_int));
  ASK("driver.stream.default.destroy", Find("cuStreamDestroy_v2")(NULL));
  ASK("driver.stream.destroy", Find("cuStreamDestroy_v2")(stream));
  ASK("driver.stream.priority.create", Find("cuStreamCreateWithPriority")(&stream, 0, -1));
  ASK_INT("driver.stream.priority.value", Find("cuStreamGetPriority")(stream, &g_int));
  ASK("driver.stream.priority.destroy", Find("cuStreamDestroy_v2")(stream));
  ASK("driver.stream.priority.clamped", Find("cuStreamCreateWithPriority")(&stream, 0, -99));
  ASK_INT("driver.stream.priority.clamped_to", Find("cuStreamGetPriority")(stream, &g_int));
}

static void Events(void) {
  void* a = NULL;
  void* b = NULL;
  float elapsed = -1;
  ASK("driver.event.create(null)", Find("cuEventCreate")(NULL, 0));
  ASK_POINTER("driver.event.create(flags 99)", Find("cuEventCreate")(&g_pointer, 99));
  ASK("driver.event.create", Find("cuEventCreate")(&a, 0));
  ASK("driver.event.create.no_timing", Find("cuEventCreate")(&b, 2));
  ASK("driver.event.query.unrecorded", Find("cuEventQuery")(a));
  ASK("driver.event.synchronize.unrecorded", Find("cuEventSynchronize")(a));
  ASK("driver.event.elapsed.unrecorded", Find("cuEventElapsedTime")(&elapsed, a, a));
  ASK("driver.event.record", Find("cuEventRecord")(a, NULL));
  ASK("driver.event.record.no_timing", Find("cuEventRecord")(b, NULL));
  ASK("driver.event.synchronize", Find("cuEventSynchronize")(a));
  ASK("driver.event.query", Find("cuEventQuery")(a));
  ASK_VALUE("driver.event.elapsed.same", Find("cuEventElapsedTime")(&elapsed, a, a),
            Id("%g", (double)elapsed));
  ASK("driver.event.elapsed.no_timing", Find("cuEventElapsedTime")(&elapsed, a, b));
  ASK("driver.event.elapsed(null)", Find("cuEventElapsedTime")(NULL, a, a));
  ASK("driver.event.record(null)", Find("cuEventRecord")(NULL, NULL));
  ASK("driver.event.query(null)", Find("cuEventQuery")(NULL));
  ASK("driver.event.wait", Find("cuStreamWaitEvent")(NULL, a, 0));
  ASK("driver.event.wait(flags 99)", Find("cuStreamWaitEvent")(NULL, a, 99));
  ASK("driver.event.wait(null)", Find("cuStreamWaitEvent")(NULL, NULL, 0));
  ASK("driver.event.destroy(null)", Find("cuEventDestroy_v2")(NULL));
  ASK("driver.event.destroy", Find("cuEventDestroy_v2")(a));
}

void AskWork(void) {
  Use();
  Streams();
  Events();
}

// The smallest thing that is a program for the device.
static const char kPtx[] =
    ".version 7.0\n.target sm_50\n.address_size 64\n.visible .entry nothing()\n{\nret;\n}\n";

void AskModules(void) {
  void* module = NULL;
  void* function = NULL;
  Use();
  ASK_POINTER("driver.module.load(text)", Find("cuModuleLoadData")(&g_pointer, "not a module"));
  ASK_POINTER("driver.module.load(empty)", Find("cuModuleLoadData")(&g_pointer, ""));
  ASK_POINTER("driver.module.load(zeroes)", Find("cuModuleLoadData")(&g_pointer, g_bytes));
  ASK_POINTER("driver.module.load(,null)", Find("cuModuleLoadData")(&g_pointer, NULL));
  ASK("driver.module.load(null)", Find("cuModuleLoadData")(NULL, kPtx));
  ASK_POINTER("driver.module.file(missing)", Find("cuModuleLoad")(&g_pointer, "/nonexistent"));
  ASK_POINTER("driver.module.file(null)", Find("cuModuleLoad")(&g_pointer, NULL));
  ASK_POINTER("driver.module.load_ex(text)",
              Find("cuModuleLoadDataEx")(&g_pointer, "not a module", 0, NULL, NULL));
  ASK("driver.module.load", Find("cuModuleLoadData")(&module, kPtx));
  ASK("driver.module.function", Find("cuModuleGetFunction")(&function, module, "nothing"));
  ASK_POINTER("driver.module.function(unknown)",
              Find("cuModuleGetFunction")(&g_pointer, module, "unknown"));
  ASK_POINTER("driver.module.function(,,null)",
              Find("cuModuleGetFunction")(&g_pointer, module, NULL));
  ASK_POINTER("driver.module.function(,null)", Find("cuModuleGetFunction")(&g_pointer, NULL, "x"));
  ASK("driver.module.launch",
      Find("cuLaunchKernel")(function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
  ASK("driver.module.launch(0)",
      Find("cuLaunchKernel")(function, 0, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
  ASK("driver.module.launch(2000 threads)",
      Find("cuLaunchKernel")(function, 1, 1, 1, 2000, 1, 1, 0, NULL, NULL, NULL));
  ASK("driver.module.launch(null)",
      Find("cuLaunchKernel")(NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
  ASK("driver.module.synchronize", Find("cuCtxSynchronize")());
  ASK_INT("driver.module.loading_mode", Find("cuModuleGetLoadingMode")(&g_int));
  ASK("driver.module.unload", Find("cuModuleUnload")(module));
  ASK("driver.module.unload(null)", Find("cuModuleUnload")(NULL));
}

// What a name means at a version: found, and whether it is the export of that name.
static void Lookup(const char* name, int version, Size flags) {
  ASK_VALUE(Id("driver.proc_address.%s.%d.%d", name, version, (int)flags),
            Find("cuGetProcAddress_v2")(name, &g_pointer, version, flags, &g_int),
            Id("%s status %d",
               g_pointer == NULL            ? "null"
               : g_pointer == (void*)g_text ? "untouched"
                                            : "found",
               g_int));
}

static void Variants(const char* name, const char* newer, int version) {
  void* found = NULL;
  const Function older_export = Find(name), newer_export = Find(newer);
  ASK_VALUE(Id("driver.proc_address.%s.%d.is_%s", name, version, newer),
            Find("cuGetProcAddress")(name, &found, version, (Size)0),
            memcmp(&found, &newer_export, sizeof(found)) == 0   ? newer
            : memcmp(&found, &older_export, sizeof(found)) == 0 ? name
                                                                : "another");
}

void AskProcAddress(void) {
  static const char* const kNames[] = {"cuInit",
                                       "cuDeviceGetCount",
                                       "cuMemAlloc",
                                       "cuCtxCreate",
                                       "cuGetProcAddress",
                                       "cuDeviceGetUuid",
                                       "cuMemGetInfo_v2",
                                       "cuNothing",
                                       "",
                                       "cuStreamSynchronize",
                                       "cuLaunchKernelEx"};
  static const int kVersions[] = {0,     1000,  2000,  3020,  4000, 7000,
                                  11000, 12000, 13000, 13010, 99000};
  for (size_t n = 0; n < sizeof(kNames) / sizeof(kNames[0]); ++n)
    for (size_t v = 0; v < sizeof(kVersions) / sizeof(kVersions[0]); ++v)
      Lookup(kNames[n], kVersions[v], 0);
  for (Size flags = 1; flags <= 4; ++flags) Lookup("cuStreamSynchronize", 12000, flags);
  Lookup("cuInit", 12000, 1);
  Lookup("cuInit", 12000, 2);
  Lookup("cuInit", -1, 0);
  static const int kSince[] = {2000, 3010, 3020, 4000, 6050, 11000, 11040, 12000, 12050, 13000};
  for (size_t v = 0; v < sizeof(kSince) / sizeof(kSince[0]); ++v) {
    Variants("cuMemAlloc", "cuMemAlloc_v2", kSince[v]);
    Variants("cuCtxDestroy", "cuCtxDestroy_v2", kSince[v]);
    Variants("cuDeviceGetUuid", "cuDeviceGetUuid_v2", kSince[v]);
    Variants("cuGetProcAddress", "cuGetProcAddress_v2", kSince[v]);
    Variants("cuDevicePrimaryCtxReset", "cuDevicePrimaryCtxReset_v2", kSince[v]);
    Variants("cuCtxCreate", "cuCtxCreate_v2", kSince[v]);
    Variants("cuCtxCreate", "cuCtxCreate_v3", kSince[v]);
    Variants("cuCtxCreate", "cuCtxCreate_v4", kSince[v]);
  }
  ASK_POINTER("driver.proc_address.no_status",
              Find("cuGetProcAddress_v2")("cuInit", &g_pointer, 12000, (Size)0, NULL));
  ASK_POINTER("driver.proc_address.v1",
              Find("cuGetProcAddress")("cuInit", &g_pointer, 12000, (Size)0));
  ASK_POINTER("driver.proc_address.v1.unknown",
              Find("cuGetProcAddress")("cuNothing", &g_pointer, 12000, (Size)0));
  ASK_POINTER("driver.proc_address.v1.too_old",
              Find("cuGetProcAddress")("cuMemAlloc", &g_pointer, 1000, (Size)0));
}
