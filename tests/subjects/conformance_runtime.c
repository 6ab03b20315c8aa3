// libcudart, of any major: start, errors, devices, memory, and the last error.
#include <stdint.h>
#include <stdlib.h>

#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static int Major(void) {
  int version = 0;
  Find("cudaRuntimeGetVersion")(&version);
  return version / 1000;
}

static const char* CallText(const char* name, int code) {
  const char* (*text)(int);
  const Function function = Find(name);
  memcpy(&text, &function, sizeof(text));
  const char* const found = text(code);
  return found == NULL ? "null" : found;
}

// What the last error is after a question, without and with taking it.
static void Last(const char* id) {
  ASK(Id("%s.peek", id), Find("cudaPeekAtLastError")());
  ASK(Id("%s.last", id), Find("cudaGetLastError")());
  ASK(Id("%s.last.again", id), Find("cudaGetLastError")());
}

static void Start(void) {
  ASK("runtime.start.last", Find("cudaGetLastError")());
  ASK("runtime.start.peek", Find("cudaPeekAtLastError")());
  ASK_INT("runtime.start.runtime", Find("cudaRuntimeGetVersion")(&g_int));
  ASK("runtime.start.runtime(null)", Find("cudaRuntimeGetVersion")(NULL));
  Last("runtime.start.runtime(null)");
  ASK_INT("runtime.start.driver", Find("cudaDriverGetVersion")(&g_int));
  ASK("runtime.start.driver(null)", Find("cudaDriverGetVersion")(NULL));
  Last("runtime.start.driver(null)");
  ASK_INT("runtime.start.count", Find("cudaGetDeviceCount")(&g_int));
  ASK("runtime.start.count(null)", Find("cudaGetDeviceCount")(NULL));
  Last("runtime.start.count(null)");
  ASK_INT("runtime.start.device", Find("cudaGetDevice")(&g_int));
  ASK("runtime.start.device(null)", Find("cudaGetDevice")(NULL));
  Last("runtime.start.device(null)");
  ASK_INT("runtime.start.flags", Find("cudaGetDeviceFlags")(&g_int));
}

// Every call on a machine whose devices are all hidden.
static void Hidden(void) {
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  ASK_INT("runtime.hidden.driver", Find("cudaDriverGetVersion")(&g_int));
  ASK_INT("runtime.hidden.runtime", Find("cudaRuntimeGetVersion")(&g_int));
  Last("runtime.hidden.runtime");
  ASK_INT("runtime.hidden.count", Find("cudaGetDeviceCount")(&g_int));
  Last("runtime.hidden.count");
  ASK_INT("runtime.hidden.count.again", Find("cudaGetDeviceCount")(&g_int));
  ASK_INT("runtime.hidden.device", Find("cudaGetDevice")(&g_int));
  ASK("runtime.hidden.set", Find("cudaSetDevice")(0));
  ASK("runtime.hidden.set(99)", Find("cudaSetDevice")(99));
  ASK("runtime.hidden.properties", Find("cudaGetDeviceProperties")(g_bytes, 0));
  ASK_INT("runtime.hidden.attribute", Find("cudaDeviceGetAttribute")(&g_int, 16, 0));
  ASK_TEXT("runtime.hidden.bus_id", Find("cudaDeviceGetPCIBusId")(g_text, 32, 0), 32);
  ASK_INT("runtime.hidden.by_bus_id", Find("cudaDeviceGetByPCIBusId")(&g_int, "0000:00:06.0"));
  ASK_POINTER("runtime.hidden.malloc", Find("cudaMalloc")(&g_pointer, (Size)64));
  ASK("runtime.hidden.free", Find("cudaFree")(NULL));
  ASK_SIZE("runtime.hidden.info", Find("cudaMemGetInfo")(&g_size, g_bytes));
  ASK("runtime.hidden.synchronize", Find("cudaDeviceSynchronize")());
  ASK_POINTER("runtime.hidden.stream", Find("cudaStreamCreate")(&g_pointer));
  ASK_POINTER("runtime.hidden.event", Find("cudaEventCreate")(&g_pointer));
  ASK("runtime.hidden.reset", Find("cudaDeviceReset")());
  unsetenv("CUDA_VISIBLE_DEVICES");
  ASK_INT("runtime.hidden.shown_again", Find("cudaGetDeviceCount")(&g_int));
  Last("runtime.hidden.shown_again");
}

// A list that names a device twice is an error of another kind.
static void Twice(void) {
  setenv("CUDA_VISIBLE_DEVICES", "0,0", 1);
  ASK_INT("runtime.twice.count", Find("cudaGetDeviceCount")(&g_int));
  ASK("runtime.twice.free", Find("cudaFree")(NULL));
  Last("runtime.twice");
}

