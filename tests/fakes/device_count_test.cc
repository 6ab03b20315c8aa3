// An unmodified client, built with NVIDIA's headers and linked with NVIDIA's libcudart: shared, it
// runs on the fake libcudart; static, NVIDIA's own runtime asks the fake libcuda, as far as its
// failures. (Past them it wants a driver that is NVIDIA's.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Its standard output, in a process that finds libraries in the stage first.
std::string RunIn(FakeStage& stage, const std::string& program) {
  const std::string out = stage.Path("out");
  stage.Run({{"LD_LIBRARY_PATH", stage.Path("")}}, [&](std::ostream&) {
    if (std::freopen(out.c_str(), "w", stdout) != nullptr)
      execl(program.c_str(), program.c_str(), nullptr);
  });
  return stage.Read("out");
}

class DeviceCount : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(GPUSTAGE_DEVICE_COUNT).empty())
      GTEST_SKIP() << "needs the CUDA Toolkit; harness/dev real fetches it";
    stage_.Place("cuda", "libcuda.so.1");
    stage_.Place("cudart-13", "libcudart.so.13");
  }

  std::string Run(const std::string& program) { return RunIn(stage_, program); }

  FakeStage stage_;
  const std::string shared_ = GPUSTAGE_DEVICE_COUNT;
  const std::string static_ = std::string(GPUSTAGE_DEVICE_COUNT) + "_static";
};

// Built with the headers of each major, whose structs differ.
class DeviceCountOfMajor : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(DeviceCountOfMajor, ReadsTheStructThatTheFakeRuntimeWrites) {
  const auto& [major, file] = GetParam();
  const std::string of_13 = std::string(GPUSTAGE_SUBJECTS) + "/device_count";
  const std::string program = std::string(major) == "13" ? of_13 : of_13 + "_" + major;
  if (!std::filesystem::exists(program))
    GTEST_SKIP() << "needs the headers of CUDA " << major << "; harness/dev real fetches them";
  FakeStage stage;
  stage.machine() = RecordedMachine(kH100);
  stage.Place("cuda", "libcuda.so.1");
  stage.Place("cudart-" + std::string(major), file);
  EXPECT_THAT(RunIn(stage, program),
              HasSubstr(R"("devices":[{"name":"NVIDIA H100 80GB HBM3",)"
                        R"("uuid":"GPU-00112233-4455-6677-8899-aabbccddeeff",)"
                        R"("pci_id":"0000:00:06.0","memory_total":85017493504,)"
                        R"("compute_capability":"9.0","multiprocessors":132,)"
                        R"("integrated":0}]})"));
}

INSTANTIATE_TEST_SUITE_P(Cuda, DeviceCountOfMajor,
                         testing::Values(std::pair("11", "libcudart.so.11.0"),
                                         std::pair("12", "libcudart.so.12"),
                                         std::pair("13", "libcudart.so.13")),
                         [](const auto& row) { return std::string(row.param.first); });

// Both runtimes say the same of the same driver: the fake one is held to NVIDIA's.
TEST_F(DeviceCount, IsToldTheSameFailureByTheRealRuntime) {
  for (const int code : {1, 2, 3, 34, 36, 46, 100, 101, 214, 304, 800, 802, 803, 804, 999}) {
    stage_.machine() = EmptyMachine();
    stage_.AddFault("cuInit", world::FaultAction::kReturn).code = code;
    const std::string real = Run(static_), fake = Run(shared_);
    EXPECT_THAT(real, StartsWith("{\"error\":" + std::to_string(code) + ","));
    EXPECT_EQ(real.substr(0, real.find(",\"runtime\"")), fake.substr(0, fake.find(",\"runtime\"")));
  }
}

TEST_F(DeviceCount, NeedsADriverOfItsMajorWithBothRuntimes) {
  stage_.machine().driver_cuda_version = 12080;
  const std::string said =
      R"({"error":35,"error_text":"CUDA driver version is insufficient for CUDA runtime version",)"
      R"("driver":12080,)";
  EXPECT_THAT(Run(static_), StartsWith(said));
  EXPECT_THAT(Run(shared_), StartsWith(said));
}

TEST_F(DeviceCount, IsToldOfAMissingDriverByBothRuntimes) {
  std::filesystem::remove(stage_.Path("libcuda.so.1"));
  const std::string real = Run(static_);
  if (real.find("\"driver\":0,") == std::string::npos)
    GTEST_SKIP() << "this machine has a libcuda.so.1 of its own";
  EXPECT_THAT(real, StartsWith("{\"error\":35,"));
  const std::string fake = Run(shared_);
  EXPECT_EQ(real.substr(0, real.find(",\"runtime\"")), fake.substr(0, fake.find(",\"runtime\"")));
}

}  // namespace
}  // namespace gpustage::fakes_test
