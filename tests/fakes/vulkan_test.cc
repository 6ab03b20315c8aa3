// The Vulkan driver against what a real one was recorded to answer: under the published
// llama-server and the loader that it brings, and under Debian's vulkaninfo and loader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/fakes/recording_lines.h"
#include "tests/support/program.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const fs::path kFixtures = fs::path(kSourceDir) / "fixtures";

// A recorded condition and the value of the axis in scenarios/vulkan/h200-conditions.yaml.
const std::map<std::string, std::string> kConditions = {
    {"llama", "plain"},
    {"GGML_VK_VISIBLE_DEVICES=[0]", "mask-0"},
    {"GGML_VK_VISIBLE_DEVICES=[-1]", "mask-minus-1"},
    {"GGML_VK_VISIBLE_DEVICES=[9]", "mask-9"},
    {"GGML_VK_VISIBLE_DEVICES=[0,0]", "mask-twice"},
    {"GGML_VK_VISIBLE_DEVICES=[x]", "mask-word"},
    {"GGML_VK_VISIBLE_DEVICES=[0x]", "mask-number-and-word"},
    {"GGML_VK_VISIBLE_DEVICES=[ 0]", "mask-space"},
    {"CVD empty", "cuda-mask-empty"},
    {"CVD 9", "cuda-mask-9"},
    {"no driver files", "no-manifest"},
    {"no driver files, loader debug", "no-manifest-debug"},
    {"unset", "unset"},
    {"driver twice", "twice"},
    {"no nvidia0", "no-nvidia0"},
    {"no nvidia-uvm", "no-nvidia-uvm"},
    {"open nvidiactl errno 2", "no-nvidiactl"},
    {"open nvidiactl errno 13", "nvidiactl-shut"},
    {"open nvidia0 errno 13", "nvidia0-shut"},
    {"no X11 library", "no-x11"},
    {"VK_LOADER_DRIVERS_DISABLE", "disabled"},
    {"old name VK_ICD_FILENAMES", "old-name"},
    {"loader-debug", "loader-debug"},
    {"open nvidiactl errno 1", "nvidiactl-eperm"},
    {"open nvidia0 errno 1", "nvidia0-eperm"},
    {"open nvidia-uvm errno 1", "nvidia-uvm-eperm"},
};

// A limit is the program's own and not the machine's.
constexpr char kLimited[] = "ulimit -n 16";

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The recording has a variable where the home of its machine stood, and ours is /tmp.
std::string WithoutHome(std::string line) {
  for (size_t at; (at = line.find("/tmp/.")) != std::string::npos;) line.replace(at, 5, "$HOME/");
  return line;
}

// There it was started from the folder above its own.
std::string WithoutFolder(std::string line) {
  constexpr std::string_view kOurs = "[/opt/llama.cpp/]";
  if (const size_t at = line.find(kOurs); at != std::string::npos)
    line.replace(at, kOurs.size(), "[llama-server/]");
  return line;
}

class Vulkan : public testing::Test {
 protected:
  // Standard error before standard output: the list comes last.
  Ran InTheTree(const std::string& scenario, std::vector<std::string> program) {
    std::vector<std::string> argv = {GPUSTAGE_PROGRAM, "exec", scenario, "--"};
    argv.insert(argv.end(), program.begin(), program.end());
    return Finish(Start(argv, {}, directory_), directory_);
  }
  std::string directory_ = NewDirectory();

