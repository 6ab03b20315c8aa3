// What stands in identifiers that are none. The uuids and addresses are those of a report in
// public: a shim of one's own wrote cudaDeviceProp without a uuid.
#include "harness/evidence/path/device_id.h"

#include "harness/evidence/path/cuda_codes.h"
#include "harness/words/words.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

std::string Told(const std::optional<Reason>& fields) { return fields ? SentenceOf(*fields) : ""; }

TEST(FieldsInUuid, FindsMemoryAndCapability) {
  EXPECT_EQ(Told(FieldsInUuid("GPU-00000000-1400-0000-0900-000000000000")),
            "totalGlobalMem 80.0 GiB, major 9, minor 0");
}
TEST(FieldsInUuid, FindsMemoryAndSharedMemory) {
  EXPECT_EQ(Told(FieldsInUuid("GPU-00000000-1400-0000-00c0-000000000000")),
            "totalGlobalMem 80.0 GiB, sharedMemPerBlock 49152");
}
TEST(FieldsInUuid, TakesARealOneForOne) {
  for (const char* uuid : {"GPU-5f2c2a5e-2f5b-4d4e-9c0a-0a4f0e4d7a11",
                           "GPU-00000000-0000-4000-8000-000000000001", "GPU-1", "", "0"})
    EXPECT_EQ(FieldsInUuid(uuid), std::nullopt) << uuid;
}

TEST(FieldsInPciId, KnowsAnAddress) {
  for (const char* pci : {"0000:01:00.0", "00000000:01:00.0", "01:00.0", ""})
    EXPECT_EQ(FieldsInPciId(pci), std::nullopt) << pci;
}
TEST(FieldsInPciId, KnowsWhatIsNone) {
  EXPECT_THAT(Told(FieldsInPciId("99fff950:99fff9")), HasSubstr("stack bytes"));
  EXPECT_THAT(Told(FieldsInPciId("0000:3d3bb990:7")), HasSubstr("stack bytes"));
  EXPECT_EQ(Told(FieldsInPciId("0800:3200000:1f")),
            "l2CacheSize 52428800 and maxThreadsPerMultiProcessor 2048");
}

TEST(CodeText, NamesACodeByItsApi) {
  EXPECT_EQ(CodeText("cuInit", 100),
            "100 (CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected)");
  EXPECT_EQ(CodeText("cudaGetDeviceCount", 35),
            "35 (cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime "
            "version)");
  EXPECT_EQ(CodeText("cuInit", 123456), "123456, a code that nobody names");
}

TEST(CodeText, KnowsTheOtherMakersToo) {
  EXPECT_EQ(CodeOf("hipGetDeviceCount", 100).name, "hipErrorNoDevice");
  EXPECT_EQ(CodeOf("hsa_init", 4104).name, "HSA_STATUS_ERROR_OUT_OF_RESOURCES");
  EXPECT_EQ(CodeOf("rsmi_init", 8).name, "RSMI_STATUS_INIT_ERROR");
  EXPECT_EQ(CodeOf("zeInit", 0x78000001).name, "ZE_RESULT_ERROR_UNINITIALIZED");
  EXPECT_EQ(CodeOf("clGetPlatformIDs", -1001).name, "CL_PLATFORM_NOT_FOUND_KHR");
}

struct Meaning {
  bool runtime;
  int64_t code;
  std::string name, text;
};

// One table in the fakes, one in the harness: neither may include the other's.
TEST(CodeText, HasTheTablesOfTheFakes) {
  const Meaning driver[] = {
#define ERROR(code, name, text) {false, code, #name, text},
#include "fakes/cuda_driver/errors.inc"
#undef ERROR
  };
  const Meaning runtime[] = {
#define ERROR(code, name, text) {true, code, #name, text},
#include "fakes/cuda_runtime/errors.inc"
#undef ERROR
  };
  for (const Meaning& meaning : driver)
    EXPECT_EQ(CodeOf("cuInit", meaning.code).name, meaning.name) << meaning.code;
  for (const Meaning& meaning : runtime)
    EXPECT_EQ(CodeOf("cudaFree", meaning.code).text, meaning.text) << meaning.code;
}

}  // namespace
}  // namespace gpustage
