#include "harness/evidence/scanners/ollama/ollama_log.h"

#include <gmock/gmock.h>

#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Lines of Ollama 0.17.4, of which each text is the part after the time.
std::vector<std::string> Canonical(const std::vector<std::string>& lines) {
  std::vector<LogLine> log;
  for (const std::string& line : lines)
    log.push_back(
        ParseLogLine({0, Stream::kStderr,
                      line.starts_with("level=") ? "time=2026-02-26T09:23:07.417Z " + line : line},
                     LogFormat::kSlog));
  return CanonicalOllamaLog(log);
}

constexpr char kDiscovering[] =
    R"(level=INFO source=runner.go:67 msg="discovering available GPUs...")";
constexpr char kEvaluating[] =
    R"(level=DEBUG source=runner.go:124 msg="evaluating which, if any, devices to filter out" )"
    R"(initial_count=0)";
constexpr char kEngine[] = R"(level=INFO source=runner.go:1411 msg="starting ollama engine")";

std::string Start(const std::string& port) {
  return R"(level=INFO source=server.go:431 msg="starting runner" cmd="/usr/local/bin/ollama )"
         R"(runner --ollama-engine --port )" +
         port + '"';
}
std::string Took(const std::string& directory, const std::string& time) {
  return R"(level=DEBUG source=runner.go:437 msg="bootstrap discovery took" duration=)" + time +
         " OLLAMA_LIBRARY_PATH=" + directory;
}

TEST(CanonicalOllamaLog, MasksPortsTimesAndTemporaryNames) {
  EXPECT_THAT(Canonical({Start("42781")}), ElementsAre(HasSubstr("--port PORT\"")));
  EXPECT_THAT(Canonical({Took("/v12", "46.313584ms")}),
              ElementsAre(HasSubstr("duration=TIME OLLAMA")));
  EXPECT_THAT(
      Canonical(
          {R"(level=INFO source=runner.go:464 msg=failure error="open /tmp/123.bin: no space")"}),
      ElementsAre(HasSubstr("open /tmp/FILE.bin: no space")));
}

TEST(CanonicalOllamaLog, MasksThisMachinesMemoryAndProcessor) {
  EXPECT_THAT(
      Canonical({R"(level=INFO source=types.go:60 msg="inference compute" id=cpu library=cpu )"
                 R"(type="" total="7.8 GiB" available="5 GiB")"}),
      ElementsAre(HasSubstr("total=HOST available=HOST")));
  EXPECT_THAT(Canonical({"level=INFO source=ggml.go:104 msg=system CPU.0.AVX2=1 CUDA.0.ARCHS=900 "
                         "compiler=cgo(gcc)"}),
              ElementsAre(HasSubstr("msg=system CUDA.0.ARCHS=900 compiler")));
}

