// The fake libcuda gives the answers that a real one was recorded with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fakes/cuda_driver/api.h"
#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"
#include "tests/fakes/text_lines.h"

namespace gpustage::fakes_test {
namespace {

using testing::ElementsAreArray;
using testing::IsSupersetOf;

// The questions of the recording, in its words.
void ProbeDevice(const Library& cuda, int ordinal, std::ostream& out) {
  CUdevice device = -1;
  int result = FN(cuda, cuDeviceGet)(&device, ordinal);
  out << "cuDeviceGet " << ordinal << " r=" << result << " d=" << device << '\n';
  char text[256] = {};
  result = FN(cuda, cuDeviceGetName)(text, sizeof(text), device);
  out << "name r=" << result << ' ' << text << '\n';
  memset(text, 'x', sizeof(text));
  result = FN(cuda, cuDeviceGetName)(text, 4, device);
  out << "name len4 r=" << result << " [" << text << "] last=" << int{text[3]} << '\n';
  CUuuid uuid = {};
  out << "uuid r=" << FN(cuda, cuDeviceGetUuid)(&uuid, device) << ' ';
  for (const char byte : uuid.bytes) {
    char hex[3];
    snprintf(hex, sizeof(hex), "%02x", static_cast<unsigned char>(byte));
    out << hex;
  }
  size_t bytes = 0;
  result = FN(cuda, cuDeviceTotalMem_v2)(&bytes, device);
  out << "\ntotalMem r=" << result << ' ' << bytes << '\n';
  result = FN(cuda, cuDeviceGetPCIBusId)(text, 64, device);
  out << "pci r=" << result << ' ' << text << '\n';
  for (int attribute = 0; attribute < 170; ++attribute) {
    int value = -12345;
    result = FN(cuda, cuDeviceGetAttribute)(&value, attribute, device);
    out << "attr " << attribute << " r=" << result << " v=" << value << '\n';
  }
}

void ProbeErrors(const Library& cuda, std::ostream& out) {
  for (int code = 0; code < 1000; ++code) {
    const char *name = nullptr, *text = nullptr;
    if (FN(cuda, cuGetErrorName)(code, &name) != 0) continue;
    FN(cuda, cuGetErrorString)(code, &text);
    out << "err " << code << ' ' << name << " | " << text << '\n';
  }
}

void Probe(const Library& cuda, std::ostream& out) {
  int version = 0, count = -1;
  int result = FN(cuda, cuDriverGetVersion)(&version);
  out << "cuDriverGetVersion before init r=" << result << " v=" << version << '\n';
  result = FN(cuda, cuDeviceGetCount)(&count);
  out << "cuDeviceGetCount before init r=" << result << " c=" << count << '\n';
  const char *name = nullptr, *text = nullptr;
  result = FN(cuda, cuInit)(0);
  FN(cuda, cuGetErrorName)(result, &name);
  FN(cuda, cuGetErrorString)(result, &text);
  out << "cuInit r=" << result << ' ' << name << " | " << text << '\n';
  out << "cuInit(1) r=" << FN(cuda, cuInit)(1) << '\n';
  result = FN(cuda, cuDeviceGetCount)(&count);
  out << "cuDeviceGetCount r=" << result << " c=" << count << '\n';
  for (int i = 0; i < count; ++i) ProbeDevice(cuda, i, out);
  CUdevice device = -1;
  out << "cuDeviceGet(99) r=" << FN(cuda, cuDeviceGet)(&device, 99) << '\n';
  ProbeErrors(cuda, out);
}

class CudaDriver : public testing::TestWithParam<const char*> {};

TEST_P(CudaDriver, AnswersAsTheRecordedMachineDid) {
  FakeStage stage;
  stage.machine() = RecordedMachine(GetParam());
  const std::string path = stage.Place("cuda", "libcuda.so.1");
  const Outcome outcome = stage.Run([&](std::ostream& out) { Probe(Library(path), out); });
  EXPECT_THAT(Split(outcome.said),
              ElementsAreArray(RecordedLines(GetParam(), "cuDriverGetVersion", "cudaDriverGet")));
}

INSTANTIATE_TEST_SUITE_P(Recorded, CudaDriver, testing::Values(kH100, kTwoH200),
                         [](const auto& file) { return file.param == kH100 ? "H100" : "TwoH200"; });

// The device itself determines some; the rest is the world's, and what is assumed there is said to
// be.
TEST(CudaDriverAttributes, ComeFromTheDeviceAndFromItsWorld) {
  FakeStage stage;
  world::Device device = PlainDevice(0);
  device.cc_major = 8;
  device.cc_minor = 6;
  device.integrated = 1;
  AddDevice(stage.machine(), device);
  const std::string path = stage.Place("cuda", "libcuda.so.1");
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library cuda(path);
    FN(cuda, cuInit)(0);
    ProbeDevice(cuda, 0, out);
  });
  EXPECT_THAT(Split(outcome.said),
              IsSupersetOf({"attr 75 r=0 v=8", "attr 76 r=0 v=6", "attr 18 r=0 v=1",
                            "attr 33 r=0 v=1", "attr 38 r=0 v=52428800", "attr 148 r=1 v=-12345"}));
  std::vector<std::string> assumed;
  for (const CallRecord& call : stage.Calls("cuDeviceGetAttribute"))
    if (call.fidelity == world::Fidelity::kAssumed) assumed.push_back(call.arguments);
  EXPECT_THAT(assumed, testing::Contains("device=0, attrib=38"));
  EXPECT_THAT(assumed, testing::Not(testing::Contains("device=0, attrib=75")));
}