static void Errors(void) {
  for (int code = -1; code <= 1000; ++code) {
    const int known = strcmp(CallText("cudaGetErrorName", code), "unrecognized error code") != 0;
    if (!known && code > 20 && code % 100 != 99) continue;
    ASK_VALUE(Id("runtime.error_name.%d", code), 0, CallText("cudaGetErrorName", code));
    ASK_VALUE(Id("runtime.error_text.%d", code), 0, CallText("cudaGetErrorString", code));
  }
}

static const char* HexAt(size_t offset, size_t bytes) {
  static char text[256];
  for (size_t i = 0; i < bytes; ++i)
    sprintf(text + 2 * i, "%02x", (unsigned char)g_bytes[offset + i]);
  return text;
}

// The struct of this major, 16 bytes a line, behind name, uuid and luid.
static void Struct(const char* at, const char* function, size_t size, int device) {
  ASK_VALUE(Id("%s.name", at), Find(function)(g_bytes, device), g_bytes);
  ASK_VALUE(Id("%s.uuid", at), Find(function)(g_bytes, device), HexAt(256, 16));
  ASK_VALUE(Id("%s.luid", at), Find(function)(g_bytes, device), HexAt(272, 16));
  for (size_t offset = 288; offset < size; offset += 16)
    ASK_VALUE(Id("%s.%d", at, (int)offset), Find(function)(g_bytes, device),
              HexAt(offset, size - offset < 16 ? size - offset : 16));
  memset(g_bytes, 0x5a, sizeof(g_bytes));
  const int code = Find(function)(g_bytes, device);
  size_t written = sizeof(g_bytes);
  while (written > 0 && g_bytes[written - 1] == 0x5a) --written;
  ASK_VALUE(Id("%s.written", at), code, Id("%d", (int)written));
}

static void Properties(const char* at, int device) {
  const int major = Major();
  char name[64];
  sprintf(name, "%s.properties", at);
  Struct(name, "cudaGetDeviceProperties", major == 13 ? 1008 : 728, device);
  if (major == 12) {
    sprintf(name, "%s.properties_v2", at);
    Struct(name, "cudaGetDeviceProperties_v2", 1032, device);
  }
  ASK(Id("%s.properties(null)", at), Find("cudaGetDeviceProperties")(NULL, device));
  Last(Id("%s.properties(null)", at));
}

static void BusIds(const char* at, int device) {
  static const int kSizes[] = {32, 14, 13, 12, 8, 5, 1, 0, -1};
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i)
    ASK_TEXT(Id("%s.bus_id(%d)", at, kSizes[i]),
             Find("cudaDeviceGetPCIBusId")(g_text, kSizes[i], device),
             kSizes[i] > 0 ? (size_t)kSizes[i] : 1);
  ASK(Id("%s.bus_id(null)", at), Find("cudaDeviceGetPCIBusId")(NULL, 32, device));
  Last(Id("%s.bus_id(null)", at));
}

static void Devices(void) {
  int count = 0;
  Find("cudaGetDeviceCount")(&count);
  for (int device = 0; device < count; ++device) {
    char at[32];
    char bus[32] = "";
    sprintf(at, "runtime.device%d", device);
    for (int attribute = -1; attribute <= 150; ++attribute)
      ASK_INT(Id("%s.attribute.%d", at, attribute),
              Find("cudaDeviceGetAttribute")(&g_int, attribute, device));
    Last(Id("%s.attribute", at));
    ASK(Id("%s.attribute(null)", at), Find("cudaDeviceGetAttribute")(NULL, 16, device));
    Last(Id("%s.attribute(null)", at));
    Properties(at, device);
    BusIds(at, device);
    Find("cudaDeviceGetPCIBusId")(bus, 32, device);
    ASK_INT(Id("%s.by_bus_id", at), Find("cudaDeviceGetByPCIBusId")(&g_int, bus));
    ASK_INT(Id("%s.by_bus_id.short", at), Find("cudaDeviceGetByPCIBusId")(&g_int, bus + 5));
    ASK_INT(Id("%s.peer_self", at), Find("cudaDeviceCanAccessPeer")(&g_int, device, device));
    ASK_INT(Id("%s.p2p_self", at), Find("cudaDeviceGetP2PAttribute")(&g_int, 1, device, device));
    ASK(Id("%s.set", at), Find("cudaSetDevice")(device));
    ASK_INT(Id("%s.is_set", at), Find("cudaGetDevice")(&g_int));
  }
  ASK_INT("runtime.by_bus_id(garbage)", Find("cudaDeviceGetByPCIBusId")(&g_int, "garbage"));
  ASK_INT("runtime.by_bus_id(other)", Find("cudaDeviceGetByPCIBusId")(&g_int, "0000:fe:1f.0"));
  ASK_INT("runtime.by_bus_id(null)", Find("cudaDeviceGetByPCIBusId")(&g_int, NULL));
  Last("runtime.by_bus_id(null)");
}

