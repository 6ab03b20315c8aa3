// What the parent does: which directories it tries, what it says at which level, what it makes of
// its children. The texts are those of Ollama v0.17.4's source (discover/runner.go,
// discover/types.go, llm/server.go, server/routes.go).
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "tests/programs/install.h"

namespace gpustage {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const char* const kDebug = "OLLAMA_DEBUG=1";
const char* const kTrace = "OLLAMA_DEBUG=2";

// The line that says a directory was tried.
std::string WasTried(const Install& ollama, const std::string& directory) {
  return "OLLAMA_LIBRARY_PATH=\"[" + ollama.lib() + ' ' + ollama.lib() + '/' + directory +
         "]\" extra_envs=map[]";
}

TEST(OllamaCandidates, NeedAFittingNameAndNothingElse) {
  const Install ollama;
  ollama.AddSymlink("dangling/libggml-cuda.so", "nowhere");
  ollama.AddDirectory("directory/ggml-is-a-directory");
  ollama.AddFile("notes/ggml-notes.txt", "");
  ollama.AddFile(".hidden/.libggml-x", "");
  ollama.AddSymlink("linked", "notes");
  ollama.AddFile("vendor/libcudart.so.12", "");
  ollama.AddFile("deeper/still/libggml-cuda.so", "");
  ollama.AddFile("libggml-top.so", "");
  const Printed printed = ollama.Serve({kDebug});
  for (const char* tried : {"dangling", "directory", "notes", ".hidden", "linked"})
    EXPECT_EQ(CountOf(printed, WasTried(ollama, tried)), 1) << tried;
  EXPECT_EQ(CountOf(printed, "msg=\"bootstrap discovery took\""), 5);
}

TEST(OllamaCandidates, AreTheTopDirectoryAloneWhenNoneFits) {
  const Install ollama;
  ollama.AddBackend("libggml-cuda.so");
  const Printed printed =
      ollama.Serve({kDebug, "OLLAMA_LLM_LIBRARY=cuda_v12"});  // which does not apply to it
  EXPECT_EQ(CountOf(printed, "OLLAMA_LIBRARY_PATH=[" + ollama.lib() + "] extra_envs=map[]"), 1);
  EXPECT_EQ(CountOf(printed, "initial_count=1"), 1);
}

TEST(OllamaCandidates, PassOverADirectoryThatCannotBeListedInSilence) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  // As root a second identity plays the service; an ordinary user can shut itself out.
  std::filesystem::permissions(ollama.lib() + "/cuda_v12",
                               std::filesystem::perms(geteuid() == 0 ? 0711 : 0311));
  // A copy: nobody may be kept out of the folder that we were built in.
  const std::string probe = ollama.root() + "/bin/dlopen_probe";
  std::filesystem::copy_file(PROGRAMS "/dlopen_probe", probe);
  const Printed printed = ollama.Serve({kTrace}, true);
  const Printed by_hand = RunWith({}, {probe, ollama.lib() + "/cuda_v12/libggml-cuda.so"}, true);
  std::filesystem::permissions(ollama.lib() + "/cuda_v12", std::filesystem::perms(0755));
  EXPECT_EQ(CountOf(printed, "cuda_v12"), 0);
  EXPECT_EQ(CountOf(printed, "initial_count=0"), 1);
  EXPECT_THAT(by_hand.lines, Contains(HasSubstr("\"count\":1")));
}

TEST(OllamaCandidates, AreSoughtBesideTheProgramThatALinkLeadsTo) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  const Install elsewhere;
  std::filesystem::remove(elsewhere.exe());
  std::filesystem::create_symlink(ollama.exe(), elsewhere.exe());
  EXPECT_EQ(CountOf(elsewhere.Serve({kDebug}), WasTried(ollama, "cuda_v12")), 1);
}

TEST(OllamaFilters, SayWhichDirectoryTheUsersRequestLeavesOut) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  ollama.AddBackend("vulkan/libggml-vulkan.so");
  const Printed printed = ollama.Serve({kDebug, "OLLAMA_LLM_LIBRARY=cuda_v13"});
  EXPECT_THAT(
      printed.lines,
      Contains(
          "level=DEBUG source=runner.go:98 msg=\"skipping available library at user's request\" "
          "requested=cuda_v13 libDir=" +
          ollama.lib() + "/cuda_v12"));
  // The request is looked at before Vulkan.
  EXPECT_EQ(CountOf(printed, "requested=cuda_v13 libDir=" + ollama.lib() + "/vulkan"), 1);
  EXPECT_EQ(CountOf(printed, "experimental Vulkan"), 0);
  EXPECT_EQ(CountOf(printed, "starting runner"), 0);
  EXPECT_THAT(
      printed.lines,
      Contains("level=DEBUG source=runner.go:124 msg=\"evaluating which, if any, devices to filter "
               "out\" initial_count=0"));
}

