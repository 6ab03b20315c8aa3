// libcuda: start, error texts, devices. Contexts, memory and work are in conformance_work.c.
#include <stdint.h>

#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static void AskUninitialised(const char* name) {
  ASK(Id("driver.before_init.%s", name),
      Find(name)(g_bytes, g_bytes + 8192, g_bytes + 16384, g_bytes + 24576, g_bytes + 32768,
                 g_bytes + 40960, g_bytes + 49152, g_bytes + 57344));
}

// Every exported function, with arguments that are all zero or point at zeroes. Most answer 3.
// Graphics needs a display, and a checkpoint might find the process that it names.
static void BeforeInit(void) {
  static const char* const kNotAsked[] = {
      "cuInit",        "cuGL",         "cuEGL",          "cuVDPAU",      "cuCheckpoint",
      "cudbg",         "cuLink",       "cuLogs",         "cuUserObject", "cuMulticast",
      "cuGraphicsEGL", "cuGraphicsGL", "cuGraphicsVDPAU"};
  ASK_INT("driver.before_init.version", Find("cuDriverGetVersion")(&g_int));
  ASK("driver.before_init.version(null)", Find("cuDriverGetVersion")(NULL));
  for (const char** name = g_names; *name != NULL; ++name) {
    int asked = 1;
    for (size_t i = 0; i < sizeof(kNotAsked) / sizeof(kNotAsked[0]); ++i)
      if (strncmp(*name, kNotAsked[i], strlen(kNotAsked[i])) == 0) asked = 0;
    if (asked) AskAlone(AskUninitialised, *name);
  }
}

static void Init(void) {
  ASK("driver.init(1)", Find("cuInit")(1));
  ASK_INT("driver.init.count_after_failure", Find("cuDeviceGetCount")(&g_int));
  ASK("driver.init(-1)", Find("cuInit")(-1));
  ASK("driver.init(0)", Find("cuInit")(0));
  ASK("driver.init.again", Find("cuInit")(0));
  ASK("driver.init(1).after", Find("cuInit")(1));
  ASK_INT("driver.init.version", Find("cuDriverGetVersion")(&g_int));
  ASK("driver.init.version(null)", Find("cuDriverGetVersion")(NULL));
  ASK_INT("driver.init.count", Find("cuDeviceGetCount")(&g_int));
  ASK("driver.init.count(null)", Find("cuDeviceGetCount")(NULL));
}

// Codes that exist, and a few that do not.
static void Errors(void) {
  for (int code = -1; code <= 1000; ++code) {
    const char* text = NULL;
    const int known = Find("cuGetErrorName")(code, &text) == 0;
    if (!known && code > 10 && code % 100 != 99) continue;
    ASK_VALUE(Id("driver.error_name.%d", code), Find("cuGetErrorName")(code, &text),
              text == NULL ? "null" : text);
    ASK_VALUE(Id("driver.error_text.%d", code), Find("cuGetErrorString")(code, &text),
              text == NULL ? "null" : text);
  }
}

static void Hex(char* to, const char* from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) sprintf(to + 2 * i, "%02x", (unsigned char)from[i]);
}

static const char* HexText(size_t bytes) {
  static char text[129];
  Hex(text, g_bytes, bytes);
  return text;
}

static void Names(const char* at, int device) {
  static const int kSizes[] = {256, 24, 21, 20, 8, 4, 1};
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i)
    ASK_TEXT(Id("%s.name(%d)", at, kSizes[i]), Find("cuDeviceGetName")(g_text, kSizes[i], device),
             (size_t)kSizes[i]);
  ASK(Id("%s.name(null)", at), Find("cuDeviceGetName")(NULL, 256, device));
  static const int kBusSizes[] = {32, 14, 13, 12, 8, 5, 1};
  for (size_t i = 0; i < sizeof(kBusSizes) / sizeof(kBusSizes[0]); ++i)
    ASK_TEXT(Id("%s.bus_id(%d)", at, kBusSizes[i]),
             Find("cuDeviceGetPCIBusId")(g_text, kBusSizes[i], device), (size_t)kBusSizes[i]);
  ASK(Id("%s.bus_id(null)", at), Find("cuDeviceGetPCIBusId")(NULL, 32, device));
}

