// The fake ggml backends, asked through the tables that ggml reads: numbers of functions and
// offsets are those of the public headers, ollama/ollama v0.17.4 and upstream's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Backend {
  std::string variant;  // "upstream", "ollama"
  std::string major;

  friend std::ostream& operator<<(std::ostream& out, const Backend& backend) {
    return out << backend.variant << ' ' << backend.major;
  }
};

struct Offsets {
  int functions;  // of a device
  int total, type, device_id, caps;
  int id, driver_major, compute_major, library;  // Ollama only
};
constexpr Offsets kUpstream = {15, 24, 32, 40, 48, -1, -1, -1, -1};
constexpr Offsets kOllama = {16, 32, 40, 48, 56, 24, 60, 68, 80};

struct Registration {
  int api_version;
  const char* (*name)(Registration*);
  size_t (*count)(Registration*);
  void** (*device)(Registration*, size_t);  // points to the device's functions
};

struct Properties {
  alignas(8) char bytes[256] = {};

  template <typename T>
  T At(int offset) const {
    T value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
  }
  std::string Text(int offset) const { return At<const char*>(offset); }
};

class FakeBackend : public testing::TestWithParam<Backend> {
 protected:
  FakeBackend() {
    for (int i = 0; i < 2; ++i) AddDevice(stage_.machine(), PlainDevice(i));
  }

  static bool IsOllama() { return GetParam().variant == "ollama"; }
  static Offsets At() { return IsOllama() ? kOllama : kUpstream; }

  // What the backend needs, in an order in which each finds its own siblings loaded, as
  // LD_LIBRARY_PATH would let it.
  std::vector<std::string> Siblings() {
    const std::string& major = GetParam().major;
    return {stage_.Place("cuda", "libcuda.so.1"),
            stage_.Place("cudart-" + major, "libcudart.so." + major),
            stage_.Place("cublaslt-" + major, "libcublasLt.so." + major),
            stage_.Place("cublas-" + major, "libcublas.so." + major)};
  }

  Outcome Load(const std::vector<std::string>& siblings, const std::vector<Variable>& environment,
               std::function<void(Registration&, std::ostream&)> body) {
    const std::string base = stage_.Place("ggml-base-" + GetParam().variant,
                                          IsOllama() ? "libggml-base.so.0" : "libggml-base.so");
    const std::string path = stage_.Place(
        "ggml-cuda-" + GetParam().variant + "-" + GetParam().major, "alone/libggml-cuda.so");
    return stage_.Run(environment, [=](std::ostream& out) {
      const Library ggml(base);
      for (const std::string& sibling : siblings) Library{sibling};
      reinterpret_cast<void (*)(void (*)(int, const char*, void*), void*)>(
          ggml.Find("ggml_log_set"))(
          [](int, const char* text, void* to) { *static_cast<std::ostream*>(to) << text; }, &out);
      const Library backend(path);
      body(*reinterpret_cast<Registration* (*)()>(backend.Find("ggml_backend_init"))(), out);
    });
  }
  Outcome Load(std::function<void(Registration&, std::ostream&)> body) {
    return Load(Siblings(), {}, std::move(body));
  }

  static Properties Ask(void** device) {
    Properties props;
    reinterpret_cast<void (*)(void*, void*)>(device[4])(device, props.bytes);
    return props;
  }
  static size_t TotalMemory(void** device) {
    size_t free = 0, total = 0;
    reinterpret_cast<void (*)(void*, size_t*, size_t*)>(device[2])(device, &free, &total);
    return total;
  }

  FakeStage stage_;
};

TEST_P(FakeBackend, LogsWhatItFound) {
  const Outcome outcome = Load([](Registration&, std::ostream&) {});
  EXPECT_THAT(outcome.said, HasSubstr("ggml_cuda_init: found 2 CUDA devices"));
  EXPECT_THAT(outcome.said,
              HasSubstr("  Device 1: NVIDIA Test 1, compute capability 9.0, VMM: yes, "));
}

TEST_P(FakeBackend, GivesTheTablesOfItsAbi) {
  const Outcome outcome = Load([](Registration& reg, std::ostream& out) {
    out << "\nsaid: " << reg.api_version << ' ' << reg.name(&reg) << ' ' << reg.count(&reg) << ' ';
    void** const device = reg.device(&reg, 1);
    out << (device[At().functions] == &reg) << ' ';  // the registration follows the functions
    const Properties props = Ask(device);
    out << props.Text(0) << '/' << props.Text(8) << '/' << props.Text(At().device_id) << '/'
        << props.At<int>(At().type) << '/' << props.At<bool>(At().caps);
  });
  EXPECT_THAT(outcome.said, HasSubstr("said: 2 CUDA 2 1 CUDA1/NVIDIA Test 1/0000:02:00.0/1/1"));
}

