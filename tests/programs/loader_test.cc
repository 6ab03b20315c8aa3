// What the child does. The outcomes are those that the release build of the loader of Ollama
// v0.17.4 gave for such trees.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/programs/install.h"

namespace gpustage {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const char* const kTrace = "OLLAMA_DEBUG=2";

// A runner started by hand: Ollama's lib directory, then cuda_v12.
Printed RunByHand(const Install& ollama, std::vector<std::string> env = {"OLLAMA_DEBUG=1"}) {
  env.push_back("OLLAMA_LIBRARY_PATH=" + ollama.lib() + ':' + ollama.lib() + "/cuda_v12");
  return RunWith(env, {ollama.exe(), "runner", "--ollama-engine", "--port", "1"});
}

class SilentLoader : public ::testing::TestWithParam<const char*> {};

TEST_P(SilentLoader, SaysNothingOfABackendThatItTurnsDown) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", GetParam());
  const Printed printed = ollama.Serve({kTrace});
  EXPECT_EQ(CountOf(printed, "msg=\"ggml backend load all from path\""), 2);  // it was tried
  EXPECT_EQ(CountOf(printed, "load_backend"), 0);
  EXPECT_EQ(CountOf(printed, "libggml-cuda.so"), 0);
  EXPECT_EQ(CountOf(printed, "runner exited"), 0);  // nor did the child die of it
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, SilentLoader,
                         ::testing::Values("no_init", "null_init", "api_1", "score_0",
                                           "needs_missing"),
                         [](const auto& name) { return std::string(name.param); });

TEST(Loader, SaysNothingOfFilesThatAreNoLibraries) {
  const Install ollama;
  ollama.AddFile("cuda_v12/libggml-cuda.so", "version https://git-lfs.github.com/spec/v1\n");
  ollama.AddFile("cuda_v13/libggml-cuda.so", "");
  ollama.AddSymlink("rocm/libggml-hip.so", "nowhere");
  const Printed printed = ollama.Serve({kTrace});
  EXPECT_EQ(CountOf(printed, "load_backend"), 0);
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
}

TEST(Loader, SaysLoadedOfABackendWithoutDevices) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "no_devices");
  const Printed printed = ollama.Serve({kTrace});
  EXPECT_EQ(CountOf(printed, "load_backend: loaded CUDA backend from " + ollama.lib() +
                                 "/cuda_v12/libggml-cuda.so"),
            1);
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
}

TEST(Loader, RegistersABackendTwiceThatATopLevelLinkNamesToo) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  ollama.AddSymlink("libggml-cuda.so", "cuda_v12/libggml-cuda.so");
  const Printed printed = ollama.Serve({"OLLAMA_DEBUG=1"});
  EXPECT_EQ(CountOf(printed, "initial_count=2"), 1);
  EXPECT_EQ(CountOf(printed, "msg=\"inference compute\""),
            1);  // the same PCI address: dropped without a line
  EXPECT_EQ(CountOf(printed, "dropping duplicate"), 0);
  EXPECT_EQ(CountOf(RunByHand(ollama), "load_backend: loaded CUDA backend from "), 2);
}

TEST(Loader, PrefersTheVariantWithTheBestScoreToTheBaseName) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  // Whatever order the file system has, one of them is seen after the best.
  ollama.AddBackend("cuda_v12/libggml-cuda-a.so", "score_5");
  ollama.AddBackend("cuda_v12/libggml-cuda-b.so", "score_9");
  for (const char* later : {"c", "d", "e", "f"})
    ollama.AddBackend(std::string("cuda_v12/libggml-cuda-") + later + ".so", "score_5");
  ollama.AddBackend("cuda_v12/libggml-cuda-z.so.bak", "score_99");
  const Printed printed = RunByHand(ollama);
  EXPECT_EQ(
      CountOf(printed, "loaded CUDA backend from " + ollama.lib() + "/cuda_v12/libggml-cuda-b.so"),
      1);
  EXPECT_EQ(CountOf(printed, "load_backend"), 1);
}

