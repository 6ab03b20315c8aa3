// The fake libcudart gives the answers that a real one was recorded with, and fails for the reasons
// it was seen to fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fakes/cuda_driver/api.h"
#include "fakes/cuda_runtime/api.h"
#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"
#include "tests/fakes/text_lines.h"

namespace gpustage::fakes_test {
namespace {

using testing::Each;
using testing::ElementsAreArray;
using testing::Field;
using testing::Lt;
using testing::SizeIs;
using world::FaultAction;
using world::PropsLayout;

using GetProperties = cudaError_t (*)(void*, int);

// Fields of cudaDeviceProp where NVIDIA's headers put them. Source: offsetof() with the
// toolkits 11.8.89, 12.9.79, 13.5.37.
struct Offsets {
  size_t size, multi_processors, integrated, pci_bus, pci_device, pci_domain, l2, optin, reserved;
};
constexpr Offsets kCuda11 = {728, 388, 396, 584, 588, 592, 616, 696, 720};
constexpr Offsets kCuda12 = {780, 388, 396, 584, 588, 592, 616, 696, 720};
constexpr Offsets kCuda13 = {784, 384, 388, 568, 572, 576, 596, 672, 696};

struct Properties {
  unsigned char bytes[1200];

  template <typename T>
  T At(size_t offset) const {
    T value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
  }
  // How many bytes were written over a pattern that no answer holds at its end.
  size_t Written() const {
    size_t size = sizeof(bytes);
    while (size > 0 && bytes[size - 1] == 0xa5) --size;
    return size;
  }
};

Properties Ask(const Library& cudart, const char* function, int device) {
  Properties props;
  memset(props.bytes, 0xa5, sizeof(props.bytes));
  reinterpret_cast<GetProperties>(cudart.Find(function))(props.bytes, device);
  return props;
}

const char* NewestGetProperties(const std::string& major) {
  return major == "12" ? "cudaGetDeviceProperties_v2" : "cudaGetDeviceProperties";
}

// "props e=0 name=… cc=9.0 …", as recorded.
void PrintProperties(const Properties& p, const Offsets& at, std::ostream& out) {
  out << "props e=0 name=" << reinterpret_cast<const char*>(p.bytes) << " cc=" << p.At<int>(360)
      << '.' << p.At<int>(364) << " mem=" << p.At<size_t>(288)
      << " smp=" << p.At<int>(at.multi_processors) << " l2=" << p.At<int>(at.l2)
      << " warp=" << p.At<int>(308) << " shared=" << p.At<size_t>(296)
      << " optin=" << p.At<size_t>(at.optin) << " reserved=" << p.At<size_t>(at.reserved)
      << " regs=" << p.At<int>(304) << " pci=" << p.At<int>(at.pci_domain) << ':'
      << p.At<int>(at.pci_bus) << ':' << p.At<int>(at.pci_device)
      << " integrated=" << p.At<int>(at.integrated) << " bus=" << p.At<int>(at.l2 - 4) << '\n';
}

class CudaRuntime : public testing::TestWithParam<std::string> {
 protected:
  CudaRuntime() {
    runtime_ = stage_.Place("cudart-" + GetParam().substr(0, 2), "libcudart.so." + GetParam());
  }

  // A runtime and the driver that it will find: one that is loaded already, by its SONAME.
  Outcome WithDriver(std::function<void(const Library&, std::ostream&)> body) {
    const std::string driver = stage_.Place("cuda", "libcuda.so.1");
    return stage_.Run([=, this](std::ostream& out) {
      const Library cuda(driver);
      body(Library(runtime_), out);
    });
  }

