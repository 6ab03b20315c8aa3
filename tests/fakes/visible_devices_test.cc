// CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER: every row of the recording, through libcuda and
// through libcudart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fakes/cuda_driver/api.h"
#include "fakes/cuda_runtime/api.h"
#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::Eq;
using testing::SizeIs;

// "cuInit=0 count=0/2 cudart=0 order=1,0".
std::string Text(const DriverAnswer& answer) {
  std::string text = "cuInit=" + std::to_string(answer.init) +
                     " count=" + std::to_string(answer.count_result) + "/" +
                     (answer.count < 0 ? "none" : std::to_string(answer.count)) +
                     " cudart=" + std::to_string(answer.cudart) + " order=";
  for (const int index : answer.order) text += std::to_string(index) + ",";
  return text;
}

std::string Name(const testing::TestParamInfo<DriverAnswer>& row) {
  return std::to_string(row.index);  // the values hold what a name must not
}

class VisibleDevices : public testing::TestWithParam<DriverAnswer> {};

TEST_P(VisibleDevices, AreThoseOfTheRecording) {
  FakeStage stage;
  stage.machine() = RecordedMachine(GetParam().machine == "h100-x1" ? kH100 : kTwoH200);
  const std::string driver = stage.Place("cuda", "libcuda.so.1");
  const std::string runtime = stage.Place("cudart-13", "libcudart.so.13");
  const Outcome outcome = stage.Run(GetParam().environment, [&](std::ostream& out) {
    const Library cuda(driver), cudart(runtime);
    DriverAnswer seen;
    seen.init = FN(cuda, cuInit)(0);
    seen.count_result = FN(cuda, cuDeviceGetCount)(&seen.count);
    int count = 0;
    seen.cudart = FN(cudart, cudaGetDeviceCount)(&count);
    for (int i = 0; i < count; ++i) {
      CUuuid uuid = {};
      FN(cuda, cuDeviceGetUuid_v2)(&uuid, i);
      for (int d = 0; d < 2; ++d)
        if (memcmp(uuid.bytes, stage.machine().devices[d].uuid, 16) == 0) seen.order.push_back(d);
    }
    out << Text(seen);
  });
  std::string environment;
  for (const Variable& v : GetParam().environment) environment += v.name + "=" + v.value + " ";
  EXPECT_EQ(outcome.said, Text(GetParam())) << GetParam().machine << ' ' << environment;
}

INSTANTIATE_TEST_SUITE_P(Recorded, VisibleDevices, testing::ValuesIn(EnvironmentAnswers()), Name);

// A reader that lost rows would leave the tests above green.
TEST(DriverAnswers, HoldThirtyNineRowsOfTheEnvironment) {
  EXPECT_THAT(EnvironmentAnswers(), SizeIs(39));
}

// A whole GPU, and two slices of another.
class MigSlices : public testing::Test {
 protected:
  MigSlices() {
    for (int i = 0; i < 3; ++i) {
      world::Device device = PlainDevice(i);
      if (i > 0) device.mig = world::Mig::kSlice;
      AddDevice(stage_.machine(), device);
    }
  }

  // The numbers of the devices that CUDA lists, or what cuInit said.
  std::string Listed(const std::string& driver, const std::vector<Variable>& environment) {
    strcpy(stage_.machine().driver_version, driver.c_str());
    const std::string path = stage_.Place("cuda", "libcuda.so.1");
    return stage_
        .Run(environment,
             [&](std::ostream& out) {
               const Library cuda(path);
               if (const int code = FN(cuda, cuInit)(0); code != 0) out << "cuInit " << code;
               int count = 0;
               FN(cuda, cuDeviceGetCount)(&count);
               for (int i = 0; i < count; ++i) {
                 char name[64] = {};
                 FN(cuda, cuDeviceGetName)(name, sizeof(name), i);
                 out << name + strlen("NVIDIA Test ");
               }
             })
        .said;
  }

  FakeStage stage_;
};

// Expected values: NVIDIA's MIG User Guide, "CUDA Device Enumeration", for drivers from 570 on and before.
TEST_F(MigSlices, AreAllListedSinceDriver570) { EXPECT_EQ(Listed("570.133.20", {}), "012"); }

TEST_F(MigSlices, AreListedOneAloneBefore) { EXPECT_EQ(Listed("550.90.07", {}), "1"); }

TEST_F(MigSlices, AreChosenByTheirUuid) {
  const std::vector<Variable> second = {{"CUDA_VISIBLE_DEVICES", "MIG-30313233-3435"}};
  EXPECT_EQ(Listed("550.90.07", second), "2");
  EXPECT_EQ(Listed("580.159.04", second), "2");
}

// What Ollama's second pass does: https://github.com/ollama/ollama/issues/13800.
TEST_F(MigSlices, AreNotChosenByTheUuidOfAGpu) {
  EXPECT_EQ(Listed("580.159.04", {{"CUDA_VISIBLE_DEVICES", "GPU-30313233-3435"}}), "cuInit 100");
}

}  // namespace
}  // namespace gpustage::fakes_test
