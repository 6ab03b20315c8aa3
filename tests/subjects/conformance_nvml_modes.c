// libnvidia-ml: modes, neighbours, links, and values by number.
#include "tests/subjects/conformance.h"

static unsigned Word(size_t offset) {
  unsigned word = 0;
  memcpy(&word, g_bytes + offset, sizeof(word));
  return word;
}
static int SetWord(size_t offset, unsigned word) {
  memcpy(g_bytes + offset, &word, sizeof(word));
  return 1;
}

void AskModes(const char* at, void* device) {
  ASK_TWO(Id("%s.ecc", at), Find("nvmlDeviceGetEccMode")(device, &g_int, &g_more));
  ASK(Id("%s.ecc(null)", at), Find("nvmlDeviceGetEccMode")(device, NULL, NULL));
  ASK_TWO(Id("%s.mig", at), Find("nvmlDeviceGetMigMode")(device, &g_int, &g_more));
  ASK(Id("%s.mig(null)", at), Find("nvmlDeviceGetMigMode")(device, NULL, NULL));
  ASK_TWO(Id("%s.gom", at), Find("nvmlDeviceGetGpuOperationMode")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.driver_model", at), Find("nvmlDeviceGetDriverModel")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.gsp", at), Find("nvmlDeviceGetGspFirmwareMode")(device, &g_int, &g_more));
  ASK_TWO(Id("%s.capability", at),
          Find("nvmlDeviceGetCudaComputeCapability")(device, &g_int, &g_more));
  ASK(Id("%s.capability(null)", at),
      Find("nvmlDeviceGetCudaComputeCapability")(device, NULL, NULL));
  for (int type = 0; type <= 2; ++type) {
    ASK_INT(Id("%s.api_restriction.%d", at, type),
            Find("nvmlDeviceGetAPIRestriction")(device, type, &g_int));
    ASK_SIZE(Id("%s.ecc_errors.%d", at, type),
             Find("nvmlDeviceGetTotalEccErrors")(device, type, 0, &g_size));
  }
  ASK(Id("%s.remapped_rows", at),
      Find("nvmlDeviceGetRemappedRows")(device, g_bytes, g_bytes + 4, g_bytes + 8, g_bytes + 12));
  ASK(Id("%s.row_histogram", at), Find("nvmlDeviceGetRowRemapperHistogram")(device, g_bytes));
  ASK(Id("%s.bridge", at), Find("nvmlDeviceGetBridgeChipInfo")(device, g_bytes));
  ASK(Id("%s.attributes", at), Find("nvmlDeviceGetAttributes_v2")(device, g_bytes));
  ASK_POINTER(Id("%s.mig_device0", at),
              Find("nvmlDeviceGetMigDeviceHandleByIndex")(device, 0, &g_pointer));
  ASK_POINTER(Id("%s.mig_parent", at),
              Find("nvmlDeviceGetDeviceHandleFromMigDeviceHandle")(device, &g_pointer));
  ASK_INT(Id("%s.is_mig", at), Find("nvmlDeviceIsMigDeviceHandle")(device, &g_int));
  ASK_INT(Id("%s.retired.0", at),
          (g_int = 0, Find("nvmlDeviceGetRetiredPages")(device, 0, &g_int, NULL)));
  ASK(Id("%s.board_same", at), Find("nvmlDeviceOnSameBoard")(device, device, &g_int));
  ASK_INT(Id("%s.topology_self", at),
          Find("nvmlDeviceGetTopologyCommonAncestor")(device, device, &g_int));
  ASK_INT(Id("%s.p2p_self", at), Find("nvmlDeviceGetP2PStatus")(device, device, 0, &g_int));
  ASK_INT(Id("%s.nearest", at),
          (g_int = 0, Find("nvmlDeviceGetTopologyNearestGpus")(device, 50, &g_int, NULL)));
  ASK(Id("%s.affinity", at), Find("nvmlDeviceGetCpuAffinity")(device, 16, g_bytes));
  ASK(Id("%s.memory_affinity", at), Find("nvmlDeviceGetMemoryAffinity")(device, 16, g_bytes, 0));
  ASK(Id("%s.confidential", at), Find("nvmlDeviceGetConfComputeMemSizeInfo")(device, g_bytes));
  ASK(Id("%s.grid", at), Find("nvmlDeviceGetGridLicensableFeatures_v4")(device, g_bytes));
  for (int object = 0; object <= 3; ++object)
    ASK(Id("%s.inforom.%d", at, object),
        Find("nvmlDeviceGetInforomVersion")(device, object, g_text, 16));
  for (unsigned link = 0; link <= 19; link += (link == 0 ? 17 : 1)) {
    ASK_INT(Id("%s.nvlink.%u", at, link), Find("nvmlDeviceGetNvLinkState")(device, link, &g_int));
    ASK_INT(Id("%s.nvlink_version.%u", at, link),
            Find("nvmlDeviceGetNvLinkVersion")(device, link, &g_int));
  }
}

// nvmlFieldValue_t is 40 bytes: the field first, its type at 24, its code at 28, its value at 32.
void AskFields(const char* at, void* device) {
  static const unsigned kFields[] = {1,   2,   82,  91,  185, 186, 187, 188,
                                     189, 190, 192, 193, 194, 195, 196, 9999};
  for (size_t i = 0; i < sizeof(kFields) / sizeof(kFields[0]); ++i) {
    ASK_VALUE(Id("%s.field.%u", at, kFields[i]),
              SetWord(0, kFields[i]) ? Find("nvmlDeviceGetFieldValues")(device, 1, g_bytes) : 0,
              kFields[i] == 82 || kFields[i] == 185 || kFields[i] == 186
                  ? Id("%u %u", Word(24), Word(28))
                  : Id("%u %u %u", Word(24), Word(28), Word(32)));
  }
  ASK(Id("%s.field(0)", at), Find("nvmlDeviceGetFieldValues")(device, 0, g_bytes));
  ASK(Id("%s.field(null)", at), Find("nvmlDeviceGetFieldValues")(device, 1, NULL));
}
