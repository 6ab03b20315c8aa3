// libnvidia-ml: start, errors, the system, and how devices are found. What is asked of a device is
// in conformance_nvml_device.c.
#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

static int Contains(const char* name, const char* const* words) {
  for (; *words != NULL; ++words)
    if (strstr(name, *words) != NULL) return 1;
  return 0;
}

static void AskUninitialised(const char* name) {
  ASK(Id("nvml.before_init.%s", name),
      Find(name)(g_bytes, g_bytes + 8192, g_bytes + 16384, g_bytes + 24576, g_bytes + 32768,
                 g_bytes + 40960));
}

// Every exported function that only asks, with zeroes. Most answer 1.
static void BeforeInit(void) {
  static const char* const kNotAsked[] = {"Init",    "Set",         "Reset",  "Clear",  "Create",
                                          "Destroy", "Modify",      "Freeze", "Remove", "Discover",
                                          "Update",  "ErrorString", "Drain",  NULL};
  for (const char** name = g_names; *name != NULL; ++name) {
    if (!Contains(*name, kNotAsked)) AskAlone(AskUninitialised, *name);
  }
}

static const char* ErrorText(int code) {
  const char* (*text)(int);
  const Function function = Find("nvmlErrorString");
  memcpy(&text, &function, sizeof(text));
  const char* const found = text(code);
  return found == NULL ? "null" : found;
}

static void Errors(void) {
  for (int code = -1; code <= 40; ++code) ASK_VALUE(Id("nvml.error.%d", code), 0, ErrorText(code));
  ASK_VALUE("nvml.error.998", 0, ErrorText(998));
  ASK_VALUE("nvml.error.999", 0, ErrorText(999));
  ASK_VALUE("nvml.error.1000", 0, ErrorText(1000));
}

static void Start(void) {
  ASK_INT("nvml.start.count_before", Find("nvmlDeviceGetCount_v2")(&g_int));
  ASK("nvml.start.shutdown_before", Find("nvmlShutdown")());
  ASK("nvml.start.init", Find("nvmlInit_v2")());
  ASK("nvml.start.init.again", Find("nvmlInit_v2")());
  ASK_INT("nvml.start.count", Find("nvmlDeviceGetCount_v2")(&g_int));
  ASK("nvml.start.shutdown", Find("nvmlShutdown")());
  ASK_INT("nvml.start.count_one_left", Find("nvmlDeviceGetCount_v2")(&g_int));
  ASK("nvml.start.shutdown.last", Find("nvmlShutdown")());
  ASK_INT("nvml.start.count_after", Find("nvmlDeviceGetCount_v2")(&g_int));
  ASK("nvml.start.shutdown.too_often", Find("nvmlShutdown")());
  ASK("nvml.start.init_v1", Find("nvmlInit")());
  ASK_INT("nvml.start.count_v1", Find("nvmlDeviceGetCount")(&g_int));
  ASK("nvml.start.shutdown_v1", Find("nvmlShutdown")());
  for (int flags = 0; flags <= 4; ++flags) {
    ASK(Id("nvml.start.flags(%d)", flags), Find("nvmlInitWithFlags")(flags));
    ASK_INT(Id("nvml.start.flags(%d).count", flags), Find("nvmlDeviceGetCount_v2")(&g_int));
    ASK(Id("nvml.start.flags(%d).shutdown", flags), Find("nvmlShutdown")());
  }
}

static void Versions(const char* name, const char* function) {
  static const unsigned kSizes[] = {81, 16, 14, 13, 12, 11, 10, 1, 0};
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i)
    ASK_TEXT(Id("nvml.system.%s(%u)", name, kSizes[i]), Find(function)(g_text, kSizes[i]),
             kSizes[i] > 0 ? kSizes[i] : 1);
  ASK(Id("nvml.system.%s(null)", name), Find(function)(NULL, 81));
}

// A struct that begins with its version: the size of the struct, and above it the number.
static void SystemStruct(const char* name, unsigned size, unsigned number) {
  const unsigned right = size | number << 24;
  const unsigned versions[] = {right, 0, right + 1, size | 9u << 24};
  for (size_t i = 0; i < 4; ++i) {
    char bytes[4096] = "";
    memcpy(bytes, &versions[i], 4);
    ASK(Id("nvml.system.%s.version%d", name, (int)i), Find(name)(bytes, 80));
  }
  ASK(Id("nvml.system.%s(null)", name), Find(name)(NULL, 80));
}