  // cudaGetDeviceCount, after it the last error, and the last error again. A runtime that could not
  // start never forgets it: recorded for 100 and 101, and seen of NVIDIA's 11.8, 12.9 and 13.0 on
  // the fake libcuda for 35 and 999.
  std::string Count() {
    return WithDriver([](const Library& cudart, std::ostream& out) {
             int count = -1;
             const int error = FN(cudart, cudaGetDeviceCount)(&count);
             out << error << ' ' << FN(cudart, cudaGetLastError)() << ' '
                 << FN(cudart, cudaGetLastError)();
           })
        .said;
  }

  FakeStage stage_;
  std::string runtime_;
};

// CUDA 11 knows fewer errors than the 13 that was asked, and one by another text.
void ReplaceErrorTexts(std::vector<std::string>& lines) {
  std::erase_if(lines, [](const std::string& line) { return line.rfind("rterr ", 0) == 0; });
  std::string name;
  for (const std::string& line : RecordedLines("h100-80gb-hbm3.conformance.txt",
                                               "cudart11.error_name.", "cudart11.device0")) {
    const size_t answer = line.find(" = 0 ");
    const std::string code = line.substr(20, answer - 20), text = line.substr(answer + 5);
    const bool known = code[0] != '-' && text != "unrecognized error code";
    if (line.rfind("cudart11.error_name.", 0) == 0)
      name = text;
    else if (known)
      lines.push_back("rterr " + code + ' ' + name + " | " + text);
  }
}

TEST_P(CudaRuntime, AnswersAsTheRecordedMachinesDid) {
  for (const char* file : {kH100, kTwoH200}) {
    stage_.machine() = RecordedMachine(file);
    const Outcome outcome = WithDriver([](const Library& cudart, std::ostream& out) {
      int count = -1, version = 0;
      int error = FN(cudart, cudaDriverGetVersion)(&version);
      out << "cudaDriverGetVersion e=" << error << " v=" << version << '\n';
      error = FN(cudart, cudaGetDeviceCount)(&count);
      out << "cudaGetDeviceCount e=" << error << ' ' << FN(cudart, cudaGetErrorName)(error) << " | "
          << FN(cudart, cudaGetErrorString)(error) << " c=" << count << '\n';
      for (int device = 0; device < count; ++device) {
        const Offsets& at = GetParam() == "13" ? kCuda13 : GetParam() == "12" ? kCuda12 : kCuda11;
        PrintProperties(Ask(cudart, NewestGetProperties(GetParam()), device), at, out);
        size_t free = 0, total = 0;
        out << "setDevice e=" << FN(cudart, cudaSetDevice)(device) << '\n';
        error = FN(cudart, cudaMemGetInfo)(&free, &total);
        out << "memGetInfo e=" << error << " free=" << free << " total=" << total << '\n';
        for (int attribute = 1; attribute < 150; ++attribute) {
          int value = 0;
          error = FN(cudart, cudaDeviceGetAttribute)(&value, attribute, device);
          out << "rtattr " << attribute;
          if (error == 0)
            out << " v=" << value << '\n';
          else
            out << " e=" << error << '\n';
        }
      }
      for (int code = 0; code < 1000; ++code) {
        const std::string name = FN(cudart, cudaGetErrorName)(code);
        if (name == "unrecognized error code") continue;
        out << "rterr " << code << ' ' << name << " | " << FN(cudart, cudaGetErrorString)(code)
            << '\n';
      }
    });
    std::vector<std::string> recorded = RecordedLines(file, "cudaDriverGetVersion", "nvml ");
    // Of the library's own make: its version, and the size of the caller's struct.
    std::erase_if(recorded, [](const std::string& line) {
      return line.find("cudaRuntimeGetVersion") == 0 || line.find("sizeof(") == 0;
    });
    if (GetParam() == "11.0") ReplaceErrorTexts(recorded);
    EXPECT_THAT(Split(outcome.said), ElementsAreArray(recorded)) << file;
  }
}

TEST_P(CudaRuntime, PassesOnTheErrorOfCuInit) {
  // Source: cuInit codes that a real libcudart 13 was given, and its answers.
  for (const int code : {1, 2, 3, 34, 36, 46, 100, 101, 214, 304, 800, 802, 803, 804, 999}) {
    stage_.machine() = EmptyMachine();
    stage_.AddFault("cuInit", FaultAction::kReturn).code = code;
    const std::string text = std::to_string(code);
    EXPECT_EQ(Count(), text + " " + text + " " + text);
  }
}

TEST_P(CudaRuntime, CallsOtherErrorsOfTheDriverInitialisationErrors) {
  for (const char* function : {"cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName",
                               "cuDeviceTotalMem_v2", "cuDeviceGetAttribute", "cuDeviceGetUuid"}) {
    stage_.machine() = EmptyMachine();
    AddDevice(stage_.machine(), PlainDevice(0));
    stage_.AddFault(function, FaultAction::kReturn).code = 999;
    EXPECT_EQ(Count(), "3 3 3") << function;
  }
}

TEST_P(CudaRuntime, NeedsADriverOfItsOwnMajor) {
  AddDevice(stage_.machine(), PlainDevice(0));
  const int own = std::stoi(GetParam()) * 1000;
  stage_.machine().driver_cuda_version = own - 10;
  EXPECT_EQ(Count(), "35 35 35");
  EXPECT_THAT(stage_.Calls("cuInit"), SizeIs(0));  // the version is asked first
  stage_.machine().driver_cuda_version = own;
  EXPECT_EQ(Count(), "0 0 0");
}

TEST_P(CudaRuntime, KnowsNvidiasStubLibrary) {
  stage_.AddFault("cuGetProcAddress_v2", FaultAction::kReturn).code = 34;
  EXPECT_EQ(Count(), "34 34 34");
}

TEST_P(CudaRuntime, SaysThatTheDriverIsTooOldWhereThereIsNone) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cudart(runtime_);
    int count = -1, version = -1;
    out << FN(cudart, cudaDriverGetVersion)(&version) << ' ' << version << ' ';
    out << FN(cudart, cudaGetDeviceCount)(&count);
  });
  if (outcome.said.find("0 0 ") != 0) GTEST_SKIP() << "this machine has a libcuda.so.1 of its own";
  EXPECT_EQ(outcome.said, "0 0 35");
}

