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

}  // namespace
}  // namespace gpustage::fakes_test
