// Pastes of public threads (fixtures/pastes): each gives the symptom that its thread reports, or
// says what is missing.
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

// The scanner of that name is the machine's own program.
const bool kHasVulkaninfo = access("/usr/bin/vulkaninfo", X_OK) == 0;

struct Paste {
  std::string thread, text, missing;
  std::vector<std::string> has;
  int devices = -1;
};

Result<Paste> ReadPaste(const std::string& path) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(file, "a paste", {"thread", "stated", "devices", "missing", "has", "text"}));
  Paste paste;
  TRY(const YamlNode* thread, Require(file, "a paste", "thread"));
  paste.thread = thread->text;
  TRY(const YamlNode* stated, Require(file, "a paste", "stated"));
  TRY(const std::string said, ReadNonEmpty(*stated, "what the thread says"));
  TRY(const YamlNode* text, Require(file, "a paste", "text"));
  paste.text = text->text;
  if (const YamlNode* missing = file.Find("missing")) paste.missing = missing->text;
  if (const YamlNode* devices = file.Find("devices")) {
    TRY(paste.devices, ReadInt(*devices, "devices", 0, 16));
  }
  if (const YamlNode* has = file.Find("has"))
    for (const YamlNode& one : has->items) paste.has.push_back(one.text);
  return paste;
}

std::vector<std::string> Pastes() {
  std::vector<std::string> names;
  const auto files = FilesBelow(InSources("/fixtures/pastes"), ".yaml");
  if (files)
    for (const std::string& file : *files) names.push_back(BaseNameOf(file));
  return names;
}

class Pasted : public StagedCliTest, public testing::WithParamInterface<std::string> {};