static void Strangers(void) {
  for (int device = -1; device <= 99; device += 100) {
    char at[32];
    sprintf(at, "runtime.device(%d)", device);
    ASK(Id("%s.set", at), Find("cudaSetDevice")(device));
    Last(Id("%s.set", at));
    ASK_INT(Id("%s.device_after", at), Find("cudaGetDevice")(&g_int));
    ASK_INT(Id("%s.attribute", at), Find("cudaDeviceGetAttribute")(&g_int, 16, device));
    Last(Id("%s.attribute", at));
    ASK_INT(Id("%s.attribute.999", at), Find("cudaDeviceGetAttribute")(&g_int, 999, device));
    ASK(Id("%s.properties", at), Find("cudaGetDeviceProperties")(g_bytes, device));
    Last(Id("%s.properties", at));
    BusIds(at, device);
    ASK_INT(Id("%s.peer", at), Find("cudaDeviceCanAccessPeer")(&g_int, 0, device));
    ASK_INT(Id("%s.peer_of", at), Find("cudaDeviceCanAccessPeer")(&g_int, device, 0));
    ASK(Id("%s.enable_peer", at), Find("cudaDeviceEnablePeerAccess")(device, 0));
    ASK(Id("%s.disable_peer", at), Find("cudaDeviceDisablePeerAccess")(device));
    ASK_TEXT(Id("%s.device_flags", at), Find("cudaInitDevice")(device, 0, 0), 1);
  }
  ASK("runtime.peer(null)", Find("cudaDeviceCanAccessPeer")(NULL, 0, 0));
  ASK("runtime.enable_peer(self)", Find("cudaDeviceEnablePeerAccess")(0, 0));
  ASK("runtime.disable_peer(self)", Find("cudaDeviceDisablePeerAccess")(0));
  Last("runtime.disable_peer(self)");
}

static void Memory(void) {
  void* memory = NULL;
  void* host = NULL;
  char out[16] = "";
  ASK_VALUE("runtime.memory.info", Find("cudaMemGetInfo")(&g_size, g_bytes), NULL);
  ASK("runtime.memory.info(null)", Find("cudaMemGetInfo")(NULL, NULL));
  ASK_POINTER("runtime.memory.malloc(0)", Find("cudaMalloc")(&g_pointer, (Size)0));
  ASK("runtime.memory.malloc(null)", Find("cudaMalloc")(NULL, (Size)64));
  Last("runtime.memory.malloc(null)");
  ASK_POINTER("runtime.memory.malloc(huge)", Find("cudaMalloc")(&g_pointer, (Size)1 << 45));
  Last("runtime.memory.malloc(huge)");
  ASK("runtime.memory.malloc", Find("cudaMalloc")(&memory, (Size)4096));
  ASK("runtime.memory.set", Find("cudaMemset")(memory, 'x', (Size)4096));
  ASK_VALUE("runtime.memory.get", Find("cudaMemcpy")(out, memory, (Size)4, 2), out);
  ASK("runtime.memory.put", Find("cudaMemcpy")(memory, "hello", (Size)6, 1));
  ASK("runtime.memory.across", Find("cudaMemcpy")((char*)memory + 64, memory, (Size)6, 3));
  ASK_VALUE("runtime.memory.get.default", Find("cudaMemcpy")(out, (char*)memory + 64, (Size)6, 4),
            out);
  ASK("runtime.memory.host_to_host", Find("cudaMemcpy")(out, "host", (Size)5, 0));
  ASK("runtime.memory.copy(kind 9)", Find("cudaMemcpy")(out, memory, (Size)4, 9));
  Last("runtime.memory.copy(kind 9)");
  ASK("runtime.memory.copy(0)", Find("cudaMemcpy")(NULL, NULL, (Size)0, 2));
  ASK("runtime.memory.get(null)", Find("cudaMemcpy")(out, NULL, (Size)4, 2));
  Last("runtime.memory.get(null)");
  ASK("runtime.memory.set(null)", Find("cudaMemset")(NULL, 0, (Size)4));
  ASK("runtime.memory.set(stack)", Find("cudaMemset")((void*)0x123456000, 0, (Size)4));
  Last("runtime.memory.set(stack)");
  ASK("runtime.memory.free(inside)", Find("cudaFree")((char*)memory + 256));
  ASK("runtime.memory.free", Find("cudaFree")(memory));
  ASK("runtime.memory.free.twice", Find("cudaFree")(memory));
  Last("runtime.memory.free.twice");
  ASK("runtime.memory.free(null)", Find("cudaFree")(NULL));
  ASK("runtime.memory.free(garbage)", Find("cudaFree")((void*)0x123456000));
  Last("runtime.memory.free(garbage)");
  ASK("runtime.host.malloc", Find("cudaMallocHost")(&host, (Size)4096));
  ASK("runtime.host.malloc(null)", Find("cudaMallocHost")(NULL, (Size)64));
  ASK_POINTER("runtime.host.malloc(0)", Find("cudaMallocHost")(&g_pointer, (Size)0));
  ASK_POINTER("runtime.host.alloc(flags 99)", Find("cudaHostAlloc")(&g_pointer, (Size)64, 99));
  ASK("runtime.host.free", Find("cudaFreeHost")(host));
  ASK("runtime.host.free.twice", Find("cudaFreeHost")(host));
  ASK("runtime.host.free(null)", Find("cudaFreeHost")(NULL));
  Last("runtime.host.free(null)");
}

