// libnvidia-ml: what is asked of a device.
#include "tests/subjects/conformance.h"

typedef unsigned long long Size;

// Functions with one answer of 32 bits. What differs from minute to minute is asked for its code
// only.
static const struct {
  const char* name;
  int steady;
  int null_crashes;  // the real one crashes without a device: not asked
} kNumbers[] = {
    {"nvmlDeviceGetIndex", 1, 0},
    {"nvmlDeviceGetMinorNumber", 1, 0},
    {"nvmlDeviceGetBrand", 1, 0},
    {"nvmlDeviceGetArchitecture", 1, 0},
    {"nvmlDeviceGetBusType", 1, 0},
    {"nvmlDeviceGetNumGpuCores", 1, 0},
    {"nvmlDeviceGetMemoryBusWidth", 1, 0},
    {"nvmlDeviceGetMaxPcieLinkGeneration", 1, 1},
    {"nvmlDeviceGetGpuMaxPcieLinkGeneration", 1, 1},
    {"nvmlDeviceGetMaxPcieLinkWidth", 1, 1},
    {"nvmlDeviceGetCurrPcieLinkGeneration", 1, 1},
    {"nvmlDeviceGetCurrPcieLinkWidth", 1, 1},
    {"nvmlDeviceGetPcieLinkMaxSpeed", 1, 0},
    {"nvmlDeviceGetPcieSpeed", 1, 0},
    {"nvmlDeviceGetPcieReplayCounter", 0, 0},
    {"nvmlDeviceGetPowerManagementMode", 1, 1},
    {"nvmlDeviceGetPowerManagementLimit", 1, 1},
    {"nvmlDeviceGetPowerManagementDefaultLimit", 1, 1},
    {"nvmlDeviceGetEnforcedPowerLimit", 1, 1},
    {"nvmlDeviceGetPowerUsage", 0, 1},
    {"nvmlDeviceGetPowerSource", 1, 0},
    {"nvmlDeviceGetPerformanceState", 1, 0},
    {"nvmlDeviceGetPowerState", 1, 0},
    {"nvmlDeviceGetComputeMode", 1, 0},
    {"nvmlDeviceGetPersistenceMode", 1, 0},
    {"nvmlDeviceGetDisplayMode", 1, 1},
    {"nvmlDeviceGetDisplayActive", 1, 1},
    {"nvmlDeviceGetDefaultEccMode", 1, 1},
    {"nvmlDeviceGetAccountingMode", 1, 1},
    {"nvmlDeviceGetAccountingBufferSize", 1, 1},
    {"nvmlDeviceGetMultiGpuBoard", 1, 1},
    {"nvmlDeviceGetBoardId", 1, 1},
    {"nvmlDeviceGetModuleId", 0, 0},
    {"nvmlDeviceGetIrqNum", 0, 0},
    {"nvmlDeviceGetFanSpeed", 1, 0},
    {"nvmlDeviceGetNumFans", 1, 0},
    {"nvmlDeviceGetAdaptiveClockInfoStatus", 1, 0},
    {"nvmlDeviceGetGpcClkVfOffset", 1, 0},
    {"nvmlDeviceGetMemClkVfOffset", 1, 0},
    {"nvmlDeviceGetMaxMigDeviceCount", 1, 0},
    {"nvmlDeviceGetGpuInstanceId", 1, 0},
    {"nvmlDeviceGetComputeInstanceId", 1, 0},
    {"nvmlDeviceGetVirtualizationMode", 1, 0},
    {"nvmlDeviceGetHostVgpuMode", 1, 0},
    {"nvmlDeviceGetRetiredPagesPendingStatus", 1, 1},
    {"nvmlDeviceGetNumaNodeId", 1, 0},
    {"nvmlDeviceGetInforomConfigurationChecksum", 0, 1},
    {"nvmlDeviceValidateInforom", 1, 1},
};
enum { kNumberCount = sizeof(kNumbers) / sizeof(kNumbers[0]) };

// Functions with one answer of 64 bits.
static const struct {
  const char* name;
  int steady;
  int null_crashes;
} kWide[] = {
    {"nvmlDeviceGetTotalEnergyConsumption", 0, 1},
    {"nvmlDeviceGetSupportedEventTypes", 1, 0},
    {"nvmlDeviceGetSupportedClocksEventReasons", 1, 1},
    {"nvmlDeviceGetSupportedClocksThrottleReasons", 1, 1},
    {"nvmlDeviceGetCurrentClocksEventReasons", 0, 1},
    {"nvmlDeviceGetCurrentClocksThrottleReasons", 0, 1},
};