TEST(CanonicalOllamaLog, MasksWhatIsLeftOfThisMachinesMemoryToAnIntegratedGpu) {
  const auto devices = [](const std::string& integrated, const std::string& free) {
    return R"(level=TRACE source=runner.go:467 msg="runner enumerated devices" )"
           R"(devices="[{DeviceID:{ID:a Library:CUDA} Integrated:)" +
           integrated + " PCIID: TotalMemory:9 FreeMemory:" + free + "}]\"";
  };
  EXPECT_EQ(Canonical({devices("true", "7")}), Canonical({devices("true", "8")}));
  EXPECT_NE(Canonical({devices("false", "7")}), Canonical({devices("false", "8")}));
}

TEST(CanonicalOllamaLog, KeepsTheMemoryOfAGpu) {
  EXPECT_THAT(
      Canonical({R"(level=INFO source=types.go:42 msg="inference compute" library=CUDA total="80 )"
                 R"(GiB" available="79 GiB")"}),
      ElementsAre(HasSubstr(R"(available="79 GiB")")));
}

TEST(CanonicalOllamaLog, LeavesOutWhatIsNotAboutDiscovery) {
  EXPECT_THAT(
      Canonical({R"(level=INFO source=images.go:473 msg="total blobs: 0")", "",
                 "Couldn't find '/tmp/.ollama/id_ed25519'. Generating new private key.",
                 R"(level=DEBUG source=ggml.go:324 msg="key with type not found" key=general.name )"
                 R"(default="")",
                 "/usr/local/lib/ollama/libggml-base.so.0(ggml_abort+0x11f)[0x7f0a]",
                 "/usr/local/bin/ollama[0x55d0a1]"}),
      IsEmpty());
}

TEST(CanonicalOllamaLog, TellsADeathInTwoLines) {
  EXPECT_THAT(
      Canonical({"SIGABRT: abort", "PC=0x7f m=9 sigcode=18446744073709551610",
                 "signal arrived during cgo execution", "goroutine 8 gp=0xc000 m=9", "rax 0x0"}),
      ElementsAre("  SIGABRT: abort", "  signal arrived during cgo execution"));
}

TEST(CanonicalOllamaLog, FollowsADeathThatOthersInterrupt) {
  EXPECT_THAT(
      Canonical({"SIGABRT: abort", "goroutine 8 gp=0xc000 m=9", kEvaluating, "runtime.goexit({})"}),
      ElementsAre(kEvaluating, "  SIGABRT: abort"));
}

TEST(CanonicalOllamaLog, SeesALineOfTheServersInTheMiddleOfADeath) {
  EXPECT_THAT(Canonical({"SIGABRT: abort",
                         "goroutine 8time=2026-02-26T09:23:07.417Z level=TRACE "
                         "source=runner.go:462 msg=\"runner exited\" code=2",
                         "ggml_cuda_init: found 1 CUDA devices:"}),
              UnorderedElementsAre("  SIGABRT: abort",
                                   "  ggml_cuda_init: found 1 CUDA devices:", HasSubstr("code=2")));
}

TEST(CanonicalOllamaLog, DoesNotDependOnTheOrderOfDirectories) {
  const std::vector<std::string> one = {Start("1"), Took("/v12", "1ms")},
                                 other = {Start("2"), Took("/v13", "2ms")};
  const auto all = [](const std::vector<std::string>& first,
                      const std::vector<std::string>& second) {
    std::vector<std::string> lines = {kDiscovering};
    lines.insert(lines.end(), first.begin(), first.end());
    lines.insert(lines.end(), second.begin(), second.end());
    lines.push_back(kEvaluating);
    return Canonical(lines);
  };
  EXPECT_EQ(all(one, other), all(other, one));
  EXPECT_THAT(all(one, other), Contains(HasSubstr("/v12")));
}

// At INFO no line says where one of them ends.
TEST(CanonicalOllamaLog, DoesNotDependOnWhenVulkanWasPassedOver) {
  const std::string start = R"(level=INFO source=server.go:431 msg="starting runner" cmd=x)",
                    vulkan = R"(level=INFO source=runner.go:106 msg="experimental Vulkan support )"
                             R"(disabled.  To enable, set OLLAMA_VULKAN=1")",
                    none = R"(level=INFO source=types.go:60 msg="inference compute" id=cpu)";
  EXPECT_EQ(Canonical({kDiscovering, start, vulkan, start, none}),
            Canonical({kDiscovering, vulkan, start, start, none}));
}

TEST(CanonicalOllamaLog, GivesLateLinesToTheChildThatPrintedThem) {
  const auto lines = [](bool late) {
    std::vector<std::string> all = {kDiscovering,        Start("1"), kEngine, "the first's",
                                    Took("/v12", "1ms"), Start("2"), kEngine, "the second's",
                                    Took("/v13", "1ms"), kEvaluating};
    if (late) std::swap(all[3], all[4]);
    return Canonical(all);
  };
  EXPECT_EQ(lines(false), lines(true));
}

TEST(CanonicalOllamaLog, KeepsTheOrderWithinAChild) {
  const auto lines = [](const char* first, const char* second) {
    return Canonical(
        {kDiscovering, Start("1"), kEngine, first, second, Took("/v12", "1ms"), kEvaluating});
  };
  EXPECT_NE(lines("a", "b"), lines("b", "a"));
}

