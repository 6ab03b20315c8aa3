// libcuda: memory, streams, events and modules.
#include <stdint.h>

#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static void* g_context;  // of this process, where a section needs one

static void Use(void) {
  Find("cuInit")(0);
  Find("cuDevicePrimaryCtxRetain")(&g_context, 0);
  Find("cuCtxSetCurrent")(g_context);
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