 private:
  static std::string NewDirectory() {
    std::string name = (fs::temp_directory_path() / "gpustage-vulkan-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    return name;
  }
  void TearDown() override { fs::remove_all(directory_); }
};

class VulkanConditions : public Vulkan,
                         public testing::WithParamInterface<fakes_test::RecordedCondition> {};

TEST_P(VulkanConditions, AreThoseOfARealH200UnderRealLlamaServer) {
  const auto& recorded = GetParam();
  if (!fs::exists(fs::path(GPUSTAGE_CACHE) / "real/llama-server/llama-server"))
    GTEST_SKIP() << "needs the real llama-server; harness/dev real fetches it";
  const bool limited = recorded.when == kLimited;
  ASSERT_TRUE(limited || kConditions.contains(recorded.when)) << recorded.when;
  std::vector<std::string> program = {"/opt/llama.cpp/llama-server", "--list-devices"};
  if (limited) program.insert(program.begin(), {GPUSTAGE_SUBJECTS "/limited", "16"});
  const Ran ran =
      InTheTree(std::string(kSourceDir) + "/scenarios/vulkan/h200-conditions.yaml@condition=" +
                    (limited ? "plain" : kConditions.at(recorded.when)),
                program);
  std::vector<std::string> said = Lines(ran.err + ran.out);
  for (std::string& line : said) line = WithoutFolder(WithoutHome(line));
  // That one was cut off after 45 lines.
  if (recorded.when == "loader-debug" && said.size() > recorded.lines.size())
    said.resize(recorded.lines.size());
  EXPECT_EQ(said, recorded.lines);
  EXPECT_EQ(ran.status, recorded.exit);
}

INSTANTIATE_TEST_SUITE_P(, VulkanConditions,
                         testing::ValuesIn(fakes_test::ReadConditions(
                             (kFixtures / "recordings/real-gpu/h200-vulkan.yaml").string())),
                         [](const auto& condition) {
                           std::string name = std::to_string(condition.index) + "_";
                           for (const char c : condition.param.when)
                             name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

// The program asks what an application may ask, and some things that it may not. record_vulkan.sh
// beside it runs it on a real NVIDIA machine.
class VulkanConformance : public Vulkan {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/vulkaninfo")) GTEST_SKIP() << "needs Debian's loader (vulkan-tools)";
  }
  std::vector<std::string> Answers(const std::string& gpu) {
    const Ran ran =
        InTheTree(std::string(kSourceDir) + "/scenarios/vulkan/vulkaninfo.yaml@gpu=" + gpu,
                  {GPUSTAGE_SUBJECTS "/vulkan_conformance", "libvulkan.so.1"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, testing::Not(testing::HasSubstr(": signal ")));
    return Lines(ran.out);
  }
};

TEST_F(VulkanConformance, IsAnsweredWholeOfAnH200) {
  const std::vector<std::string> answers = Answers("h200-141gb");
  const auto count = [&](const std::string& kind) {
    return std::count_if(answers.begin(), answers.end(),
                         [&](const std::string& line) { return line.starts_with(kind); });
  };
  EXPECT_THAT(answers, testing::SizeIs(testing::Ge(1300)));
  EXPECT_GE(count("limits") + count("properties") + count("heap") + count("memory"), 150);
  EXPECT_GE(count("bad "), 120);
}

// What a real driver leaves of a struct that holds nothing, which no caller sees: words that pad
// it.
const std::set<std::string> kPadding = {"features 51", "features 53", "properties 52",
                                        "properties 1000168000", "properties 1000281001"};

TEST_F(VulkanConformance, OfLavapipeIsThatOfMesasOwn) {
  const auto keyed = [](const std::vector<std::string>& lines) {
    std::map<std::string, std::string> answers;
    for (const std::string& line : lines) {
      const size_t colon = line.find(": ");
      if (!kPadding.contains(line.substr(0, colon)))
        answers[line.substr(0, colon)] = line.substr(colon);
    }
    return answers;
  };
  const std::string recording =
      WholeFile((kFixtures / "recordings/mesa/lavapipe.vulkan.conformance.txt").string());
  const auto recorded = keyed(Lines(recording));
  EXPECT_GE(recorded.size(), 1140u);
  EXPECT_EQ(keyed(Answers("lavapipe")), recorded);
}

// What a real H200 answered otherwise, and why.
const std::map<std::string, std::string> kExcused = {
    {"heap 1", "the memory of the recorded host"},
    {"memory 1000237000", "likewise, and what was in use there"},
    {"image of format 127, tiling 0",
     "samples of a stencil alone: nobody recorded how they follow"},
    {"properties 1000059001", "the struct of the question itself, in its own chain"},
    {"features 1000059000", "likewise"},
    {"properties 56", "Vulkan 1.4: has pointers that a driver writes through"},
    {"properties 1000270001", "likewise"},
    {"features 1000506000", "cooperative matrices: the fake lacks their commands"},
    {"features 1000593000", "likewise"},
};

std::map<std::string, std::string> Keyed(const std::vector<std::string>& lines) {
  std::map<std::string, std::string> answers;
  for (const std::string& line : lines) {
    const std::string question = line.substr(0, line.find(": "));
    if (!kExcused.contains(question)) answers[question] = line;
  }
  return answers;
}

// Under llama-server's loader, as it was recorded; questions of it that the driver answers.
class VulkanOfAnH200 : public Vulkan {
 protected:
  std::vector<std::string> Answers(const std::string& condition,
                                   const std::vector<std::string>& more) {
    std::vector<std::string> program = {GPUSTAGE_SUBJECTS "/vulkan_conformance",
                                        "/opt/llama.cpp/libvulkan.so.1"};
    program.insert(program.end(), more.begin(), more.end());
    return Lines(InTheTree(std::string(kSourceDir) +
                               "/scenarios/vulkan/h200-conditions.yaml@condition=" + condition,
                           program)
                     .out);
  }
  void SetUp() override {
    if (!fs::exists(fs::path(GPUSTAGE_CACHE) / "real/llama-server/llama-server"))
      GTEST_SKIP() << "needs the real llama-server; harness/dev real fetches it";
  }
};

TEST_F(VulkanOfAnH200, AnswersAsARealOneInAllButNineOf1458) {
  const auto recorded =
      Lines(WholeFile((kFixtures / "recordings/real-gpu/h200.vulkan.conformance.txt").string()));
  EXPECT_THAT(recorded, testing::SizeIs(1458));
  EXPECT_THAT(kExcused, testing::SizeIs(testing::Le(30u)));
  EXPECT_EQ(Keyed(Answers("plain", {})), Keyed(recorded));
}

TEST_F(VulkanOfAnH200, MakesNoInstanceWithoutItsNodes) {
  for (const std::string node : {"no-nvidiactl", "no-nvidia0"})
    EXPECT_THAT(Answers(node, {"find"}), testing::Contains("instance: -9")) << node;
  EXPECT_THAT(Answers("no-nvidia-uvm", {"find"}), testing::Contains("count: 0 1"));
}

// Every struct, extension, format and queue family, but for what is the machine's own.
class VulkanProfile : public Vulkan {
 protected:
  void ExpectRecorded(const std::string& device, const std::string& recording,
                      const std::vector<std::string>& own) {
    if (!fs::exists("/usr/bin/vulkaninfo")) GTEST_SKIP() << "needs vulkaninfo (vulkan-tools)";
    const Ran ran = InTheTree(
        std::string(kSourceDir) + "/scenarios/vulkan/vulkaninfo.yaml@gpu=" + device,
        {"/bin/sh", "-c",
         "cd /tmp; /usr/bin/vulkaninfo --json >&2; for f in *.json; do while IFS= read -r "
         "line; do printf '%s\\n' \"$line\"; done < \"$f\"; done"});
    ASSERT_EQ(ran.status, 0) << ran.err;
    json seen = json::parse(ran.out)["capabilities"]["device"];
    json recorded = json::parse(WholeFile((kFixtures / "recordings" / recording).string()));
    recorded = recorded["capabilities"]["device"];
    for (const std::string& place : own)
      for (json* side : {&seen, &recorded})
        (*side)[json::json_pointer(place)] = "the machine's own";
    std::string different;
    for (const json& change : json::diff(recorded, seen))
      different += change.dump().substr(0, 200) + "\n";
    EXPECT_EQ(different, "");
  }
};

const std::string kPlain = "/properties/VkPhysicalDeviceProperties/";
const std::vector<std::string> kIdentity = {
    "/properties/VkPhysicalDeviceIDProperties/deviceUUID",
    "/properties/VkPhysicalDeviceVulkan11Properties/deviceUUID",
    "/properties/VkPhysicalDevicePCIBusInfoPropertiesEXT/pciBus",
    "/properties/VkPhysicalDevicePCIBusInfoPropertiesEXT/pciDevice"};

TEST_F(VulkanProfile, OfAnH200IsTheRecordedOneUnderRealVulkaninfo) {
  ExpectRecorded("h200-141gb", "real-gpu/h200-vulkan-profile.json", kIdentity);
}

TEST_F(VulkanProfile, OfLavapipeIsThatOfMesaUnderRealVulkaninfo) {
  ExpectRecorded("lavapipe", "mesa/lavapipe-vulkan-profile.json", {});
}

// Recorded without hardware: name, number, queues and timestamps are the board's.
TEST_F(VulkanProfile, OfRadvIsThatOfMesaUnderRealVulkaninfo) {
  std::vector<std::string> own = kIdentity;
  own.insert(own.end(), {kPlain + "deviceName", kPlain + "deviceID", "/queueFamiliesProperties"});
  ExpectRecorded("rx-7900-xtx", "mesa/radv-gfx1100-vulkan-profile.json", own);
}

}  // namespace
}  // namespace gpustage