TEST(OllamaFilters, LeaveOutVulkanAndJetPackDirectories) {
  const Install ollama;
  ollama.AddBackend("vulkan/libggml-vulkan.so");
  ollama.AddBackend("cuda_jetpack6/libggml-cuda.so");
  const Printed printed = ollama.Serve({kDebug});
  EXPECT_THAT(
      printed.lines,
      Contains("level=INFO source=runner.go:106 msg=\"experimental Vulkan support disabled.  To "
               "enable, set OLLAMA_VULKAN=1\""));
  EXPECT_EQ(
      CountOf(printed,
              "msg=\"jetpack not detected (set JETSON_JETPACK or OLLAMA_LLM_LIBRARY to override), "
              "skipping\" libDir=" +
                  ollama.lib() + "/cuda_jetpack6"),
      1);
  EXPECT_EQ(CountOf(ollama.Serve({kDebug, "OLLAMA_VULKAN=1"}), WasTried(ollama, "vulkan")), 1);
}

TEST(OllamaLog, TellsOneGpuAtInfo) {
  const Install ollama;
  ollama.AddBackend("cuda_v13/libggml-cuda.so");
  const Printed printed = ollama.Serve();
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.lines,
              Contains("level=INFO source=runner.go:67 msg=\"discovering available GPUs...\""));
  EXPECT_THAT(printed.lines, Contains("level=INFO source=types.go:42 msg=\"inference compute\" "
                                      "id=GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c "
                                      "filter_id=\"\" library=CUDA compute=8.9 name=CUDA0 "
                                      "description=\"NVIDIA GeForce RTX 4070\" "
                                      "libdirs=ollama,cuda_v13 driver=13.0 pci_id=0000:01:00.0 "
                                      "type=discrete total=\"12.0 GiB\" "
                                      "available=\"10.4 GiB\""));
  EXPECT_EQ(printed.lines.back(),
            "level=INFO source=routes.go:1768 msg=\"vram-based default context\" "
            "total_vram=\"12.0 GiB\" default_num_ctx=4096");
  EXPECT_EQ(CountOf(printed, "level=DEBUG"), 0);
}

TEST(OllamaLog, TellsTheCpuWhenThereIsNoGpu) {
  const Printed printed = Install().Serve();
  EXPECT_EQ(
      CountOf(printed,
              "msg=\"inference compute\" id=cpu library=cpu compute=\"\" name=cpu description=cpu "
              "libdirs=ollama driver=\"\" pci_id=\"\" type=\"\" total="),
      1);
  EXPECT_EQ(CountOf(printed, "total_vram=\"0 B\" default_num_ctx=4096"), 1);
}

TEST(OllamaLog, ShowsAtDebugWhatItPassesToAChildButNotWhatTheChildSays) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  const Printed printed =
      ollama.Serve({kDebug, "LD_LIBRARY_PATH=/opt/vgpu/lib", "OLLAMA_LIBRARY_PATH=/mine",
                    "LD_PRELOAD=", "OLLAMA_NUM_GPU=999"});
  const std::string paths = ollama.lib() + ':' + ollama.lib() + "/cuda_v12";
  EXPECT_THAT(
      printed.lines,
      Contains("level=DEBUG source=server.go:432 msg=subprocess OLLAMA_DEBUG=1 LD_LIBRARY_PATH=" +
               paths + ":/opt/vgpu/lib OLLAMA_LIBRARY_PATH=" + paths + " OLLAMA_NUM_GPU=999"));
  EXPECT_EQ(CountOf(printed, "msg=\"starting runner\" cmd=\"" + ollama.exe() +
                                 " runner --ollama-engine --port "),
            2);
  EXPECT_EQ(CountOf(printed, "msg=\"bootstrap discovery took\" duration="), 2);
  EXPECT_EQ(
      CountOf(printed,
              "extra_envs=\"map[CUDA_VISIBLE_DEVICES:GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c "
              "GGML_CUDA_INIT:1]\""),
      1);
  EXPECT_EQ(CountOf(printed, "load_backend"), 0);
  EXPECT_EQ(CountOf(printed, "level=TRACE"), 0);
}