TEST_P(Pasted, GivesTheSymptomOrSaysWhatIsMissing) {
  const auto paste = ReadPaste(InSources("/fixtures/pastes/") + GetParam());
  ASSERT_THAT(paste, IsOk());
  Write("bug.txt", paste->text);
  const Ran imported = Run({"import", Path("bug.txt"), "-o", Path("bug.yaml")});
  ASSERT_EQ(imported.status, 0) << imported.err;
  const std::string scenario = *ReadFile(Path("bug.yaml"));
  for (const std::string& has : paste->has) EXPECT_THAT(scenario, HasSubstr(has));
  EXPECT_EQ(scenario.find("GPU-00000000-0000-0000-0000-") != std::string::npos,
            scenario.find("devices: []") == std::string::npos);
  const Ran ran = Run({"run", Path("bug.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.out << scenario;
  if (scenario.find("scanner: vulkaninfo") != std::string::npos && !kHasVulkaninfo)
    GTEST_SKIP() << "there is no vulkaninfo here";
  if (paste->missing.empty()) {
    const std::string count = std::to_string(paste->devices) + " device";
    EXPECT_THAT(ran.out, testing::AllOf(HasSubstr("ok    bug"), HasSubstr(count))) << scenario;
  } else {
    EXPECT_THAT(scenario, testing::AllOf(HasSubstr("NOT KNOWN"), HasSubstr("  try: "),
                                         HasSubstr(paste->missing)));
  }
}

INSTANTIATE_TEST_SUITE_P(OfThreads, Pasted, testing::ValuesIn(Pastes()), [](const auto& paste) {
  std::string name = paste.param.substr(0, paste.param.rfind('.'));
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST(Pastes, AreOfAtLeast25Threads) { EXPECT_GE(Pastes().size(), 25u); }

class ImportCli : public StagedCliTest {
 protected:
  std::string Import(const std::string& text) const {
    Write("bug.txt", text);
    const Ran ran = Run({"import", Path("bug.txt")});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
};

// Each value stands beside the text and the line that said it.
TEST_F(ImportCli, EachValueSaysWhereItCameFrom) {
  const std::string scenario = Import(
      "$ nvidia-smi -L\n"
      "GPU 0: NVIDIA A40 (UUID: GPU-aaaaaaaa-1111-2222-3333-444444444444)\n"
      "$ env | grep CUDA\n"
      "CUDA_VISIBLE_DEVICES=GPU-aaaaaaaa-1111-2222-3333-444444444444\n");
  EXPECT_THAT(scenario, HasSubstr("profile: a40  # nvidia-smi -L, bug.txt:2"));
  EXPECT_THAT(scenario,
              HasSubstr("CUDA_VISIBLE_DEVICES: "
                        "\"GPU-00000000-0000-0000-0000-000000000001\"  # env, bug.txt:4"));
  EXPECT_THAT(scenario, Not(HasSubstr("aaaaaaaa")));
}

TEST_F(ImportCli, NothingPrivateIsInIt) {
  const std::string scenario = Import(
      "annaschmidt@gpu01:~$ ls -l /home/annaschmidt/geheim/\n"
      "lrwxrwxrwx 1 anna staff 17 Jun 29 12:51 libcuda.so.1 -> "
      "/opt/kunde4711/libcuda.so.550.54.15\n"
      "annaschmidt@gpu01:~$ env\n"
      "HF_TOKEN=hf_AbCdEfGh\n"
      "LD_LIBRARY_PATH=/home/annaschmidt/geheim\n");
  for (const char* secret : {"annaschmidt", "geheim", "gpu01", "kunde4711", "hf_"})
    EXPECT_THAT(scenario, Not(HasSubstr(secret)));
  EXPECT_THAT(scenario, HasSubstr("/libcuda.so.1\", to: \"/opt/p"));
}

TEST_F(ImportCli, StandardInputAndSeveralFilesAreRead) {
  Write("a.txt", "NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4\n");
  Write("b.txt", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.06  Wed Jun 26\n");
  const Ran ran = Run({"import", Path("a.txt"), Path("b.txt")});
  EXPECT_THAT(ran.out, HasSubstr("CONTRADICTION: the driver's kernel module is 550.54.15 "
                                 "(nvidia-smi, a.txt:1) and 535.183.06 "
                                 "(NVRM version, b.txt:1)"));
}

// What a listing shows of a library that no loader takes, and of a directory that a service may not
// list, loses the device; and a run of it shows that.
TEST_F(ImportCli, AListingOfABrokenInstallLosesTheDevice) {
  const struct {
    const char *text, *why;
  } kBroken[] = {
      {"/usr/local/lib/ollama/cuda_v12:\n"
       "-rw-r--r-- 1 root root 0 Nov 30 03:22 libggml-cuda.so\n",
       "LOSES THE DEVICE: /usr/local/lib/ollama/cuda_v12/libggml-cuda.so is empty"},
      {"drwx--x--x 2 root root 4096 Nov 30 03:22 /usr/local/lib/ollama/cuda_v12\n"
       "-rwxr-xr-x 1 root root 9 Nov 30 03:22 /usr/local/lib/ollama/cuda_v12/libggml-cuda.so\n",
       "LOSES THE DEVICE: /usr/local/lib/ollama/cuda_v12 is closed to others, of mode 0711"},
      {"/usr/lib64:\n"
       "lrwxrwxrwx 1 root root 21 Nov 30 03:22 libcuda.so.1 -> libcuda.so.550.54.15\n"
       "-rwxr-xr-x 1 root root 9 Nov 30 03:22 libnvidia-ml.so.550.54.15\n",
       "LOSES THE DEVICE: /usr/lib64/libcuda.so.1 leads to libcuda.so.550.54.15, which is not"},
      {"User=ollama\nPrivateDevices=yes\n", "LOSES THE DEVICE: PrivateDevices=yes"},
      {"ENV NVIDIA_DRIVER_CAPABILITIES=utility\n",
       "LOSES THE DEVICE: NVIDIA_DRIVER_CAPABILITIES=utility has no compute"},
      {"\"Runtime\": \"runc\",\n\"DeviceRequests\": null,\n",
       "LOSES THE DEVICE: it was started without a request for a GPU"}};
  for (const auto& [text, why] : kBroken) {
    const std::string scenario = Import(text);
    EXPECT_THAT(scenario, HasSubstr(why));
    Write("broken.yaml", scenario);
    const Ran ran = Run({"run", Path("broken.yaml")});
    EXPECT_EQ(ran.status, 0) << ran.out << scenario;
    EXPECT_THAT(ran.out, HasSubstr("0 devices")) << scenario;
  }
}

// id says who is in the group of a node; where nobody says it, it is asked for.
TEST_F(ImportCli, AGroupsNodeIsOpenToItsMembers) {
  const std::string nodes =
      "User=ollama\n"
      "crw-rw---- 1 root video 195,   0 Jun 25 11:05 /dev/nvidia0\n"
      "crw-rw---- 1 root video 195, 255 Jun 25 11:05 /dev/nvidiactl\n";
  const struct {
    const char *more, *has, *counts;
  } kSaid[] = {
      {"uid=997(ollama) gid=984(ollama) groups=984(ollama),44(video)\n", "claim: ", "1 device"},
      {"uid=997(ollama) gid=984(ollama) groups=984(ollama)\n",
       "LOSES THE DEVICE: /dev/nvidia0 has mode 0660", "0 devices"},
      {"", "#   try: id ollama\n", "1 device"}};
  for (const auto& [more, has, counts] : kSaid) {
    const std::string scenario = Import(nodes + more);
    EXPECT_THAT(scenario, HasSubstr(has));
    Write("group.yaml", scenario);
    const Ran ran = Run({"run", Path("group.yaml")});
    EXPECT_EQ(ran.status, 0) << ran.out << scenario;
    EXPECT_THAT(ran.out, HasSubstr(counts)) << scenario;
  }
}

TEST_F(ImportCli, ALibraryThatFindHasElsewhereIsNamedWithItsPlace) {
  const std::string scenario = Import(
      "$ ldd /usr/local/lib/ollama/cuda_v12/libggml-cuda.so\n"
      "\tlibcudart.so.12 => not found\n"
      "\tlibcuda.so.1 => /lib/x86_64-linux-gnu/libcuda.so.1 (0x00007f01)\n"
      "$ find / -name 'libcudart*' 2>/dev/null\n"
      "/usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudart.so.12\n");
  EXPECT_THAT(scenario, HasSubstr("libcudart.so.12 is not where the loader looks: it is "
                                  "/usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudart.so.12"));
  Write("elsewhere.yaml", scenario);
  EXPECT_THAT(Run({"run", Path("elsewhere.yaml")}).out, HasSubstr("0 devices, lost at \"loaded\""));
}

// vulkaninfo --json as it was recorded, whole: the machine has the driver that wrote it, and real
// vulkaninfo lists there what the paste has.
TEST_F(ImportCli, AMachineOfVulkansOwnJsonListsTheSame) {
  const struct {
    const char *file, *layout, *says;
  } kFiles[] = {{"real-gpu/h200-vulkan-profile.json", "nvidia-vulkan, x11", "Vulkan lists 1 GPU"},
                {"mesa/radv-gfx1100-vulkan-profile.json", "mesa-vulkan", "Vulkan lists 1 GPU"},
                {"mesa/lavapipe-vulkan-profile.json", "mesa-vulkan",
                 "Vulkan lists no GPU and 1 device of software"}};
  for (const auto& [file, layout, says] : kFiles) {
    const std::string json = *ReadFile(InSources("/fixtures/recordings/") + file);
    const std::string scenario = Import("$ vulkaninfo --json\n" + json + "\n");
    EXPECT_THAT(scenario, testing::AllOf(HasSubstr(std::string("layout: [") + layout + "]"),
                                         HasSubstr(says), HasSubstr("# vulkaninfo --json, ")));
    EXPECT_LT(scenario.size(), 3000u) << "no word of 300 KB of JSON but what matters";
    Write("vulkan.yaml", scenario);
    const Ran ran = Run({"run", Path("vulkan.yaml")});
    EXPECT_EQ(ran.status, 0) << ran.out << scenario;
    if (kHasVulkaninfo) {
      EXPECT_THAT(ran.out, HasSubstr("1 device"));
    }
  }
}

TEST_F(ImportCli, ADriverOfVulkansThatNoFakeStandsForIsSaidSo) {
  const std::string scenario = Import(
      "\tvendorID           = 0x14e4\n\tdeviceID           = 0x0042\n"
      "\tdeviceType         = PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU\n"
      "\tdeviceName         = V3D 4.2.14.0\n\tdriverName         = V3DV Mesa\n");
  EXPECT_THAT(scenario, HasSubstr("xfail: {reason: \"no fake stands for a driver of Vulkan"));
}

TEST_F(ImportCli, WhatIsNoPasteIsRefusedWithASentence) {
  Write("nothing.txt", "it does not work, please help\n");
  const Ran nothing = Run({"import", Path("nothing.txt")});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("nothing in nothing.txt is known here: expected what ls -l"));
  Write("binary", std::string("\x7f"
                              "ELF\0\1\2",
                              7));
  const Ran binary = Run({"import", Path("binary")});
  EXPECT_EQ(binary.status, 2);
  EXPECT_THAT(binary.err, HasSubstr("binary is no text: it has a byte 0"));
  EXPECT_EQ(Run({"import", Path("absent")}).status, 2);
  EXPECT_EQ(Run({"import"}).status, 2);
}

}  // namespace
}  // namespace gpustage