static void Facts(const char* at, int device) {
  ASK_INT(Id("%s.get", at), Find("cuDeviceGet")(&g_int, device));
  ASK(Id("%s.get(null)", at), Find("cuDeviceGet")(NULL, device));
  ASK_VALUE(Id("%s.uuid", at), Find("cuDeviceGetUuid")(g_bytes, device), HexText(16));
  ASK_VALUE(Id("%s.uuid_v2", at), Find("cuDeviceGetUuid_v2")(g_bytes, device), HexText(16));
  ASK(Id("%s.uuid(null)", at), Find("cuDeviceGetUuid")(NULL, device));
  ASK(Id("%s.uuid_v2(null)", at), Find("cuDeviceGetUuid_v2")(NULL, device));
  ASK_SIZE(Id("%s.memory", at), Find("cuDeviceTotalMem_v2")(&g_size, device));
  ASK(Id("%s.memory(null)", at), Find("cuDeviceTotalMem_v2")(NULL, device));
  ASK_INT(Id("%s.memory_v1", at), Find("cuDeviceTotalMem")(&g_int, device));
  ASK_TWO(Id("%s.capability", at), Find("cuDeviceComputeCapability")(&g_int, &g_more, device));
  ASK_TWO(Id("%s.capability(null)", at), Find("cuDeviceComputeCapability")(NULL, &g_more, device));
  ASK_TWO(Id("%s.capability(,null)", at), Find("cuDeviceComputeCapability")(&g_int, NULL, device));
  ASK_VALUE(Id("%s.properties", at), Find("cuDeviceGetProperties")(g_bytes, device), HexText(40));
  ASK(Id("%s.properties(null)", at), Find("cuDeviceGetProperties")(NULL, device));
  ASK_INT(Id("%s.luid", at), Find("cuDeviceGetLuid")(g_text, &g_int, device));
  ASK_SIZE(Id("%s.texture_width", at),
           Find("cuDeviceGetTexture1DLinearMaxWidth")(&g_size, 0x20, 1, device));
  ASK_INT(Id("%s.affinity", at), Find("cuDeviceGetExecAffinitySupport")(&g_int, 0, device));
  ASK_POINTER(Id("%s.default_pool", at), Find("cuDeviceGetDefaultMemPool")(&g_pointer, device));
  ASK(Id("%s.default_pool(null)", at), Find("cuDeviceGetDefaultMemPool")(NULL, device));
  ASK_POINTER(Id("%s.pool", at), Find("cuDeviceGetMemPool")(&g_pointer, device));
  ASK_INT(Id("%s.peer_self", at), Find("cuDeviceCanAccessPeer")(&g_int, device, device));
  ASK_INT(Id("%s.peer_99", at), Find("cuDeviceCanAccessPeer")(&g_int, device, 99));
  ASK(Id("%s.peer(null)", at), Find("cuDeviceCanAccessPeer")(NULL, device, device));
  for (int attribute = 0; attribute <= 6; ++attribute)
    ASK_INT(Id("%s.p2p_self.%d", at, attribute),
            Find("cuDeviceGetP2PAttribute")(&g_int, attribute, device, device));
  ASK_TWO(Id("%s.primary_state", at), Find("cuDevicePrimaryCtxGetState")(device, &g_int, &g_more));
}

static void Attributes(const char* at, int device) {
  for (int attribute = -1; attribute <= 152; ++attribute)
    ASK_INT(Id("%s.attribute.%d", at, attribute),
            Find("cuDeviceGetAttribute")(&g_int, attribute, device));
  ASK(Id("%s.attribute(null)", at), Find("cuDeviceGetAttribute")(NULL, 1, device));
  ASK(Id("%s.attribute(null).unknown", at), Find("cuDeviceGetAttribute")(NULL, 999, device));
  ASK_INT(Id("%s.attribute.999", at), Find("cuDeviceGetAttribute")(&g_int, 999, device));
}

static void Devices(void) {
  int count = 0;
  Find("cuInit")(0);
  Find("cuDeviceGetCount")(&count);
  for (int device = 0; device < count; ++device) {
    const char* const at = Id("driver.device%d", device);
    char name[32];
    strcpy(name, at);
    Names(name, device);
    Facts(name, device);
    Attributes(name, device);
    for (int other = 0; other < count; ++other) {
      if (other == device) continue;
      ASK_INT(Id("%s.peer%d", name, other), Find("cuDeviceCanAccessPeer")(&g_int, device, other));
      for (int attribute = 0; attribute <= 6; ++attribute)
        ASK_INT(Id("%s.p2p%d.%d", name, other, attribute),
                Find("cuDeviceGetP2PAttribute")(&g_int, attribute, device, other));
    }
  }
}