// Functions that fill a text. `shown` is off for what belongs to one board.
static const struct {
  const char* name;
  int shown;
  int null_crashes;
} kTexts[] = {
    {"nvmlDeviceGetName", 1, 0},
    {"nvmlDeviceGetUUID", 1, 0},
    {"nvmlDeviceGetSerial", 0, 0},
    {"nvmlDeviceGetVbiosVersion", 0, 0},
    {"nvmlDeviceGetBoardPartNumber", 0, 0},
    {"nvmlDeviceGetInforomImageVersion", 0, 1},
    {"nvmlDeviceGetGspFirmwareVersion", 1, 0},
    {"nvmlDeviceGetPgpuMetadataString", 0, 0},
};

// Functions that fill a struct which begins with its version.
static const struct {
  const char* name;
  unsigned size, number;
  int null_crashes;
} kVersioned[] = {
    {"nvmlDeviceGetMemoryInfo_v2", 40, 2, 0},
    {"nvmlDeviceGetPciInfoExt", 64, 1, 0},
    {"nvmlDeviceGetC2cModeInfoV", 4, 1, 0},
    {"nvmlDeviceGetAddressingMode", 8, 1, 0},
    {"nvmlDeviceGetRepairStatus", 12, 1, 0},
    {"nvmlDeviceGetCoolerInfo", 16, 1, 1},
    {"nvmlDeviceGetPdi", 16, 1, 0},
    {"nvmlDeviceGetMarginTemperature", 8, 1, 0},
    {"nvmlDeviceGetClockOffsets", 24, 1, 0},
    {"nvmlDeviceGetFanSpeedRPM", 12, 1, 1},
    {"nvmlDeviceGetPerformanceModes", 2052, 1, 1},
    {"nvmlDeviceGetCurrentClockFreqs", 2052, 1, 1},
    {"nvmlDeviceGetProcessesUtilizationInfo", 24, 1, 1},
    {"nvmlDeviceGetSramEccErrorStatus", 104, 1, 1},
    {"nvmlDeviceGetPlatformInfo", 44, 2, 0},
    {"nvmlDeviceGetVgpuHeterogeneousMode", 8, 1, 1},
    {"nvmlDeviceGetGpuFabricInfoV", 40, 3, 0},
    {"nvmlDeviceGetTemperatureV", 12, 1, 0},
    {"nvmlDeviceGetNvlinkSupportedBwModes", 28, 1, 0},
    {"nvmlDeviceGetNvlinkBwMode", 12, 1, 0},
    {"nvmlDeviceGetNvLinkInfo", 1612, 2, 0},
    {"nvmlDeviceGetCapabilities", 8, 1, 1},
    {"nvmlDeviceGetRunningProcessDetailList", 24, 1, 1},
    {"nvmlDeviceWorkloadPowerProfileGetProfilesInfo", 11256, 1, 0},
    {"nvmlDeviceWorkloadPowerProfileGetCurrentProfiles", 100, 1, 0},
};

static void Numbers(const char* at, void* device) {
  for (size_t i = 0; i < kNumberCount; ++i) {
    const char* const name = kNumbers[i].name;
    if (device == NULL && kNumbers[i].null_crashes) continue;
    if (kNumbers[i].steady)
      ASK_INT(Id("%s.%s", at, name), Find(name)(device, &g_int));
    else
      ASK(Id("%s.%s", at, name), Find(name)(device, &g_int));
    if (strcmp(name, "nvmlDeviceValidateInforom") != 0 &&
        strcmp(name, "nvmlDeviceGetGpcClkVfOffset") != 0 &&
        strcmp(name, "nvmlDeviceGetGpuOperationMode") != 0)
      ASK(Id("%s.%s(null)", at, name), Find(name)(device, NULL));
  }
  for (size_t i = 0; i < sizeof(kWide) / sizeof(kWide[0]); ++i) {
    if (device == NULL && kWide[i].null_crashes) continue;
    ASK_VALUE(Id("%s.%s", at, kWide[i].name), Find(kWide[i].name)(device, &g_size),
              kWide[i].steady ? Id("%llx", g_size) : NULL);
    ASK(Id("%s.%s(null)", at, kWide[i].name), Find(kWide[i].name)(device, NULL));
  }
}

