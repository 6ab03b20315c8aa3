#include "harness/logs/placeholders.h"
#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kTime[] = "time=2026-01-01T10:00:00.001Z ";
std::string Log(const std::string& version, const std::string& debug, const std::string& more,
                bool spawned = true) {
  return std::string(kTime) + "level=INFO source=routes.go:1663 msg=\"server config\" " +
         "env=\"map[CUDA_VISIBLE_DEVICES: OLLAMA_DEBUG:" + debug + " OLLAMA_LLM_LIBRARY:]\"\n" +
         kTime + "level=INFO msg=\"Listening on 127.0.0.1:11434 (version " + version + ")\"\n" +
         kTime + "level=INFO msg=\"discovering available GPUs...\"\n" +
         (spawned ? std::string(kTime) +
                        "level=INFO msg=\"starting runner\" cmd=\"/opt/ai/bin/ollama "
                        "runner --ollama-engine --port 1\"\n"
                  : "") +
         more + kTime + "level=INFO msg=\"inference compute\" id=cpu library=cpu compute=\"\"\n";
}
std::string Line(const std::string& rest) { return kTime + rest + "\n"; }

// The six drops of which the usual level says nothing, and what it would say.
TEST(Weigh, RulesOutByAMissingLineOnlyWhereItWouldHaveBeenWritten) {
  const Explained usual(Log("0.17.4", "INFO", ""));
  EXPECT_TRUE(usual.RulesOut("B7-no-answer")) << "told at INFO";
  EXPECT_FALSE(usual.RulesOut("B5-hidden-by-an-empty-list")) << "told at DEBUG";
  EXPECT_FALSE(usual.RulesOut("S9-not-built-for-the-device")) << "told at DEBUG";
  EXPECT_FALSE(usual.RulesOut("B4-no-device")) << "told at TRACE";
  const Explained debug(Log("0.17.4", "DEBUG", ""));
  EXPECT_TRUE(debug.RulesOut("S9-not-built-for-the-device"));
  EXPECT_FALSE(debug.RulesOut("B4-no-device"));
  const Explained trace(Log("0.17.4", "DEBUG-4", ""));
  EXPECT_TRUE(trace.RulesOut("B4-no-device"));
  EXPECT_TRUE(trace.Leaves("B1-no-libcudart")) << "told at no level";
}

// rocminfo sees the module through /sys, which a container has (ROCm/legacy-rocm-build#1798).
TEST(Weigh, TellsAContainerWithoutItsNodeFromAModuleThatIsNotThere) {
  const std::string node = "Unable to open /dev/kfd read-write: No such file or directory\n";
  const Explained both(node);
  EXPECT_TRUE(both.Names("kfd-missing") && both.Names("kfd-not-given"));
  for (const char* loaded : {"ROCk module is loaded\n", "ROCk module version 6.8.5 is loaded\n",
                             "[37mROCk module is loaded[0m\n"}) {
    const Explained one(loaded + node);
    EXPECT_TRUE(one.Names("kfd-not-given")) << one.Text();
    EXPECT_FALSE(one.Names("kfd-missing")) << one.Text();
  }
}

TEST(Weigh, RulesNothingOutByWhatAPartDoesNotHave) {
  const std::string whole = Log("0.17.4", "DEBUG-4", "");
  const Explained part(whole.substr(whole.find("msg=\"starting runner") - 11));
  EXPECT_TRUE(part.explanation.ruled_out.empty());
}

TEST(Weigh, HoldsTheChildrensLinesOfAnotherVersionToNothing) {
  const Explained other(Log("0.33.0", "DEBUG-4", "", false));
  EXPECT_FALSE(other.RulesOut("B4-driver-too-old")) << "35 is the runtime's: no line before TRACE";
  EXPECT_TRUE(other.RulesOut("B4-no-device")) << "native GPU discovery would have failed";
}

TEST(Weigh, KnowsThatNoDirectoryWasAskedWithoutAChild) {
  const Explained none(Log("0.17.4", "INFO", "", false));
  EXPECT_TRUE(none.RulesOut("B1-no-libcudart"));
  EXPECT_TRUE(none.Leaves("A1-unlistable"));
}

