#include <random>
#include <sstream>

#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kTime[] = "time=2026-01-01T10:00:00.001Z ";
std::string Start(const std::string& version, const std::string& debug) {
  return std::string(kTime) + "level=INFO source=routes.go:1663 msg=\"server config\" " +
         "env=\"map[CUDA_VISIBLE_DEVICES: OLLAMA_DEBUG:" + debug + " OLLAMA_LLM_LIBRARY: " +
         "OLLAMA_ORIGINS:[http://localhost https://localhost:*] OLLAMA_VULKAN:false]\"\n" + kTime +
         "level=INFO source=routes.go:1718 msg=\"Listening on 127.0.0.1:11434 (version " + version +
         ")\"\n" + kTime + "level=INFO source=runner.go:67 msg=\"discovering available GPUs...\"\n";
}
std::string Device(const std::string& name) {
  return std::string(kTime) +
         "level=INFO source=types.go:42 msg=\"inference compute\" "
         "id=GPU-00000000-0000-4000-8000-000000000000 filter_id=\"\" library=CUDA compute=8.6 "
         "name=CUDA0 description=\"" +
         name + "\" libdirs=ollama,cuda_v12 driver=12.8 pci_id=0000:01:00.0 type=discrete\n";
}
const std::string kCpu = std::string(kTime) +
                         "level=INFO source=types.go:60 msg=\"inference compute\" id=cpu "
                         "library=cpu compute=\"\" name=cpu description=cpu libdirs=ollama\n";

TEST(ReadLog, KnowsProgramVersionAndLevel) {
  for (const auto& [debug, level] :
       {std::pair("INFO", "INFO"), std::pair("false", "INFO"), std::pair("DEBUG", "DEBUG"),
        std::pair("true", "DEBUG"), std::pair("DEBUG-4", "TRACE"), std::pair("DEBUG-8", "DEBUG")}) {
    const LogReading log = ReadLog(Known(), Start("0.17.4", debug) + kCpu);
    EXPECT_EQ(log.program, "ollama");
    EXPECT_EQ(log.version, "0.17.4");
    EXPECT_EQ(log.level, level) << debug;
  }
  EXPECT_EQ(ReadLog(Known(), Start("0.32.14", "DEBUG-8") + kCpu).level, "TRACE")
      << "from 0.30 on children are shown at 3, too";
}

TEST(ReadLog, DatesALogByItsLines) {
  const LogReading log =
      ReadLog(Known(), std::string(kTime) +
                           "level=DEBUG msg=\"jetpack not detected (set JETSON_JETPACK)\"\n");
  EXPECT_EQ(log.version, "");
  EXPECT_EQ(log.dated.from, "0.13.1");
  EXPECT_EQ(ReadLog(Known(), "level=INFO msg=\"looking for compatible GPUs\"\n").dated.below,
            "0.12.4");
}

// ollama/ollama#13070, #13169, #8323: no line of Ollama's own is in what was pasted.
TEST(ReadLog, KnowsWhoWroteItByWhatStandsAroundIt) {
  for (const auto& [text, program] :
       {std::pair("Nov 13 10:20:18 host ollama[1067]: load_backend: loaded ROCm backend from /x.so",
                  "ollama"),
        std::pair("ollama  | ggml_cuda_compute_forward: ROPE failed", "ollama"),
        std::pair("/usr/lib/ollama/runners/cuda_v11_avx/ollama_llama_server: symbol lookup error",
                  "ollama"),
        std::pair("Nov 13 10:20:18 host ollama[1]: llama-server ended", "ollama"),
        std::pair("llama-server: error while loading shared libraries", "llama.cpp"),
        std::pair("/opt/lib/torch/cuda/__init__.py:52: UserWarning: odd", "PyTorch"),
        std::pair("something of somebody", "")})
    EXPECT_EQ(ReadLog(Known(), text).program, program) << text;
}

// ollama/ollama#12332: ggml's own lines, which Ollama's children and llama.cpp print alike.
TEST(ReadLog, TakesNoLineThatOthersPrintForItsProgram) {
  EXPECT_EQ(ReadLog(Known(), "ggml_cuda_init: found 4 CUDA devices:\n").program, "");
}

// mostlygeek/llama-swap#353, ggml-org/llama.cpp#9153, #22748.
TEST(ReadLog, TakesTheBuildOfLlamaCppForItsVersion) {
  for (const auto& [line, version] : {std::pair("build: 6795 (ee09828c) with cc", "6795"),
                                      std::pair("main: build = 3618 (3ba780e2)", "3618"),
                                      std::pair("build_info: b9049-2496f9c14", "9049")})
    EXPECT_EQ(ReadLog(Known(), line).version, version);
}

// ollama/ollama#14031 was said to be "from 0.12.7 on and below 0.12.7".
TEST(ReadLog, IsOfNoVersionWhereItsLinesContradict) {
  const std::string looking =
      std::string(kTime) + "level=INFO msg=\"looking for compatible GPUs\"\n";
  const LogReading old = ReadLog(Known(), looking);
  EXPECT_EQ(old.dated.below, "0.12.4");
  const LogReading both =
      ReadLog(Known(), looking + kTime + "level=INFO msg=\"discovering available GPUs...\"\n");
  EXPECT_EQ(both.dated.from, "");
  EXPECT_EQ(both.dated.below, "");
}