static void Texts(const char* at, void* device) {
  static const unsigned kSizes[] = {96, 64, 42, 41, 40, 32, 30, 22, 21, 20, 16, 8, 1, 0};
  for (size_t i = 0; i < sizeof(kTexts) / sizeof(kTexts[0]); ++i) {
    const char* const name = kTexts[i].name;
    if (device == NULL && kTexts[i].null_crashes) continue;
    for (size_t s = 0; s < sizeof(kSizes) / sizeof(kSizes[0]); ++s) {
      const unsigned size = kSizes[s];
      ASK_VALUE(Id("%s.%s(%u)", at, name, size), Find(name)(device, g_text, size),
                kTexts[i].shown    ? Text(size > 0 ? size : 1)
                : g_text[0] == '~' ? "~"
                                   : "set");
    }
    ASK(Id("%s.%s(null)", at, name), Find(name)(device, NULL, 96));
  }
}

static void Structs(const char* at, void* device) {
  for (size_t i = 0; i < sizeof(kVersioned) / sizeof(kVersioned[0]); ++i) {
    const char* const name = kVersioned[i].name;
    if (device == NULL && kVersioned[i].null_crashes) continue;
    const unsigned right = kVersioned[i].size | kVersioned[i].number << 24;
    const unsigned versions[] = {right, 0, right + 1, kVersioned[i].size | 9u << 24};
    for (size_t v = 0; v < 4; ++v) {
      static char bytes[65536];
      memset(bytes, 0, sizeof(bytes));
      memcpy(bytes, &versions[v], 4);
      ASK(Id("%s.%s.version%d", at, name, (int)v), Find(name)(device, bytes));
    }
    if (strcmp(name, "nvmlDeviceGetMarginTemperature") != 0)  // the real one crashes
      ASK(Id("%s.%s(null)", at, name), Find(name)(device, NULL));
  }
}

static unsigned Word(size_t offset) {
  unsigned word = 0;
  memcpy(&word, g_bytes + offset, sizeof(word));
  return word;
}
static Size Long(size_t offset) {
  Size word = 0;
  memcpy(&word, g_bytes + offset, sizeof(word));
  return word;
}
static int SetWord(size_t offset, unsigned word) {
  memcpy(g_bytes + offset, &word, sizeof(word));
  return 1;
}

static void Pci(const char* at, void* device) {
  static const char* const kNames[] = {"nvmlDeviceGetPciInfo", "nvmlDeviceGetPciInfo_v2",
                                       "nvmlDeviceGetPciInfo_v3"};
  for (size_t i = 0; i < 3; ++i) {
    ASK_VALUE(Id("%s.%s", at, kNames[i]), Find(kNames[i])(device, g_bytes),
              Id("%s %x %x %x %x %x %s", g_bytes, Word(16), Word(20), Word(24), Word(28), Word(32),
                 g_bytes + 36));
    ASK(Id("%s.%s(null)", at, kNames[i]), Find(kNames[i])(device, NULL));
  }
  ASK_VALUE(Id("%s.pci_ext", at),
            SetWord(0, 64 | 1 << 24) ? Find("nvmlDeviceGetPciInfoExt")(device, g_bytes) : 0,
            Id("%x %x %x %x %x %x %x %s", Word(4), Word(8), Word(12), Word(16), Word(20), Word(24),
               Word(28), g_bytes + 32));
}

static void Memory(const char* at, void* device) {
  ASK_VALUE(Id("%s.memory", at), Find("nvmlDeviceGetMemoryInfo")(device, g_bytes),
            Id("total %llu sum %s", Long(0), Long(0) == Long(8) + Long(16) ? "right" : "wrong"));
  ASK_VALUE(Id("%s.memory.free_used", at), Find("nvmlDeviceGetMemoryInfo")(device, g_bytes),
            Id("%llu %llu", Long(8), Long(16)));
  ASK(Id("%s.memory(null)", at), Find("nvmlDeviceGetMemoryInfo")(device, NULL));
  ASK_VALUE(Id("%s.memory_v2", at),
            SetWord(0, 40 | 2 << 24) ? Find("nvmlDeviceGetMemoryInfo_v2")(device, g_bytes) : 0,
            Id("total %llu reserved %llu", Long(8), Long(16)));
  ASK_VALUE(Id("%s.memory_v2.free_used", at),
            SetWord(0, 40 | 2 << 24) ? Find("nvmlDeviceGetMemoryInfo_v2")(device, g_bytes) : 0,
            Id("%llu %llu", Long(24), Long(32)));
  if (device == NULL) return;  // the real one crashes
  ASK_VALUE(Id("%s.bar1", at), Find("nvmlDeviceGetBAR1MemoryInfo")(device, g_bytes),
            Id("total %llu", Long(0)));
  ASK(Id("%s.bar1(null)", at), Find("nvmlDeviceGetBAR1MemoryInfo")(device, NULL));
}