// No such ordinals.
static void Strangers(void) {
  Find("cuInit")(0);
  for (int device = -1; device <= 99; device += 100) {
    char at[32];
    sprintf(at, "driver.device(%d)", device);
    Names(at, device);
    Facts(at, device);
    ASK_INT(Id("%s.attribute.16", at), Find("cuDeviceGetAttribute")(&g_int, 16, device));
    ASK_INT(Id("%s.attribute.999", at), Find("cuDeviceGetAttribute")(&g_int, 999, device));
    ASK(Id("%s.attribute(null)", at), Find("cuDeviceGetAttribute")(NULL, 16, device));
    ASK_POINTER(Id("%s.retain", at), Find("cuDevicePrimaryCtxRetain")(&g_pointer, device));
    ASK(Id("%s.release", at), Find("cuDevicePrimaryCtxRelease_v2")(device));
    ASK(Id("%s.reset", at), Find("cuDevicePrimaryCtxReset_v2")(device));
    ASK_POINTER(Id("%s.create", at), Find("cuCtxCreate_v2")(&g_pointer, 0, device));
  }
}

static void ByBusId(void) {
  char bus[32] = "";
  Find("cuInit")(0);
  Find("cuDeviceGetPCIBusId")(bus, 32, 0);
  const struct {
    const char* id;
    const char* text;
  } rows[] = {
      {"own", bus},
      {"upper", Upper(bus)},
      {"lower", Lower(bus)},
      {"no_function", Id("%.10s", bus)},
      {"no_domain", bus + 5},
      {"no_domain_no_function", Id("%.5s", bus + 5)},
      {"bus_only", Id("%.2s", bus + 5)},
      {"long_domain", Id("0000%s", bus)},
      {"wrong_domain", Id("0001%s", bus + 4)},
      {"wrong_function", Id("%.10s.1", bus)},
      {"trailing", Id("%sxyz", bus)},
      {"leading_space", Id(" %s", bus)},
      {"other_bus", "0000:fe:1f.0"},
      {"empty", ""},
      {"garbage", "garbage"},
      {"colons", ":::"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
    char text[64];
    snprintf(text, sizeof(text), "%s", rows[i].text);
    ASK_INT(Id("driver.by_bus_id.%s", rows[i].id), Find("cuDeviceGetByPCIBusId")(&g_int, text));
  }
  ASK_INT("driver.by_bus_id(,null)", Find("cuDeviceGetByPCIBusId")(&g_int, NULL));
  ASK("driver.by_bus_id(null)", Find("cuDeviceGetByPCIBusId")(NULL, bus));
}

static void BusIdOfNoSize(void) {
  Find("cuInit")(0);
  ASK_TEXT("driver.bus_id(0)", Find("cuDeviceGetPCIBusId")(g_text, 0, 0), 1);
}
static void BusIdOfNegativeSize(void) {
  Find("cuInit")(0);
  ASK_TEXT("driver.bus_id(-1)", Find("cuDeviceGetPCIBusId")(g_text, -1, 0), 1);
}

void AskContexts(void);
void AskPutNull(void);
void AskGetNull(void);
void AskMemory(void);
void AskVirtualMemory(void);
void AskCopies(void);
void AskWork(void);
void AskModules(void);
void AskProcAddress(void);

const struct Section kDriverSections[] = {{"driver.before_init", BeforeInit},
                                          {"driver.init", Init},
                                          {"driver.errors", Errors},
                                          {"driver.devices", Devices},
                                          {"driver.strangers", Strangers},
                                          {"driver.by_bus_id", ByBusId},
                                          {"driver.contexts", AskContexts},
                                          {"driver.memory", AskMemory},
                                          {"driver.virtual", AskVirtualMemory},
                                          {"driver.copies", AskCopies},
                                          {"driver.work", AskWork},
                                          {"driver.modules", AskModules},
                                          {"driver.proc_address", AskProcAddress},
                                          {"driver.put_null", AskPutNull},
                                          {"driver.get_null", AskGetNull},
                                          {"driver.bus_id_0", BusIdOfNoSize},
                                          {"driver.bus_id_negative", BusIdOfNegativeSize},
                                          {NULL, NULL}};