static void System(void) {
  Find("nvmlInit_v2")();
  Versions("driver_version", "nvmlSystemGetDriverVersion");
  Versions("nvml_version", "nvmlSystemGetNVMLVersion");
  ASK_INT("nvml.system.cuda", Find("nvmlSystemGetCudaDriverVersion")(&g_int));
  ASK_INT("nvml.system.cuda_v2", Find("nvmlSystemGetCudaDriverVersion_v2")(&g_int));
  ASK("nvml.system.cuda(null)", Find("nvmlSystemGetCudaDriverVersion")(NULL));
  ASK("nvml.system.cuda_v2(null)", Find("nvmlSystemGetCudaDriverVersion_v2")(NULL));
  ASK("nvml.system.count(null)", Find("nvmlDeviceGetCount_v2")(NULL));
  ASK_INT("nvml.system.units", Find("nvmlUnitGetCount")(&g_int));
  ASK("nvml.system.units(null)", Find("nvmlUnitGetCount")(NULL));
  ASK_POINTER("nvml.system.unit0", Find("nvmlUnitGetHandleByIndex")(0, &g_pointer));
  ASK_INT("nvml.system.excluded", Find("nvmlGetExcludedDeviceCount")(&g_int));
  ASK("nvml.system.excluded0", Find("nvmlGetExcludedDeviceInfoByIndex")(0, g_bytes));
  ASK_INT("nvml.system.hic", Find("nvmlSystemGetHicVersion")(&g_int, g_bytes));
  ASK_TEXT("nvml.system.process_name(0)", Find("nvmlSystemGetProcessName")(0, g_text, 64), 64);
  ASK_TEXT("nvml.system.process_name(null)", Find("nvmlSystemGetProcessName")(1, NULL, 64), 64);
  ASK_INT("nvml.system.topology(cpu 0)", Find("nvmlSystemGetTopologyGpuSet")(0, &g_int, NULL));
  SystemStruct("nvmlSystemGetDriverBranch", 84, 1);
  SystemStruct("nvmlSystemGetConfComputeSettings", 20, 1);
  ASK("nvml.system.conf_compute_state", Find("nvmlSystemGetConfComputeState")(g_bytes));
  ASK("nvml.system.conf_compute_caps", Find("nvmlSystemGetConfComputeCapabilities")(g_bytes));
  ASK_INT("nvml.system.conf_compute_ready", Find("nvmlSystemGetConfComputeGpusReadyState")(&g_int));
  ASK_INT("nvml.system.nvlink_bw", Find("nvmlSystemGetNvlinkBwMode")(&g_int));
  ASK_POINTER("nvml.system.event_set", Find("nvmlEventSetCreate")(&g_pointer));
  ASK("nvml.system.event_set(null)", Find("nvmlEventSetCreate")(NULL));
  ASK("nvml.system.event_set_free(null)", Find("nvmlEventSetFree")(NULL));
  void* set = NULL;
  ASK("nvml.system.event_set.create", Find("nvmlEventSetCreate")(&set));
  ASK("nvml.system.event_set.wait", Find("nvmlEventSetWait_v2")(set, g_bytes, 0));
  ASK("nvml.system.event_set.free", Find("nvmlEventSetFree")(set));
}

static int IndexOf(void* device) {
  int index = -1;
  return device == NULL || Find("nvmlDeviceGetIndex")(device, &index) != 0 ? -1 : index;
}

// One way to name a device: `answer` is the index of what was found.
static void Named(const char* by, const char* id, const char* function, const char* text) {
  void* device = NULL;
  char copy[128];
  if (text != NULL) snprintf(copy, sizeof(copy), "%s", text);
  ASK_VALUE(Id("nvml.by_%s.%s", by, id), Find(function)(text == NULL ? NULL : copy, &device),
            Id("%d", IndexOf(device)));
}

static void ByIndex(void) {
  static const int kIndices[] = {0, 1, 2, 99, -1};
  void* device = NULL;
  for (size_t i = 0; i < sizeof(kIndices) / sizeof(kIndices[0]); ++i) {
    device = NULL;
    ASK_VALUE(Id("nvml.by_index.%d", kIndices[i]),
              Find("nvmlDeviceGetHandleByIndex_v2")(kIndices[i], &device),
              Id("%d", IndexOf(device)));
    ASK_VALUE(Id("nvml.by_index_v1.%d", kIndices[i]),
              Find("nvmlDeviceGetHandleByIndex")(kIndices[i], &device), Id("%d", IndexOf(device)));
  }
  ASK("nvml.by_index(null)", Find("nvmlDeviceGetHandleByIndex_v2")(0, NULL));
}