TEST(Weigh, NamesWhatSeveralLinesAgreeOn) {
  const std::string dropped =
      Line(
          "level=DEBUG msg=\"verifying if device is supported\" library=/a/lib/ollama/cuda_v12 "
          "description=\"NVIDIA H100\" compute=9.0 id=GPU-1 pci_id=0000:01:00.0") +
      Line(
          "level=DEBUG msg=\"filtering device which didn't fully initialize\" id=GPU-1 "
          "libdir=/a/lib/ollama/cuda_v12 pci_id=0000:01:00.0 library=CUDA");
  EXPECT_GT(Explained(Log("0.17.4", "DEBUG", dropped)).explanation.named.size(), 1u);
  const Explained slow(Log("0.17.4", "DEBUG",
                           Line("level=INFO msg=\"failure during GPU discovery\" "
                                "OLLAMA_LIBRARY_PATH=\"[/a/lib/ollama /a/lib/ollama/cuda_v12]\" "
                                "extra_envs=\"map[GGML_CUDA_INIT:1]\" error=\"failed to finish "
                                "discovery before timeout\"") +
                               dropped));
  ASSERT_EQ(slow.explanation.named.size(), 1u);
  EXPECT_TRUE(slow.Names("child-slow"));
}

TEST(Weigh, DoesNotTakeAnyFailureForOneOfTheTemporaryDirectory) {
  const auto failure = [](const std::string& error) {
    return Explained(Log("0.17.4", "INFO",
                         Line("level=INFO msg=\"failure during GPU discovery\" "
                              "OLLAMA_LIBRARY_PATH=\"[/a/lib/ollama /a/lib/ollama/cuda_v12]\" "
                              "extra_envs=map[] error=\"" +
                              error + "\"")));
  };
  EXPECT_TRUE(failure("runner error: open /nowhere/x.bin: no such file or directory")
                  .Names("B7-no-answer"));
  for (const char* other : {"failed to finish discovery before timeout", "runner crashed",
                            "fork/exec /usr/bin/ollama: argument list too long"})
    EXPECT_FALSE(failure(other).Names("B7-no-answer")) << other;
  EXPECT_THAT(failure("the moon is in the way").Flat(),
              AllOf(HasSubstr("with its own error: \"the moon is in the way\""),
                    HasSubstr("This log cannot tell the cause")));
}

TEST(Weigh, PutsWhatALinePointsAtFirst) {
  const Explained masked(Log("0.17.4", "INFO",
                             Line("level=WARN msg=\"user overrode visible devices\" "
                                  "CUDA_VISIBLE_DEVICES=7")));
  ASSERT_FALSE(masked.explanation.left.empty());
  EXPECT_EQ(masked.explanation.left.front().cause->id, "B5-hidden-by-a-list");
  EXPECT_THAT(masked.Text(), HasSubstr("CUDA_VISIBLE_DEVICES=7"));
}

// The six drops of Ollama that its usual level does not show (discover/runner.go of v0.33.0-rc2),
// and which of them a log leaves.
TEST(Answer, SaysWhichSilentDropsRemainPossibleAtTheUsualLevel) {
  const auto said = [](const std::string& level, const std::string& vulkan) {
    return Explained(
               "time=2026-06-02T09:33:24.001Z level=INFO source=routes.go:1981 msg=\"server "
               "config\" env=\"map[OLLAMA_DEBUG:" +
               level + " OLLAMA_VULKAN:" + vulkan +
               "]\"\n"
               "time=2026-06-02T09:33:24.001Z level=INFO source=routes.go:1990 "
               "msg=\"Listening on 127.0.0.1:11434 (version 0.32.14)\"\n"
               "time=2026-06-02T09:33:24.002Z level=INFO source=runner.go:60 "
               "msg=\"discovering available GPUs...\"\n"
               "time=2026-06-02T09:33:25.003Z level=INFO source=types.go:50 msg=\"inference "
               "compute\" id=cpu library=cpu compute=\"\" name=cpu\n")
        .Flat();
  };
  const char* kDrops[] = {"of which the second pass, a child for it alone, gets none back",
                          "a device that two directories of one library have",
                          "a device that another library has, too",
                          "a second copy of a device in one library",
                          "every directory but that of a JetPack",
                          "the directory vulkan, where OLLAMA_VULKAN is off"};
  const std::string info = said("INFO", "false"), on = said("INFO", "true"),
                    debug = said("DEBUG", "false");
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_THAT(info, testing::HasSubstr(kDrops[i]));
    EXPECT_EQ(on.find(kDrops[i]) != std::string::npos, i != 5) << kDrops[i];
    EXPECT_EQ(debug.find(kDrops[i]) != std::string::npos, i >= 3) << kDrops[i];
  }
}