TEST_P(CudaRuntime, KeepsAStickyError) {
  AddDevice(stage_.machine(), PlainDevice(0));
  world::Fault& fault = stage_.AddFault("cudaMemGetInfo", FaultAction::kReturn);
  fault.code = 719;
  fault.sticky = 1;
  const Outcome outcome = WithDriver([](const Library& cudart, std::ostream& out) {
    FN(cudart, cudaMemGetInfo)(nullptr, nullptr);
    FN(cudart, cudaSetDevice)(7);
    out << FN(cudart, cudaPeekAtLastError)() << ' ' << FN(cudart, cudaGetLastError)() << ' '
        << FN(cudart, cudaGetLastError)();
  });
  EXPECT_EQ(outcome.said, "719 719 719");
}

TEST_P(CudaRuntime, RefusesADeviceThatIsNotThere) {
  AddDevice(stage_.machine(), PlainDevice(0));
  const Outcome outcome = WithDriver([](const Library& cudart, std::ostream& out) {
    int device = -1;
    out << FN(cudart, cudaSetDevice)(1) << ' ' << FN(cudart, cudaGetDevice)(&device) << ' '
        << device;
  });
  EXPECT_EQ(outcome.said, "101 0 0");
}

TEST_P(CudaRuntime, AllocatesWithTheDriversAccount) {
  AddDevice(stage_.machine(), PlainDevice(0));
  const Outcome outcome = WithDriver([](const Library& cudart, std::ostream& out) {
    void* memory = nullptr;
    size_t before = 0, after = 0, total = 0;
    char back[4] = {};
    FN(cudart, cudaMemGetInfo)(&before, &total);
    out << FN(cudart, cudaMalloc)(&memory, 1 << 20) << ' ';
    FN(cudart, cudaMemGetInfo)(&after, &total);
    out << before - after << ' ' << reinterpret_cast<uintptr_t>(memory) % 4096 << ' ';
    FN(cudart, cudaMemcpy)(memory, "abc", 4, 1);
    FN(cudart, cudaMemset)(memory, 'x', 2);
    FN(cudart, cudaMemcpy)(back, memory, 4, 2);
    out << back << ' ' << FN(cudart, cudaFree)(memory);
  });
  EXPECT_EQ(outcome.said, "0 2097152 0 xxc 0");  // devices give memory by 2 MiB
}