static void Clocks(const char* at, void* device) {
  for (int type = 0; type <= 5; ++type) {
    ASK(Id("%s.clock.%d", at, type), Find("nvmlDeviceGetClockInfo")(device, type, &g_int));
    ASK_INT(Id("%s.max_clock.%d", at, type),
            Find("nvmlDeviceGetMaxClockInfo")(device, type, &g_int));
    ASK_INT(Id("%s.applications_clock.%d", at, type),
            Find("nvmlDeviceGetApplicationsClock")(device, type, &g_int));
    ASK_INT(Id("%s.default_clock.%d", at, type),
            Find("nvmlDeviceGetDefaultApplicationsClock")(device, type, &g_int));
    ASK_INT(Id("%s.boost_clock.%d", at, type),
            Find("nvmlDeviceGetMaxCustomerBoostClock")(device, type, &g_int));
    ASK(Id("%s.clock_by_id.%d", at, type), Find("nvmlDeviceGetClock")(device, type, 0, &g_int));
  }
  ASK(Id("%s.clock(null)", at), Find("nvmlDeviceGetClockInfo")(device, 0, NULL));
  ASK(Id("%s.max_clock(null)", at), Find("nvmlDeviceGetMaxClockInfo")(device, 0, NULL));
  ASK_VALUE(
      Id("%s.memory_clocks", at),
      SetWord(0, 8) ? Find("nvmlDeviceGetSupportedMemoryClocks")(device, g_bytes, g_bytes + 8) : 0,
      Id("%u: %u %u %u %u", Word(0), Word(8), Word(12), Word(16), Word(20)));
  ASK_VALUE(Id("%s.memory_clocks(0)", at),
            SetWord(0, 0) ? Find("nvmlDeviceGetSupportedMemoryClocks")(device, g_bytes, NULL) : 0,
            Id("%u", Word(0)));
  ASK_INT(Id("%s.graphics_clocks(0)", at),
          Find("nvmlDeviceGetSupportedGraphicsClocks")(device, 1, &g_int, NULL));
  ASK_TWO(Id("%s.pstate_clocks", at),
          Find("nvmlDeviceGetMinMaxClockOfPState")(device, 0, 0, &g_int, &g_more));
  ASK_TWO(Id("%s.auto_boost", at),
          Find("nvmlDeviceGetAutoBoostedClocksEnabled")(device, &g_int, &g_more));
}

static void Heat(const char* at, void* device) {
  for (int sensor = 0; sensor <= 1; ++sensor)
    ASK(Id("%s.temperature.%d", at, sensor),
        Find("nvmlDeviceGetTemperature")(device, sensor, &g_int));
  ASK(Id("%s.temperature(null)", at), Find("nvmlDeviceGetTemperature")(device, 0, NULL));
  for (int threshold = 0; threshold <= 8; ++threshold)
    ASK_INT(Id("%s.threshold.%d", at, threshold),
            Find("nvmlDeviceGetTemperatureThreshold")(device, threshold, &g_int));
  ASK(Id("%s.threshold(null)", at), Find("nvmlDeviceGetTemperatureThreshold")(device, 0, NULL));
  ASK(Id("%s.thermal.0", at), Find("nvmlDeviceGetThermalSettings")(device, 0, g_bytes));
  ASK_INT(Id("%s.fan.0", at), Find("nvmlDeviceGetFanSpeed_v2")(device, 0, &g_int));
  ASK_TWO(Id("%s.fan_range", at), Find("nvmlDeviceGetMinMaxFanSpeed")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.power_range", at),
          Find("nvmlDeviceGetPowerManagementLimitConstraints")(device, &g_int, &g_more));
  ASK(Id("%s.power_range(null)", at),
      Find("nvmlDeviceGetPowerManagementLimitConstraints")(device, NULL, NULL));
  for (int policy = 0; policy <= 3; ++policy)
    ASK(Id("%s.violation.%d", at, policy),
        Find("nvmlDeviceGetViolationStatus")(device, policy, g_bytes));
}