class CudaMemory : public testing::Test {
 protected:
  CudaMemory() {
    AddDevice(stage_.machine(), PlainDevice(0));
    path_ = stage_.Place("cuda", "libcuda.so.1");
  }

  // What `body` says in a process that has a context on the device.
  template <typename Body>
  std::string InContext(Body body) {
    return stage_
        .Run([&](std::ostream& out) {
          const Library cuda(path_);
          CUcontext context = nullptr;
          FN(cuda, cuInit)(0);
          FN(cuda, cuCtxCreate_v2)(&context, 0, 0);
          body(cuda, out);
        })
        .said;
  }

  static size_t Free(const Library& cuda) {
    size_t free = 0, total = 0;
    FN(cuda, cuMemGetInfo_v2)(&free, &total);
    return free;
  }

  FakeStage stage_;
  std::string path_;
};

TEST_F(CudaMemory, NeedsAContext) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(path_);
    size_t free = 0, total = 0;
    FN(cuda, cuInit)(0);
    out << FN(cuda, cuMemGetInfo_v2)(&free, &total);
  });
  EXPECT_EQ(outcome.said, "201");
}

TEST_F(CudaMemory, IsTakenFromTheFreeMemoryAndGivenBack) {
  EXPECT_EQ(InContext([](const Library& cuda, std::ostream& out) {
              const size_t before = Free(cuda);
              CUdeviceptr memory = 0;
              out << FN(cuda, cuMemAlloc_v2)(&memory, size_t{1} << 30) << ' ';
              out << (before - Free(cuda) == size_t{1} << 30) << ' ' << memory % 4096 << ' ';
              out << FN(cuda, cuMemFree_v2)(memory) << ' ' << (Free(cuda) == before) << ' ';
              out << FN(cuda, cuMemFree_v2)(memory);
            }),
            "0 1 0 0 1 1");
}

TEST_F(CudaMemory, EndsWhereTheDeviceHasNoMore) {
  EXPECT_EQ(InContext([](const Library& cuda, std::ostream& out) {
              CUdeviceptr memory = 0;
              out << FN(cuda, cuMemAlloc_v2)(&memory, Free(cuda) + 1) << ' ';
              out << FN(cuda, cuMemAlloc_v2)(&memory, Free(cuda)) << ' ' << Free(cuda);
            }),
            "2 0 0");
}

TEST_F(CudaMemory, KeepsWhatIsCopiedThere) {
  EXPECT_EQ(InContext([](const Library& cuda, std::ostream& out) {
              CUdeviceptr memory = 0;
              char back[8] = {};
              FN(cuda, cuMemAlloc_v2)(&memory, 8);
              FN(cuda, cuMemcpyHtoD_v2)(memory, "gpu", 4);
              FN(cuda, cuMemcpyDtoH_v2)(back, memory, 4);
              out << back;
            }),
            "gpu");
}

TEST_F(CudaMemory, IsMappedIntoReservedAddresses) {
  EXPECT_EQ(InContext([](const Library& cuda, std::ostream& out) {
              const size_t bytes = 4 << 20;
              CUmemAllocationProp prop = {};
              const int access[] = {1, 0, 3};  // a device, its number, read and write
              CUdeviceptr address = 0;
              CUmemGenericAllocationHandle handle = 0;
              const size_t before = Free(cuda);
              out << FN(cuda, cuMemAddressReserve)(&address, bytes, 0, 0, 0);
              out << FN(cuda, cuMemCreate)(&handle, bytes, &prop, 0);
              out << FN(cuda, cuMemMap)(address, bytes, 0, handle, 0);
              out << FN(cuda, cuMemSetAccess)(address, bytes,
                                              reinterpret_cast<const CUmemAccessDesc*>(access), 1);
              out << FN(cuda, cuMemsetD8_v2)(address, 1, bytes) << ' ' << (before - Free(cuda));
              out << ' ' << FN(cuda, cuMemUnmap)(address, bytes) << FN(cuda, cuMemRelease)(handle);
              out << FN(cuda, cuMemAddressFree)(address, bytes) << ' ' << (before - Free(cuda));
            }),
            "00000 4194304 000 0");
}

TEST(CudaProcAddress, ChoosesTheFunctionOfTheVersion) {
  FakeStage stage;
  const std::string path = stage.Place("cuda", "libcuda.so.1");
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library cuda(path);
    const auto get = FN(cuda, cuGetProcAddress_v2);
    void* function = nullptr;
    int status = -1;
    out << get("cuCtxCreate", &function, 11040, 0, &status) << status
        << (function == cuda.Find("cuCtxCreate_v3")) << ' ';
    out << get("cuCtxCreate", &function, 3020, 0, &status) << status
        << (function == cuda.Find("cuCtxCreate_v2")) << ' ';
    out << get("cuLaunchKernel", &function, 12000, 0, &status) << status
        << (function == cuda.Find("cuLaunchKernel")) << ' ';
    out << get("cuNoSuchThing", &function, 12000, 0, &status) << status << (function == nullptr);
  });
  EXPECT_EQ(outcome.said, "001 001 001 011");
}

}  // namespace
}  // namespace gpustage::fakes_test
