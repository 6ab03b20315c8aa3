// The programs over the fake driver and CUDA libraries, each stamped with a world, but without a
// root of their own.
#include <gmock/gmock.h>

#include <cstddef>
#include <cstring>

#include "fakes/world/format.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/stage/world_file.h"
#include "tests/programs/install.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// What NVIDIA's H100 says of itself, in round numbers.
Machine H100s(int count) {
  const Capabilities capabilities =
      *ReadCapabilitiesFile(InSources("/fixtures/compute-capabilities.yaml"));
  Machine machine;
  for (int i = 0; i < count; ++i) {
    GpuDevice device;
    device.name = "NVIDIA H100 80GB HBM3";
    device.uuid = {0,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                   0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, static_cast<uint8_t>(i)};
    device.pci = "0000:0" + std::to_string(i + 1) + ":00.0";
    device.cc = {9, 0};
    device.memory_total = 79ULL << 30;
    device.memory_free = 78ULL << 30;
    device.nvml_memory_total = 80ULL << 30;
    device.sm_count = 132;
    FillAttributes(capabilities, device);
    machine.devices.push_back(device);
  }
  return machine;
}

// An install with the driver in a directory of its own, so that LD_LIBRARY_PATH decides where it is
// found.
class Placed : public Install {
 public:
  explicit Placed(const Machine& machine) {
    std::string image = *WorldFile(machine);
    // Nobody looks at nodes: these fakes run outside of any box, and the driver makes missing nodes
    // again as root, which would be in this machine's /dev.
    image[offsetof(world::World, device_nodes)] = '\0';
    GPUSTAGE_CHECK(WriteFile(root() + "/world", image).ok());
    AddFake("driver/libcuda.so.1", "cuda");
    AddFake("driver/libnvidia-ml.so.1", "nvml");
  }

  std::string driver() const { return lib() + "/driver"; }

  // Below lib().
  void AddFake(const std::string& path, const std::string& fake) const {
    std::string image = *ReadFile(FAKES "/" + fake + ".so");
    const size_t at = image.find(std::string_view(world::kStampMagic, sizeof world::kStampMagic));
    if (at != std::string::npos) {
      world::Stamp stamp = {};
      std::memcpy(stamp.magic, world::kStampMagic, sizeof stamp.magic);
      stamp.instance = 1;
      (root() + "/world").copy(stamp.world, sizeof stamp.world - 1);
      std::memcpy(image.data() + at, &stamp, sizeof stamp);
    }
    AddFile(path, image);
  }

  void AddCuda(const std::string& directory, const std::string& major) const {
    AddFake(directory + "/libcudart.so." + major, "cudart-" + major);
    AddFake(directory + "/libcublas.so." + major, "cublas-" + major);
    AddFake(directory + "/libcublasLt.so." + major, "cublaslt-" + major);
  }

  void AddOllamaBackend(const std::string& major) const {
    AddFake("libggml-base.so.0", "ggml-base-ollama");
    AddFake("cuda_v" + major + "/libggml-cuda.so", "ggml-cuda-ollama-" + major);
    AddCuda("cuda_v" + major, major);
  }
};

class PlacedFakes : public ::testing::TestWithParam<const char*> {};

TEST_P(PlacedFakes, GiveTheModelTheDevicesOfTheirWorld) {
  const Placed ollama(H100s(2));
  ollama.AddOllamaBackend(GetParam());
  const Printed printed = ollama.Serve({"OLLAMA_DEBUG=1", "LD_LIBRARY_PATH=" + ollama.driver()});
  EXPECT_EQ(CountOf(printed, "initial_count=2"), 1);
  for (const char* device : {"id=GPU-00112233-4455-6677-8899-aabbccddee00 ", "pci_id=0000:02:00.0 ",
                             "compute=9.0 ", "description=\"NVIDIA H100 80GB HBM3\" "})
    EXPECT_THAT(printed.lines,
                Contains(AllOf(HasSubstr("msg=\"inference compute\""), HasSubstr(device))));
  EXPECT_EQ(CountOf(printed, "total=\"80.0 GiB\""), 2);  // as NVML counts
}

TEST_P(PlacedFakes, GiveTheModelNothingWithoutADriver) {
  const Placed ollama(H100s(1));
  ollama.AddOllamaBackend(GetParam());
  const Printed printed = ollama.Serve({"OLLAMA_DEBUG=2"});
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
  EXPECT_EQ(CountOf(printed, "load_backend"), 0);
}