static void Load(const char* at, void* device) {
  ASK(Id("%s.utilisation", at), Find("nvmlDeviceGetUtilizationRates")(device, g_bytes));
  ASK(Id("%s.utilisation(null)", at), Find("nvmlDeviceGetUtilizationRates")(device, NULL));
  ASK_TWO(Id("%s.encoder", at), Find("nvmlDeviceGetEncoderUtilization")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.decoder", at), Find("nvmlDeviceGetDecoderUtilization")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.jpg", at), Find("nvmlDeviceGetJpgUtilization")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.ofa", at), Find("nvmlDeviceGetOfaUtilization")(device, &g_int, &g_more));
  ASK_INT(Id("%s.encoder_capacity", at), Find("nvmlDeviceGetEncoderCapacity")(device, 0, &g_int));
  ASK(Id("%s.encoder_stats", at),
      Find("nvmlDeviceGetEncoderStats")(device, &g_int, &g_more, g_bytes));
  ASK(Id("%s.fbc_stats", at), Find("nvmlDeviceGetFBCStats")(device, g_bytes));
  for (int counter = 0; counter <= 2; ++counter)
    ASK(Id("%s.pcie_throughput.%d", at, counter),
        Find("nvmlDeviceGetPcieThroughput")(device, counter, &g_int));
  static const char* const kLists[] = {
      "nvmlDeviceGetComputeRunningProcesses",     "nvmlDeviceGetComputeRunningProcesses_v2",
      "nvmlDeviceGetComputeRunningProcesses_v3",  "nvmlDeviceGetGraphicsRunningProcesses",
      "nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v3"};
  for (size_t i = 0; i < sizeof(kLists) / sizeof(kLists[0]); ++i) {
    ASK_VALUE(Id("%s.%s", at, kLists[i]),
              SetWord(0, 32) ? Find(kLists[i])(device, g_bytes, g_bytes + 64) : 0,
              Id("%u", Word(0)));
    ASK_INT(Id("%s.%s(0)", at, kLists[i]), (g_int = 0, Find(kLists[i])(device, &g_int, NULL)));
    ASK(Id("%s.%s(null)", at, kLists[i]), Find(kLists[i])(device, NULL, NULL));
  }
  ASK_VALUE(Id("%s.process_utilisation", at),
            SetWord(0, 16)
                ? Find("nvmlDeviceGetProcessUtilization")(device, g_bytes + 64, g_bytes, (Size)0)
                : 0,
            NULL);
}

void AskModes(const char* at, void* device);
void AskFields(const char* at, void* device);

static void All(const char* at, void* device) {
  Numbers(at, device);
  Texts(at, device);
  Structs(at, device);
  Pci(at, device);
  Memory(at, device);
  Clocks(at, device);
  Heat(at, device);
  Load(at, device);
  AskModes(at, device);
  AskFields(at, device);
}

void AskDevices(void) {
  unsigned count = 0;
  Find("nvmlInit_v2")();
  Find("nvmlDeviceGetCount_v2")(&count);
  for (unsigned i = 0; i < count; ++i) {
    char at[32];
    void* device = NULL;
    sprintf(at, "nvml.device%u", i);
    Find("nvmlDeviceGetHandleByIndex_v2")(i, &device);
    All(at, device);
  }
}

// Clocks, temperatures and modes of no device crash the real library.
void AskNoDevice(void) {
  Find("nvmlInit_v2")();
  Numbers("nvml.no_device", NULL);
  Texts("nvml.no_device", NULL);
  Structs("nvml.no_device", NULL);
  Pci("nvml.no_device", NULL);
  Memory("nvml.no_device", NULL);
}

void AskAfterShutdown(void) {
  void* device = NULL;
  Find("nvmlInit_v2")();
  Find("nvmlDeviceGetHandleByIndex_v2")(0, &device);
  Find("nvmlShutdown")();
  Numbers("nvml.after_shutdown", device);
  Pci("nvml.after_shutdown", device);
  AskModes("nvml.after_shutdown", device);
}