// From 0.30 on: a child's lines come through the server.
std::vector<std::string> AskedLlamaServer(const std::string& directory, const std::string& time) {
  return {
      R"(level=TRACE source=llama_server.go:71 msg="running llama-server for discovery" libDirs=)" +
          directory,
      "0.00." + time +
          ".302 I cmn  common_param: system_info: n_threads = 2 (n_threads_batch = 2) / 2 | CPU : "
          "SSE3 = 1 | "
          "AVX = 1 | CUDA : ARCHS = 900 | ",
      "load_backend: loaded CUDA backend from " + directory, Took(directory, time + "ms")};
}

TEST(CanonicalOllamaLog, OfLlamaServerDoesNotDependOnTheOrderOfDirectories) {
  const auto all = [](const std::vector<std::string>& first,
                      const std::vector<std::string>& second) {
    std::vector<std::string> lines = {kDiscovering};
    lines.insert(lines.end(), first.begin(), first.end());
    lines.push_back(
        R"(level=DEBUG source=runner.go:95 msg="skipping available library at user's request" )"
        R"(libDir=/v11)");
    lines.insert(lines.end(), second.begin(), second.end());
    lines.push_back(kEvaluating);
    return Canonical(lines);
  };
  const auto v12 = AskedLlamaServer("/v12", "036"), v13 = AskedLlamaServer("/v13", "118");
  EXPECT_EQ(all(v12, v13), all(AskedLlamaServer("/v13", "001"), AskedLlamaServer("/v12", "002")));
  EXPECT_EQ(
      all(v12, v13)[3],
      "  cmn  common_param: system_info: n_threads = HOST | CPU : HOST | CUDA : ARCHS = 900 | ");
}

TEST(CanonicalOllamaLog, OfLlamaServerKeepsAFailureWithItsDirectory) {
  std::vector<std::string> lines = {kDiscovering};
  for (const char* directory : {"/v13", "/v12"}) {
    lines.push_back(
        std::string(R"(level=DEBUG source=llama_server.go:199 msg="llama-server --list-devices )"
                    R"(failed" libDirs=)") +
        directory);
    lines.push_back(Took(directory, "1ms"));
    lines.push_back(
        std::string(R"(level=INFO source=runner.go:535 msg="failure during llama-server GPU )"
                    R"(discovery" OLLAMA_LIBRARY_PATH=)") +
        directory);
  }
  lines.push_back(kEvaluating);
  const std::vector<std::string> log = Canonical(lines);
  ASSERT_EQ(log.size(), 8);
  EXPECT_THAT(log[3], testing::AllOf(HasSubstr("failure during"), HasSubstr("/v12")));
  EXPECT_THAT(log[6], testing::AllOf(HasSubstr("failure during"), HasSubstr("/v13")));
}

TEST(CanonicalOllamaLog, OfLlamaServerTellsOnceWhatTheStoppedOneMayHaveSaid) {
  const std::string
      server = R"(level=DEBUG source=llama_server.go:121 msg="llama-server discovery: stopped")",
      refused = "ggml_cuda_init: failed";
  EXPECT_EQ(Canonical({server, refused, "load_backend: loaded", refused, server}),
            Canonical({server, "load_backend: loaded", refused, server}));
  // Of two directories each is told.
  EXPECT_NE(Canonical({server, refused, server, refused}), Canonical({server, refused, server}));
}

TEST(CanonicalOllamaLog, OfLlamaServerMasksWhatIsLeftToAnIntegratedGpu) {
  const auto log = [](const std::string& type, const std::string& free) {
    return Canonical({R"(level=DEBUG source=llama_server.go:121 msg=stopped)",
                      "  CUDA0: Orin (62840 MiB, " + free + " MiB free)",
                      "level=INFO source=types.go:32 msg=\"inference compute\" type=" + type +
                          " total=\"61.4 GiB\" available=\"" + free + " GiB\""});
  };
  EXPECT_EQ(log("iGPU", "19"), log("iGPU", "22"));
  EXPECT_NE(log("discrete", "19"), log("discrete", "22"));
  EXPECT_THAT(log("iGPU", "19"), Contains("    CUDA0: Orin (62840 MiB, HOST free)"));
}

}  // namespace
}  // namespace gpustage