class OllamaBackend : public FakeBackend {};

TEST_P(OllamaBackend, GivesWhatOllamaAddsToTheProperties) {
  const Outcome outcome = Load([](Registration& reg, std::ostream& out) {
    const Properties props = Ask(reg.device(&reg, 0));
    out << "\nsaid: " << props.Text(At().id) << ' ' << props.At<int>(At().driver_major) << ' '
        << props.At<int>(At().compute_major) << ' ' << props.Text(At().library) << ' '
        << props.At<size_t>(At().total);  // memory is asked for separately
  });
  EXPECT_THAT(outcome.said,
              HasSubstr("said: GPU-10111213-1415-1617-1819-1a1b1c1d1e1f 13 9 CUDA 0"));
}

TEST_P(FakeBackend, TakesMemoryFromCudaOrInOllamaFromNvml) {
  stage_.machine().devices[0].nvml_memory_total = 81ull << 30;
  const auto ask = [](Registration& reg, std::ostream& out) {
    const size_t total = TotalMemory(reg.device(&reg, 0));
    out << "said: " << (total >> 30);
  };
  EXPECT_THAT(Load(ask).said, HasSubstr("said: 80"));
  std::vector<std::string> siblings = Siblings();
  siblings.push_back(stage_.Place("nvml", "libnvidia-ml.so.1"));
  EXPECT_THAT(Load(siblings, {}, ask).said, HasSubstr(IsOllama() ? "said: 81" : "said: 80"));
}

TEST_P(FakeBackend, StaysWithoutDevicesWhenCudaFails) {
  stage_.AddFault("cuInit", world::FaultAction::kReturn).code = 100;
  const Outcome outcome =
      Load([](Registration& reg, std::ostream& out) { out << reg.count(&reg); });
  EXPECT_EQ(outcome.said,
            "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected\n0");
}

// Only Ollama's copy reads GGML_CUDA_INIT.
TEST_P(FakeBackend, AbortsForADeviceItWasNotBuiltForInTheSecondPass) {
  stage_.machine().devices[1].prop_cc_major = 3;
  stage_.machine().devices[1].prop_cc_minor = 5;
  const auto count = [](Registration& reg, std::ostream& out) { out << reg.count(&reg); };
  EXPECT_EQ(Load(Siblings(), {}, count).exit_status, 0);
  EXPECT_EQ(Load(Siblings(), {{"GGML_CUDA_INIT", "1"}}, count).signal, IsOllama() ? SIGABRT : 0);
}

TEST_P(FakeBackend, AbortsWhenPropertiesFail) {
  stage_
      .AddFault(GetParam().major == "12" ? "cudaGetDeviceProperties_v2" : "cudaGetDeviceProperties",
                world::FaultAction::kReturn)
      .code = 46;
  EXPECT_EQ(Load([](Registration&, std::ostream&) {}).signal, SIGABRT);
}

TEST_P(FakeBackend, DoesNotLoadWithoutASibling) {
  std::vector<std::string> siblings = Siblings();
  siblings.erase(siblings.begin() + 1);  // libcudart
  const Outcome outcome =
      Load(siblings, {}, [](Registration&, std::ostream& out) { out << "loaded"; });
  if (outcome.said.find("loaded") != std::string::npos)
    GTEST_SKIP() << "this machine has a libcudart.so." << GetParam().major << " of its own";
  EXPECT_EQ(outcome.said, "error: libcudart.so." + GetParam().major +
                              ": cannot open shared object file: No such file or directory\n");
}

std::string Name(const testing::TestParamInfo<Backend>& b) {
  return b.param.variant + b.param.major;
}

const Backend kUpstream12 = {"upstream", "12"}, kUpstream13 = {"upstream", "13"};
const Backend kOllama12 = {"ollama", "12"}, kOllama13 = {"ollama", "13"};
INSTANTIATE_TEST_SUITE_P(Abi, FakeBackend,
                         testing::Values(kUpstream12, kUpstream13, kOllama12, kOllama13), Name);
INSTANTIATE_TEST_SUITE_P(Abi, OllamaBackend, testing::Values(kOllama12, kOllama13), Name);

}  // namespace
}  // namespace gpustage::fakes_test