TEST(Loader, NeverSeesNamesThatOnlyLookRight) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so.1");
  ollama.AddBackend("cuda_v12/libggml-cuda_v12.so");
  ollama.AddBackend("cuda_v12/libggml-cuda-v12.so");  // a variant, but it has no score
  EXPECT_EQ(CountOf(RunByHand(ollama), "load_backend"), 0);
}

TEST(Loader, SpeaksOfWhatGgmlBackendPathNames) {
  const Install ollama;
  ollama.AddFile("bad.so", "text");
  const std::string bad = ollama.lib() + "/bad.so";
  const Printed printed = RunByHand(ollama, {"GGML_BACKEND_PATH=" + bad});
  EXPECT_THAT(printed.lines,
              Contains("load_backend: failed to load " + bad + ": " + bad + ": file too short"));
  ollama.AddBackend("old.so", "api_1");
  EXPECT_THAT(RunByHand(ollama, {"GGML_BACKEND_PATH=" + ollama.lib() + "/old.so"}).lines,
              Contains("load_backend: failed to initialize backend from " + ollama.lib() +
                       "/old.so: incompatible API version (backend: 1, current: 2)"));
}

TEST(Loader, NamesAMissingDirectoryOnceForEachOfThirteenBackends) {
  const Printed printed = RunByHand(Install());  // without a cuda_v12
  EXPECT_EQ(CountOf(printed, "ggml_backend_load_best: search path "), 13);
}

TEST(Loader, AbortsAtASearchPathThatIsAFile) {
  const Install ollama;
  ollama.AddFile("cuda_v12", "");
  EXPECT_EQ(RunByHand(ollama).exit_code, 2);  // SIGABRT, as Go's runtime ends it
}

// A recording of Ollama 0.17.4 with a backend whose init_backend gives NULL.
TEST(Runner, DiesOfADeviceThatGivesNoBackend) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "null_backend");
  const Printed printed = RunByHand(ollama);
  EXPECT_EQ(CountOf(printed, "GGML_ASSERT(backend) failed"), 1);
  EXPECT_EQ(printed.exit_code, 2);
}

TEST(Runner, LeavesOutPathsThatAreNotOllamas) {
  const Install ollama;
  const Printed printed =
      RunWith({"OLLAMA_DEBUG=1", "OLLAMA_LIBRARY_PATH=/opt/vgpu"}, {ollama.exe(), "runner"});
  EXPECT_THAT(
      printed.lines,
      Contains("level=DEBUG source=ggml.go:88 msg=\"skipping path which is not part of ollama\" "
               "path=/opt/vgpu"));
}

TEST(Runner, FallsBackToItsOwnDirectoryAndLoadsNothingFromAnEmptyList) {
  const Install ollama;
  ollama.AddBackend("libggml-cuda.so");
  const Printed unset = RunWith({"OLLAMA_DEBUG=1"}, {ollama.exe(), "runner"});
  EXPECT_THAT(
      unset.lines,
      Contains("level=DEBUG source=ggml.go:74 msg=\"OLLAMA_LIBRARY_PATH not set, falling back to "
               "default\" search=" +
               ollama.lib()));
  EXPECT_EQ(CountOf(unset, "load_backend: loaded CUDA"), 1);
  EXPECT_EQ(RunWith({"OLLAMA_LIBRARY_PATH="}, {ollama.exe(), "runner"}).lines.back(), "[]");
}

// The keys and their order are those of ml.DeviceInfo in v0.17.4.
TEST(Runner, AnswersInTheKeysOfGetInfo) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  EXPECT_EQ(
      RunByHand(ollama).lines.back(),
      "[{\"id\":\"GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c\",\"backend\":\"CUDA\",\"name\":"
      "\"CUDA0\",\"description\":"
      "\"NVIDIA GeForce RTX "
      "4070\",\"pci_id\":\"0000:01:00.0\",\"total_memory\":12878610432,\"free_memory\":"
      "11210129408,\"ComputeMajor\":8,\"ComputeMinor\":9,\"driver_major\":13,\"LibraryPath\":[\"" +
          ollama.lib() + "\",\"" + ollama.lib() + "/cuda_v12\"]}]");
}

}  // namespace
}  // namespace gpustage