TEST(OllamaLog, RelaysTheChildAtTraceExactly) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  const std::string loaded =
      "load_backend: loaded CUDA backend from " + ollama.lib() + "/cuda_v12/libggml-cuda.so";
  EXPECT_EQ(CountOf(ollama.Serve({kTrace}), loaded), 2);
  const Printed beyond = ollama.Serve({"OLLAMA_DEBUG=3"});
  EXPECT_EQ(CountOf(beyond, loaded), 0);
  EXPECT_EQ(CountOf(beyond, "level=TRACE source=runner.go:467 msg=\"runner enumerated devices\""),
            2);
}

TEST(OllamaLog, WarnsOfVisibleDevicesUnlessTheVariableIsEmpty) {
  const Install ollama;
  EXPECT_THAT(ollama.Serve({"CUDA_VISIBLE_DEVICES=-1"}).lines,
              Contains("level=WARN source=runner.go:485 msg=\"user overrode visible devices\" "
                       "CUDA_VISIBLE_DEVICES=-1"));
  EXPECT_THAT(ollama.Serve({"CUDA_VISIBLE_DEVICES="}).lines,
              Not(Contains(HasSubstr("level=WARN"))));
}

TEST(OllamaChild, DiesUnseenAtDebug) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "aborts");
  const Printed debug = ollama.Serve({kDebug});
  EXPECT_EQ(CountOf(debug, "initial_count=0"), 1);
  EXPECT_EQ(
      CountOf(debug, "msg=\"runner exited\"") + CountOf(debug, "failure during GPU discovery"), 0);
  const Printed trace = ollama.Serve({kTrace});
  EXPECT_EQ(CountOf(trace, "level=TRACE source=runner.go:462 msg=\"runner exited\""), 1);
  EXPECT_EQ(CountOf(trace, "extra_envs=map[] code=2"), 1);
}

TEST(OllamaChild, KilledBySigkillIsAnInfoLine) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "is_killed");
  const Printed printed = ollama.Serve();
  EXPECT_EQ(
      CountOf(printed, "level=INFO source=runner.go:464 msg=\"failure during GPU discovery\""), 1);
  EXPECT_EQ(CountOf(printed, "error=\"runner crashed\""), 1);
}

TEST(OllamaChild, LosesItsDeviceInTheSecondPass) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "aborts_when_validated");
  const Printed printed = ollama.Serve({kDebug});
  EXPECT_EQ(CountOf(printed, "initial_count=1"), 1);
  EXPECT_THAT(
      printed.lines,
      Contains(
          "level=DEBUG source=runner.go:146 msg=\"verifying if device is supported\" library=" +
          ollama.lib() +
          "/cuda_v12 description=\"NVIDIA GeForce RTX 4070\" compute=8.9 "
          "id=GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c pci_id=0000:01:00.0"));
  EXPECT_EQ(CountOf(printed, "msg=\"filtering device which didn't fully initialize\""), 1);
  EXPECT_EQ(CountOf(printed, "library=cpu"), 1);
}

TEST(OllamaChild, FailsLoudlyWithoutATemporaryDirectory) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so");
  const Printed printed = ollama.Serve({"TMPDIR=/nonexistent"});
  EXPECT_EQ(CountOf(printed, "msg=\"failure during GPU discovery\""), 1);
  EXPECT_EQ(
      CountOf(printed, "error=\"runner error: failed to initialize backend: open /nonexistent/"),
      1);
}

TEST(OllamaDevices, AreTakenFromTheHighestDirectoryOnce) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "two_devices");
  ollama.AddBackend("cuda_v13/libggml-cuda.so", "two_devices");
  const Printed printed = ollama.Serve({kDebug});
  EXPECT_EQ(CountOf(printed, "initial_count=4"), 1);
  EXPECT_EQ(CountOf(printed, "msg=\"filtering device with overlapping libraries\""), 2);
  EXPECT_EQ(CountOf(printed, "kept_library=" + ollama.lib() + "/cuda_v13"), 2);
  EXPECT_EQ(CountOf(printed, "libdirs=ollama,cuda_v13 "), 2);
}

TEST(OllamaDevices, AreReportedWithTheMostFreeMemoryFirst) {
  const Install ollama;
  ollama.AddBackend("cuda_v12/libggml-cuda.so", "two_devices");  // its second device has more
  const Printed printed = ollama.Serve();
  std::vector<std::string> available;
  for (const std::string& line : printed.lines)
    if (line.find("inference compute") != std::string::npos)
      available.push_back(line.substr(line.find("available=")));
  EXPECT_THAT(available,
              ::testing::ElementsAre("available=\"11.4 GiB\"", "available=\"10.4 GiB\""));
}

}  // namespace
}  // namespace gpustage