TEST_P(CudaRuntime, RecordsKernelRegistrationOnce) {
  WithDriver([](const Library& cudart, std::ostream&) {
    const auto add = reinterpret_cast<void** (*)(void*)>(cudart.Find("__cudaRegisterFatBinary"));
    for (int i = 0; i < 1000; ++i) add(nullptr);
  });
  EXPECT_THAT(stage_.Calls("__cudaRegisterFatBinary"), SizeIs(1));
}

TEST_P(CudaRuntime, WritesTheLayoutThatTheScenarioWants) {
  AddDevice(stage_.machine(), PlainDevice(0));
  const size_t own = GetParam() == "13"   ? kCuda13.size
                     : GetParam() == "12" ? kCuda12.size
                                          : kCuda11.size;
  const std::vector<std::pair<PropsLayout, std::vector<size_t>>> layouts = {
      // bytes written; where the compute capability stands
      {PropsLayout::kOwn, {own, 360}},
      {PropsLayout::kCuda12, {780, 360}},
      {PropsLayout::kCuda13, {784, 360}},
      {PropsLayout::kNaive, {748, 328}},  // as a struct without uuid, luid and mask
      {PropsLayout::kTruncated, {360, 0}},
      {PropsLayout::kHomemade, {440, 264}},
  };
  for (const auto& [layout, expected] : layouts) {
    stage_.machine().props_layout = layout;
    const size_t major_at = expected[1];
    const Outcome outcome = WithDriver([=](const Library& cudart, std::ostream& out) {
      const Properties props = Ask(cudart, NewestGetProperties(GetParam()), 0);
      out << props.Written() << ' ' << (major_at == 0 ? 9 : props.At<int>(major_at));
    });
    EXPECT_EQ(outcome.said, std::to_string(expected[0]) + " 9") << static_cast<int>(layout);
  }
}

TEST_P(CudaRuntime, TellsTheComputeCapabilityOfTheScenario) {
  world::Device device = PlainDevice(0);
  device.prop_cc_major = 8;
  device.prop_cc_minor = 9;
  AddDevice(stage_.machine(), device);
  const Outcome outcome = WithDriver([](const Library& cudart, std::ostream& out) {
    const Properties props = Ask(cudart, NewestGetProperties(GetParam()), 0);
    int major = 0;
    FN(cudart, cudaDeviceGetAttribute)(&major, 75, 0);
    out << props.At<int>(360) << '.' << props.At<int>(364) << ' ' << major;
  });
  EXPECT_EQ(outcome.said, "8.9 9");
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaRuntime, testing::Values("11.0", "12", "13"),
                         [](const auto& major) { return major.param.substr(0, 2); });

// Programs built with CUDA 11 headers that run on libcudart 12.
TEST(CudaRuntime12, WritesTheOldStructUnderTheOldName) {
  FakeStage stage;
  AddDevice(stage.machine(), PlainDevice(0));
  const std::string driver = stage.Place("cuda", "libcuda.so.1");
  const std::string runtime = stage.Place("cudart-12", "libcudart.so.12");
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library cuda(driver);
    out << Ask(Library(runtime), "cudaGetDeviceProperties", 0).Written();
  });
  EXPECT_EQ(outcome.said, "728");
}

}  // namespace
}  // namespace gpustage::fakes_test