// ollama/ollama#9503, tensorflow/tensorflow#5473, pytorch/pytorch#88639: the end was said not to be
// in them.
TEST(Answer, SaysHowItEndedWhereTheLogDoes) {
  for (const char* end :
       {"level=INFO msg=\"no compatible GPUs were discovered\"",
        "2017-01-01: I tensorflow/gpu_device.cc:1] No GPU devices available on machine.",
        "torch/cuda/__init__.py:52: UserWarning: CUDA unknown error. Setting the available devices "
        "to be zero.",
        "main: no usable GPU found, --gpu-layers option will be ignored\nbuild: 1 (abc)"})
    EXPECT_THAT(Explained(end).Flat(), HasSubstr("No GPU: it computes on the CPU.")) << end;
  EXPECT_THAT(Explained("CUDA driver is a stub library").Flat(),
              HasSubstr("Something failed; what came of it is not in it."));
}

TEST(Answer, LeavesOutWhatItHasNoNameFor) {
  const std::string text = "refused[[ (code {code})]] at {path}";
  EXPECT_EQ(Filled(text, {}), "refused at the path");
  EXPECT_EQ(Filled(text, {{"code", "3"}, {"path", "/a"}}), "refused (code 3) at /a");
  EXPECT_EQ(Filled("[[ no end {code}", {{"code", "3"}}), "[[ no end 3");
}

// NixOS/nixpkgs#308206: `now` was of another level than `next`.
TEST(Answer, AsksForTheMostThatAnyVersionTells) {
  const std::string says =
      Explained(Line("level=INFO msg=\"inference compute\" id=cpu library=cpu")).Flat();
  EXPECT_THAT(says, HasSubstr("OLLAMA_DEBUG=2"));
  EXPECT_THAT(says, Not(HasSubstr("OLLAMA_DEBUG=1")));
}

// ollama/ollama#13614. Children for cuda_v12 and cuda_v13 load one each, and so does a whole
// discovery of a tree that has it in both folders (fixtures/recordings/ollama-0.17.4).
TEST(Weigh, NamesABackendFromTwoFoldersWhereNothingElseIsTold) {
  const std::string loaded = "load_backend: loaded CUDA backend from /usr/lib/ollama/",
                    library = "libggml-cuda.so\n";
  const std::string two = loaded + library + loaded + "cuda_v12/" + library;
  EXPECT_TRUE(Explained(two).Names("loader-of-other-release"));
  EXPECT_FALSE(Explained(loaded + "cuda_v12/" + library + loaded + "cuda_v13/" + library)
                   .Names("loader-of-other-release"));
  EXPECT_FALSE(Explained(Log("0.17.4", "DEBUG-4", two)).Names("loader-of-other-release"));
}

TEST(Answer, HasThePathsOfTheLogInItsCommands) {
  const Explained log(Log("0.17.4", "INFO", ""));
  EXPECT_THAT(log.Text(), HasSubstr("/opt/ai/lib/ollama/cuda_v*"));
  EXPECT_THAT(log.Text(), Not(HasSubstr("/usr/local")));
}

// A command of Linux is no help on Windows.
TEST(Answer, HasCommandsOfThePlatform) {
  std::string log = Log("0.17.4", "INFO", "");
  const std::string program = "/opt/ai/bin/ollama";
  log.replace(log.find(program), program.size(),
              R"(C:\\Users\\u\\AppData\\Local\\Programs\\Ollama\\ollama.exe)");
  const std::string text = Explained(log).Text();
  EXPECT_THAT(text, HasSubstr("on Windows"));
  EXPECT_THAT(text, HasSubstr("%LOCALAPPDATA%"));
  for (const char* word : {"sudo", "ldd", "nsenter", "systemctl"})
    EXPECT_THAT(text, Not(HasSubstr(word)));
}

TEST(Answer, BreaksNoCommandAndNoLine) {
  const std::string text = Explained(Log("0.17.4", "INFO", "")).Text();
  for (const char* begin : {"\n  next: ", "\n  now:  "}) {
    const size_t at = text.find(begin);
    ASSERT_NE(at, std::string::npos);
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\'') % 2, 0) << line;
  }
}

}  // namespace
}  // namespace gpustage