static void Work(void) {
  void* stream = NULL;
  void* event = NULL;
  float elapsed = -1;
  ASK("runtime.stream.create", Find("cudaStreamCreate")(&stream));
  ASK("runtime.stream.create(null)", Find("cudaStreamCreate")(NULL));
  ASK_POINTER("runtime.stream.create(flags 99)", Find("cudaStreamCreateWithFlags")(&g_pointer, 99));
  Last("runtime.stream.create(flags 99)");
  ASK("runtime.stream.query", Find("cudaStreamQuery")(stream));
  ASK("runtime.stream.synchronize", Find("cudaStreamSynchronize")(stream));
  ASK_INT("runtime.stream.capturing", Find("cudaStreamIsCapturing")(stream, &g_int));
  ASK("runtime.stream.query.default", Find("cudaStreamQuery")(NULL));
  ASK("runtime.stream.destroy", Find("cudaStreamDestroy")(stream));
  ASK("runtime.stream.destroy(null)", Find("cudaStreamDestroy")(NULL));
  Last("runtime.stream.destroy(null)");
  ASK("runtime.event.create", Find("cudaEventCreate")(&event));
  ASK("runtime.event.create(null)", Find("cudaEventCreate")(NULL));
  ASK_POINTER("runtime.event.create(flags 99)", Find("cudaEventCreateWithFlags")(&g_pointer, 99));
  ASK("runtime.event.query.unrecorded", Find("cudaEventQuery")(event));
  ASK("runtime.event.elapsed.unrecorded", Find("cudaEventElapsedTime")(&elapsed, event, event));
  Last("runtime.event.elapsed.unrecorded");
  ASK("runtime.event.record", Find("cudaEventRecord")(event, NULL));
  ASK("runtime.event.synchronize", Find("cudaEventSynchronize")(event));
  ASK("runtime.event.query", Find("cudaEventQuery")(event));
  ASK_VALUE("runtime.event.elapsed", Find("cudaEventElapsedTime")(&elapsed, event, event),
            Id("%g", (double)elapsed));
  ASK("runtime.event.record(null)", Find("cudaEventRecord")(NULL, NULL));
  ASK("runtime.event.destroy", Find("cudaEventDestroy")(event));
  ASK("runtime.event.destroy(null)", Find("cudaEventDestroy")(NULL));
  Last("runtime.event.destroy(null)");
  ASK("runtime.synchronize", Find("cudaDeviceSynchronize")());
  for (int limit = 0; limit <= 7; ++limit)
    ASK_SIZE(Id("runtime.limit.%d", limit), Find("cudaDeviceGetLimit")(&g_size, limit));
  ASK_TWO("runtime.priorities", Find("cudaDeviceGetStreamPriorityRange")(&g_int, &g_more));
  ASK_INT("runtime.flags", Find("cudaGetDeviceFlags")(&g_int));
  ASK("runtime.set_flags(99999)", Find("cudaSetDeviceFlags")(99999));
  ASK("runtime.set_flags(4)", Find("cudaSetDeviceFlags")(4));
  ASK("runtime.reset", Find("cudaDeviceReset")());
  ASK_INT("runtime.after_reset.device", Find("cudaGetDevice")(&g_int));
  ASK("runtime.after_reset.free", Find("cudaFree")(NULL));
  Last("runtime.after_reset");
}

const struct Section kRuntimeSections[] = {
    {"runtime.start", Start},   {"runtime.hidden", Hidden},   {"runtime.twice", Twice},
    {"runtime.errors", Errors}, {"runtime.devices", Devices}, {"runtime.strangers", Strangers},
    {"runtime.memory", Memory}, {"runtime.work", Work},       {NULL, NULL}};
