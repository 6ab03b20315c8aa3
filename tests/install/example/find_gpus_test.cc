// The same scanner on fake GPU machines.
#include <gmock/gmock.h>
#include <gpustage/matchers.h>
#include <gpustage/stage.h>
#include <gtest/gtest.h>

namespace {

using gpustage::Calls;
using gpustage::FindsDevices;
using gpustage::FoundBy;
using gpustage::Loads;
using gpustage::Logs;
using gpustage::RunResult;
using gpustage::Shows;
using gpustage::Stage;
using testing::HasSubstr;

#define RUN_OR_SKIP(seen, stage)               \
  const RunResult seen = (stage).Run(SCANNER); \
  GPUSTAGE_SKIP_UNLESS_RUN(seen)

TEST(FindGpus, FindsBoth) {
  Stage stage;
  stage.AddDevice("h100-80gb").AddDevice("rtx-4090").AddLayout("nvidia-driver-debian");
  RUN_OR_SKIP(seen, stage);
  EXPECT_THAT(seen, FindsDevices(2));
  EXPECT_THAT(seen, Calls("cuDeviceGetName"));
  ASSERT_EQ(seen.devices.size(), 2u);
  EXPECT_EQ(seen.devices[1].name, "NVIDIA GeForce RTX 4090");
}

TEST(FindGpus, ItsOwnDirectoryComesFirst) {
  Stage stage;
  stage.AddDevice("h100-80gb")
      .AddLayout("nvidia-driver-debian")
      .AddLibrary("/opt/example/lib/libcuda.so.1", "cuda");
  RUN_OR_SKIP(seen, stage);
  EXPECT_THAT(seen, Loads("libcuda.so.1", FoundBy(gpustage::kRunpath),
                          gpustage::From("/opt/example/lib/libcuda.so.1")));
  EXPECT_THAT(seen, FindsDevices(1));
}

TEST(FindGpus, ItsOwnDirectoryDoesNotComeBeforeTheEnvironment) {
  Stage stage;
  stage.AddDevice("h100-80gb").AddLayout("nvidia-driver-debian");
  stage.AddLibrary("/opt/example/lib/libcuda.so.1", "cuda")
      .AddLink("/srv/lib/libcuda.so.1", "/opt/example/lib/libcuda.so.1");
  stage.SetEnv("LD_LIBRARY_PATH", "/srv/lib");
  RUN_OR_SKIP(seen, stage);
  EXPECT_THAT(seen, Loads("/srv/lib/libcuda.so.1", FoundBy(gpustage::kLdLibraryPath)));
}

TEST(FindGpus, SaysWhyThereIsNone) {
  Stage stage;
  stage.AddFile("/etc/motd", "no GPU here\n");
  RUN_OR_SKIP(seen, stage);
  EXPECT_THAT(seen, FindsDevices(0));
  EXPECT_THAT(seen, Logs(HasSubstr("libcuda.so.1: cannot open shared object file")));
  EXPECT_THAT(seen, Shows("outcome: {exited: 0}"));
}

// The loader passes by what it may not read, and says that there is no such file.
TEST(FindGpus, UnreadableDriverIsCalledMissing) {
  Stage stage;
  stage.AddDevice("h100-80gb")
      .AddLibrary("/opt/example/lib/libcuda.so.1", "cuda")
      .ChangeMode("/opt/example/lib/libcuda.so.1", "0700");
  RUN_OR_SKIP(seen, stage);
  EXPECT_THAT(seen, FindsDevices(0));
  EXPECT_THAT(seen, Logs(HasSubstr("No such file or directory")));
}

// A scanner that comes with gpustage, and the step at which it loses the device.
TEST(OllamaModel, DirectoryThatCannotBeListedLosesTheDevice) {
  Stage stage;
  stage.AddDevice("h100-80gb").AddLayout("nvidia-driver-debian").AddLayout("ollama-cuda-12");
  stage.ChangeMode("/usr/local/lib/ollama/cuda_v12", "0711");
  const RunResult seen = stage.Run("ollama-model");
  if (!seen.skipped.empty()) GTEST_SKIP() << seen.skipped;
  EXPECT_THAT(seen, gpustage::LosesDeviceAt(gpustage::kListed, "libggml-cuda.so"));
}

}  // namespace