static void ByUuid(void* device) {
  char uuid[96] = "";
  Find("nvmlDeviceGetUUID")(device, uuid, 96);
  Named("uuid", "own", "nvmlDeviceGetHandleByUUID", uuid);
  Named("uuid", "upper", "nvmlDeviceGetHandleByUUID", Upper(uuid));
  Named("uuid", "lower", "nvmlDeviceGetHandleByUUID", Lower(uuid));
  Named("uuid", "prefix", "nvmlDeviceGetHandleByUUID", Id("%.12s", uuid));
  Named("uuid", "bare", "nvmlDeviceGetHandleByUUID", uuid + 4);
  Named("uuid", "trailing", "nvmlDeviceGetHandleByUUID", Id("%sx", uuid));
  Named("uuid", "other", "nvmlDeviceGetHandleByUUID", "GPU-ffffffff-ffff-ffff-ffff-fffffffffff0");
  Named("uuid", "mig", "nvmlDeviceGetHandleByUUID", "MIG-ffffffff-ffff-ffff-ffff-fffffffffff0");
  Named("uuid", "gpu", "nvmlDeviceGetHandleByUUID", "GPU-");
  Named("uuid", "empty", "nvmlDeviceGetHandleByUUID", "");
  Named("uuid", "garbage", "nvmlDeviceGetHandleByUUID", "garbage");
  Named("uuid", "null", "nvmlDeviceGetHandleByUUID", NULL);
  ASK("nvml.by_uuid(null)", Find("nvmlDeviceGetHandleByUUID")(uuid, NULL));
  struct {
    unsigned version, type;
    char value[44];
  } ascii = {52 | 1 << 24, 1, ""};
  memcpy(ascii.value, uuid, 41);
  ASK_VALUE("nvml.by_uuid_v.ascii", Find("nvmlDeviceGetHandleByUUIDV")(&ascii, &g_pointer),
            Id("%d", IndexOf(g_pointer)));
  ascii.version = 0;
  ASK("nvml.by_uuid_v.version0", Find("nvmlDeviceGetHandleByUUIDV")(&ascii, &g_pointer));
}

static void ByBusId(void* device) {
  char pci[68] = "";
  Find("nvmlDeviceGetPciInfo_v3")(device, pci);
  const char* const bus = pci + 36;
  const char* const kFunction = "nvmlDeviceGetHandleByPciBusId_v2";
  Named("bus_id", "own", kFunction, bus);
  Named("bus_id", "legacy", kFunction, pci);
  Named("bus_id", "upper", kFunction, Upper(bus));
  Named("bus_id", "lower", kFunction, Lower(bus));
  Named("bus_id", "no_function", kFunction, Id("%.14s", bus));
  Named("bus_id", "no_domain", kFunction, bus + 9);
  Named("bus_id", "no_domain_no_function", kFunction, Id("%.5s", bus + 9));
  Named("bus_id", "long_domain", kFunction, Id("0000%s", bus));
  Named("bus_id", "wrong_domain", kFunction, Id("00000001%s", bus + 8));
  Named("bus_id", "wrong_function", kFunction, Id("%.14s.1", bus));
  Named("bus_id", "trailing", kFunction, Id("%sxyz", bus));
  Named("bus_id", "other", kFunction, "00000000:FE:1F.0");
  Named("bus_id", "empty", kFunction, "");
  Named("bus_id", "garbage", kFunction, "garbage");
  Named("bus_id", "null", kFunction, NULL);
  Named("bus_id_v1", "own", "nvmlDeviceGetHandleByPciBusId", bus);
  Named("bus_id_v1", "legacy", "nvmlDeviceGetHandleByPciBusId", pci);
  ASK("nvml.by_bus_id(null)", Find(kFunction)(bus, NULL));
}

static void Handles(void) {
  void* device = NULL;
  char serial[64] = "";
  Find("nvmlInit_v2")();
  ByIndex();
  Find("nvmlDeviceGetHandleByIndex_v2")(0, &device);
  ByUuid(device);
  ByBusId(device);
  Find("nvmlDeviceGetSerial")(device, serial, 64);
  Named("serial", "own", "nvmlDeviceGetHandleBySerial", serial);
  Named("serial", "other", "nvmlDeviceGetHandleBySerial", "1234567890123");
  Named("serial", "empty", "nvmlDeviceGetHandleBySerial", "");
  Named("serial", "null", "nvmlDeviceGetHandleBySerial", NULL);
}

void AskDevices(void);
void AskNoDevice(void);
void AskAfterShutdown(void);

const struct Section kNvmlSections[] = {{"nvml.before_init", BeforeInit},
                                        {"nvml.errors", Errors},
                                        {"nvml.start", Start},
                                        {"nvml.system", System},
                                        {"nvml.handles", Handles},
                                        {"nvml.devices", AskDevices},
                                        {"nvml.no_device", AskNoDevice},
                                        {"nvml.after_shutdown", AskAfterShutdown},
                                        {NULL, NULL}};
