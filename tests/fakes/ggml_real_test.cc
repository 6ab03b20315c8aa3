// The proof of the fakes: ggml itself, built for CUDA 12 and for CUDA 13, finds the devices of the
// scenario through them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Build {
  std::string major;
  std::string library;  // libggml: its file

  friend std::ostream& operator<<(std::ostream& out, const Build& build) {
    return out << "CUDA " << build.major;
  }
};

fs::path Cache() {
  const char* const given = std::getenv("GPUSTAGE_CACHE");
  return given != nullptr ? fs::path(given) : fs::path(std::getenv("HOME")) / ".cache/gpustage";
}

// ggml-backend.h, as far as both builds agree.
struct Ggml {
  explicit Ggml(const fs::path& directory, const std::string& library)
      : base(directory / "libggml-base.so"), registry(directory / library) {}

  template <typename Function>
  Function Base(const char* name) const {
    return reinterpret_cast<Function>(base.Find(name));
  }
  template <typename Function>
  Function Registry(const char* name) const {
    return reinterpret_cast<Function>(registry.Find(name));
  }

  Library base;
  Library registry;
};

class RealGgml : public testing::TestWithParam<Build> {
 protected:
  void SetUp() override {
    directory_ = Cache() / "real" / ("ggml-cuda-" + GetParam().major);
    if (!fs::exists(directory_ / "libggml-cuda.so"))
      GTEST_SKIP() << "needs the real ggml for CUDA " << GetParam().major << " in " << directory_
                   << "; harness/dev real fetches it";
    const std::string& major = GetParam().major;
    placed_ = {stage_.Place("cuda", "libcuda.so.1"),
               stage_.Place("cudart-" + major, "libcudart.so." + major),
               stage_.Place("cublaslt-" + major, "libcublasLt.so." + major),
               stage_.Place("cublas-" + major, "libcublas.so." + major)};
    stage_.machine().driver_cuda_version = 13000;
    for (int i = 0; i < 2; ++i) AddDevice(stage_.machine(), PlainDevice(i));
  }

  // Name, description and memory of each CUDA device, a line each, and what ggml logged.
  Outcome Scan(const std::vector<Variable>& environment = {}) {
    return Scan("ggml_backend_load_all_from_path", directory_, environment);
  }
  Outcome Scan(const char* load, const fs::path& what, const std::vector<Variable>& environment) {
    return stage_.Run(environment, [=, this](std::ostream& out) {
      for (const std::string& path : placed_) Library{path};  // as LD_LIBRARY_PATH would
      const Ggml ggml(directory_, GetParam().library);
      ggml.Base<void (*)(void (*)(int, const char*, void*), void*)>("ggml_log_set")(
          [](int, const char* text, void* to) {
            *static_cast<std::ostream*>(to) << "log: " << text;
          },
          &out);
      ggml.Registry<void (*)(const char*)>(load)(what.c_str());
      const size_t count = ggml.Registry<size_t (*)()>("ggml_backend_dev_count")();
      for (size_t i = 0; i < count; ++i) Print(ggml, i, out);
    });
  }

  static void Print(const Ggml& ggml, size_t index, std::ostream& out) {
    void* const device = ggml.Registry<void* (*)(size_t)>("ggml_backend_dev_get")(index);
    const std::string name = ggml.Base<const char* (*)(void*)>("ggml_backend_dev_name")(device);
    if (name.compare(0, 4, "CUDA") != 0) return;
    // API 2 of upstream: name, description, memory_free, memory_total, type, device_id, …; CUDA
    // 12's build has no device_id.
    struct {
      const char *name, *description;
      size_t free, total;
      int type;
      const char* id;
      bool rest[64];
    } props = {};
    ggml.Base<void (*)(void*, void*)>("ggml_backend_dev_get_props")(device, &props);
    size_t free = 0, total = 0;
    ggml.Base<void (*)(void*, size_t*, size_t*)>("ggml_backend_dev_memory")(device, &free, &total);
    out << "device: " << name << " [" << props.description << "] " << free << " of " << total;
    if (GetParam().major != "12") out << " at " << props.id;
    out << '\n';
  }

  fs::path directory_;
  FakeStage stage_;
  std::vector<std::string> placed_;
};

std::string DeviceLine(int number, const std::string& major) {
  const std::string n = std::to_string(number);
  const std::string at = major == "12" ? "" : " at 0000:0" + std::to_string(number + 1) + ":00.0";
  return "device: CUDA" + n + " [NVIDIA Test " + n + "] 84825604096 of 85899345920" + at + "\n";
}

TEST_P(RealGgml, FindsTwoFakeDevices) {
  const Outcome outcome = Scan();
  EXPECT_EQ(outcome.exit_status, 0) << outcome.said;
  EXPECT_THAT(outcome.said, HasSubstr("ggml_cuda_init: found 2 CUDA devices"));
  EXPECT_THAT(outcome.said,
              HasSubstr("  Device 0: NVIDIA Test 0, compute capability 9.0, VMM: yes"));
  EXPECT_THAT(outcome.said, HasSubstr(DeviceLine(0, GetParam().major)));
  EXPECT_THAT(outcome.said, HasSubstr(DeviceLine(1, GetParam().major)));
}

TEST_P(RealGgml, SeesWhatCudaVisibleDevicesLeaves) {
  const Outcome outcome = Scan({{"CUDA_VISIBLE_DEVICES", "1"}});
  EXPECT_THAT(outcome.said, HasSubstr("found 1 CUDA devices"));
  EXPECT_THAT(outcome.said, HasSubstr("device: CUDA0 [NVIDIA Test 1]"));
}

TEST_P(RealGgml, SaysWhyThereIsNoDevice) {
  stage_.AddFault("cuInit", world::FaultAction::kReturn).code = 802;
  const Outcome outcome = Scan();
  EXPECT_THAT(outcome.said,
              HasSubstr("ggml_cuda_init: failed to initialize CUDA: system not yet initialized"));
  EXPECT_THAT(outcome.said, Not(HasSubstr("device: CUDA")));
}

TEST_P(RealGgml, AbortsWhenPropertiesFail) {
  world::Fault& fault = stage_.AddFault(
      GetParam().major == "12" ? "cudaGetDeviceProperties_v2" : "cudaGetDeviceProperties",
      world::FaultAction::kReturn);
  fault.code = 999;
  EXPECT_EQ(Scan().signal, SIGABRT);
}

// b5640 speaks API 1 and says so; v0.5.0 speaks 2, and upstream's fake has its tables.
TEST_P(RealGgml, TakesTheFakeBackendOfItsApi) {
  stage_.Place("ggml-cuda-upstream-" + GetParam().major, "backend/libggml-cuda.so");
  const Outcome outcome = Scan("ggml_backend_load", stage_.Path("backend/libggml-cuda.so"), {});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.said, GetParam().major == "12"
                                ? HasSubstr("incompatible API version (backend: 2, current: 1)")
                                : HasSubstr(DeviceLine(1, "13")));
}

TEST_P(RealGgml, MeetsNoStub) {
  ASSERT_EQ(Scan().exit_status, 0);
  for (const CallRecord& call : stage_.Journal())
    EXPECT_NE(call.fidelity, world::Fidelity::kStub) << call.function;
}

INSTANTIATE_TEST_SUITE_P(Cuda, RealGgml,
                         testing::Values(Build{"12", "libggml.so"},
                                         Build{"13", "libggml.cuda.v0.5.0.so"}),
                         [](const auto& build) { return build.param.major; });

}  // namespace
}  // namespace gpustage::fakes_test
