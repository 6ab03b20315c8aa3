// Our driver over the real libggml, with the CPU backend that came with it: what it registers
// without any GPU.
#include <gmock/gmock.h>

#include "tests/programs/install.h"

namespace gpustage {
namespace {

class RealGgml : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    real_ = RealPart(GetParam());
    if (real_.empty())
      GTEST_SKIP() << "the real part " << GetParam() << " is not here: run harness/dev real";
  }
  std::string real_;
};

TEST_P(RealGgml, LoadsTheCpuBackendAndReportsNoGpu) {
  const Printed printed = RunWith(
      {}, {PROGRAMS "/ggml_driver", "--libggml", real_ + "/libggml.so", "--each-under", real_});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(CountOf(printed, "load_backend: loaded CPU backend from " + real_ + "/libggml-cpu-"),
            1);
  EXPECT_EQ(CountOf(printed, "[]"), 1);
}

// libcuda.so.1 and the CUDA runtime are not there: a release build says nothing.
TEST_P(RealGgml, IsToldNothingOfACudaBackendThatCannotBeLoaded) {
  const Printed printed =
      RunWith({}, {PROGRAMS "/ggml_driver", "--libggml", real_ + "/libggml.so", real_});
  EXPECT_EQ(CountOf(printed, "libggml-cuda.so"), 0);
}

INSTANTIATE_TEST_SUITE_P(Parts, RealGgml, ::testing::Values("ggml-cuda-12", "ggml-cuda-13"),
                         [](const auto& part) {
                           return std::string(part.param).substr(5, 4) +
                                  std::string(part.param).substr(10);
                         });

TEST(GgmlDriver, EndsWithOneWithoutLibggml) {
  const Printed printed =
      RunWith({}, {PROGRAMS "/ggml_driver", "--libggml", "/nonexistent/libggml.so"});
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_EQ(CountOf(printed,
                    "ggml_driver: cannot load libggml: /nonexistent/libggml.so: cannot open shared "
                    "object file"),
            1);
}

}  // namespace
}  // namespace gpustage
