// libcuda: contexts and cuGetProcAddress.
#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static void* g_context;  // the primary one

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