TEST(ReadLog, TakesTheLastStart) {
  const Explained failed(Start("0.17.4", "INFO") + Device("NVIDIA A100") + Start("0.17.4", "INFO") +
                         kCpu);
  EXPECT_EQ(failed.log.starts, 2u);
  EXPECT_EQ(failed.explanation.outcome, LogOutcome::kNone);
  const Explained mended(Start("0.17.4", "INFO") + kCpu + Start("0.17.4", "INFO") +
                         Device("NVIDIA A100"));
  EXPECT_EQ(mended.explanation.outcome, LogOutcome::kHealthy);
  EXPECT_THAT(mended.Flat(), HasSubstr("1 device: NVIDIA A100 by CUDA. Discovery is healthy."));
}

TEST(ReadLog, KnowsAWholeOneFromAPart) {
  EXPECT_TRUE(ReadLog(Known(), Start("0.17.4", "INFO") + kCpu).whole());
  EXPECT_FALSE(ReadLog(Known(), kCpu).whole()) << "cut at the front";
  EXPECT_FALSE(ReadLog(Known(), Start("0.17.4", "INFO")).whole()) << "cut at the end";
  EXPECT_FALSE(ReadLog(Known(), Start("0.17.4", "INFO") + "...\n" + kCpu).whole())
      << "somebody left lines out";
  EXPECT_FALSE(
      ReadLog(Known(), Start("0.17.4", "INFO") + kTime +
                           "level=INFO msg=\"failure during GPU discovery\" "
                           "OLLAMA_LIBRARY_PATH=\"[/a/lib/ollama /a/lib/ollama/cuda_v12]\" "
                           "error=\"failed to finish discovery before timeout\"\n" +
                           kCpu)
          .whole())
      << "a child was started before, and its line is not there";
}

TEST(ReadLog, KnowsWindowsMacAndContainers) {
  EXPECT_EQ(
      ReadLog(Known(), "level=INFO source=gpu_windows.go:167 msg=packages count=1\n").platform,
      "Windows");
  EXPECT_EQ(ReadLog(Known(), std::string(kTime) +
                                 "level=INFO msg=\"inference compute\" id=0 library=Metal "
                                 "description=\"Apple M3\"\n")
                .platform,
            "macOS");
  EXPECT_EQ(ReadLog(Known(), std::string(kTime) +
                                 "level=INFO msg=\"server config\" env=\"map[OLLAMA_HOST:http://"
                                 "0.0.0.0:11434 OLLAMA_MODELS:/root/.ollama/models]\"\n")
                .platform,
            "container");
}

TEST(ReadLog, TakesBackADropWhoseDeviceIsThereAfterAll) {
  const Explained log(
      Start("0.17.4", "DEBUG") + kTime +
      "level=DEBUG source=runner.go:153 msg=\"filtering device which didn't fully initialize\" "
      "id=GPU-00000000-0000-4000-8000-000000000000 libdir=/a/lib/ollama/cuda_v13 "
      "pci_id=0000:01:00.0 library=CUDA\n" +
      Device("NVIDIA A100"));
  EXPECT_EQ(log.explanation.outcome, LogOutcome::kHealthy);
  EXPECT_TRUE(log.explanation.drops.empty());
}

TEST(ReadLog, TellsADropOfAnotherDevice) {
  const Explained log(Start("0.30.4", "INFO") + kTime +
                      "level=INFO msg=\"dropping integrated GPU; to enable, set "
                      "OLLAMA_IGPU_ENABLE=1\" id=1 library=Vulkan\n" +
                      Device("NVIDIA A100"));
  EXPECT_EQ(log.explanation.outcome, LogOutcome::kHealthy);
  EXPECT_EQ(log.explanation.drops.size(), 1u);
  EXPECT_THAT(log.Text(), HasSubstr("A device was dropped:\n  line 4: "));
}

// Prose only: a line of the log and a command are never broken.
TEST(ReadLog, BreaksItsSentencesAtTheWidthOfATerminal) {
  const Explained log(Start("0.17.4", "INFO") + kCpu);
  std::istringstream narrow(log.Text(60)), wide(log.Text(100));
  size_t lines = 0, more = 0;
  for (std::string line; std::getline(narrow, line); ++lines) {
    const bool whole = line.starts_with("  next:") || line.starts_with("  now:") ||
                       isdigit(line[0]) != 0 || line.find("level=") != std::string::npos;
    const bool fits = whole || line.size() <= 60;
    EXPECT_TRUE(fits) << line;
  }
  for (std::string line; std::getline(wide, line);) ++more;
  EXPECT_GT(lines, more);
}

// Whatever is pasted is answered: lines cut anywhere, mixed up, and with any bytes in them.
TEST(ReadLog, AnswersWhateverIsPasted) {
  const std::string whole =
      Start("0.17.4", "DEBUG-4") + Device("NVIDIA A100") + kCpu +
      "{\"log\":\"level=INFO msg=a\\n\"}\n> Nov 22 10:00:00 box ollama[7]: x\n";
  std::minstd_rand random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text = whole.substr(random() % whole.size());
    for (int change = 0; change < 8 && !text.empty(); ++change) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0)
        text[at] = static_cast<char>(random() % 256);
      else
        text.erase(at, random() % 40);
    }
    EXPECT_NE(Explained(text).Text(), "");
  }
}

TEST(ReadLog, ShowsAnErrorThatItDoesNotKnow) {
  const Explained log(Start("0.17.4", "INFO") + kTime +
                      "level=ERROR source=runner.go:1 msg=\"the moon is in the way\"\n" + kCpu);
  const std::string text = log.Text();
  EXPECT_THAT(text, HasSubstr("Not known here, and it may be what matters:\n  line 4: level=ERROR "
                              "source=runner.go:1 msg=\"the moon is in the way\"\n"));
  EXPECT_LT(text.find("the moon"), text.find("Still possible"));
}

}  // namespace
}  // namespace gpustage