TEST_P(PlacedFakes, GiveTheRealGgmlTheDevicesOfTheirWorld) {
  const std::string part = std::string("ggml-cuda-") + GetParam();
  const std::string real = RealPart(part);
  if (real.empty())
    GTEST_SKIP() << "the real part " << part << " is not here: run harness/dev real";
  const Placed tree(H100s(2));
  const std::string directory = std::string("cuda_v") + GetParam();
  tree.AddCuda(directory, GetParam());
  tree.AddSymlink("libggml.so", real + "/libggml.so");
  tree.AddSymlink("libggml-base.so", real + "/libggml-base.so");
  tree.AddSymlink(directory + "/libggml-cuda.so", real + "/libggml-cuda.so");
  const Printed printed =
      RunWith({"GGML_NO_BACKTRACE=1", "LD_LIBRARY_PATH=" + tree.lib() + ':' + tree.lib() + '/' +
                                          directory + ':' + tree.driver()},
              {PROGRAMS "/ggml_driver", "--libggml", tree.lib() + "/libggml.so", "--each-under",
               tree.lib()});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(CountOf(printed, "\"name\":\"NVIDIA H100 80GB HBM3\""), 2);
  EXPECT_EQ(
      CountOf(printed, "\"library_path\":\"" + tree.lib() + '/' + directory + "/libggml-cuda.so\""),
      2);
  EXPECT_EQ(CountOf(printed, "\"id\":\"CUDA1\",\"library\":\"CUDA\""), 1);
  EXPECT_EQ(CountOf(printed, "\"memory_total\":" + std::to_string(79ULL << 30)), 2);
  // b5640 has no such field.
  EXPECT_EQ(CountOf(printed, "\"pci_id\":\"0000:02:00.0\""),
            std::string(GetParam()) == "13" ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(Cuda, PlacedFakes, ::testing::Values("12", "13"),
                         [](const auto& major) { return std::string(major.param); });

// Upstream's props are read with Ollama's layout: the memory size stands where Ollama has a pointer
// to the id.
TEST(ForeignBackend, PassesTheVersionCheckAndKillsTheRunner) {
  const Placed ollama(H100s(1));
  ollama.AddFake("libggml-base.so", "ggml-base-upstream");
  ollama.AddFake("cuda_v12/libggml-cuda.so", "ggml-cuda-upstream-12");
  ollama.AddCuda("cuda_v12", "12");
  const Printed printed = ollama.Serve({"OLLAMA_DEBUG=2", "LD_LIBRARY_PATH=" + ollama.driver()});
  EXPECT_EQ(CountOf(printed, "load_backend: loaded CUDA backend from "), 1);
  EXPECT_EQ(CountOf(printed, "msg=\"runner exited\""), 1);
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
}

TEST(DlopenProbe, AsksEachKindOfLibrary) {
  const Placed tree(H100s(2));
  tree.AddCuda("cuda", "12");
  const std::vector<std::string> env = {"LD_LIBRARY_PATH=" + tree.driver()};
  const std::pair<const char*, const char*> libraries[] = {
      {"driver/libcuda.so.1", "cuDeviceGetCount"},
      {"driver/libnvidia-ml.so.1", "nvmlDeviceGetCount_v2"},
      {"cuda/libcudart.so.12", "cudaGetDeviceCount"}};
  for (const auto& [library, api] : libraries) {
    const Printed printed = RunWith(env, {PROGRAMS "/dlopen_probe", tree.lib() + '/' + library});
    EXPECT_THAT(printed.lines,
                Contains(HasSubstr("\"api\":\"" + std::string(api) +
                                   "\",\"code\":0,\"count\":2,\"error\":null,\"devices\":[{"
                                   "\"name\":\"NVIDIA H100 80GB HBM3\"}")));
  }
  const Printed without_driver =
      RunWith({}, {PROGRAMS "/dlopen_probe", tree.lib() + "/cuda/libcudart.so.12"});
  EXPECT_THAT(without_driver.lines,
              Contains(HasSubstr("\"code\":35,\"count\":0,\"error\":\"CUDA driver version is "
                                 "insufficient for CUDA runtime version\"")));
}

}  // namespace
}  // namespace gpustage
