// One text of each kind, as the tool prints it, becomes typed facts. The forms are of the tools'
// own sources or manual pages: ls(1), find(1), ldconfig(8), ldd(1), readelf(1), systemd.exec(5),
// docker inspect's and vulkaninfo's JSON, nvsmi_device.dtd.
#include <gmock/gmock.h>

#include <cstring>

#include "harness/base/files.h"
#include "harness/import/recognise.h"
#include "harness/suite/installation.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage::pasted {
namespace {

Facts Of(const std::string& text) {
  static const Result<Knowledge> knowledge = ReadKnowledge(InSources("/fixtures/logs"));
  const Result<Facts> facts = Recognise(*knowledge, {{"t", text}});
  EXPECT_THAT(facts, IsOk());
  return facts ? *facts : Facts{};
}

TEST(Listings, ModesOwnersLinksAndFoldersAreRead) {
  const Facts facts =
      Of("/usr/lib/ollama:\n"
         "total 4\n"
         "drwxr-x--- 2 ollama render   4096 Mai 23 21:10 cuda_v12\n"
         "lrwxrwxrwx 1 root root         17 2024-05-01 12:00 libggml-base.so -> libggml-base.so.0\n"
         "\n"
         "/usr/lib/ollama/cuda_v12:\n"
         "-rwxr-sr-t 1 root root          0 Mai  4  2021 libggml-cuda.so\n");
  ASSERT_EQ(facts.files.size(), 3u);
  EXPECT_EQ(facts.files[0].value.facts.path, "/usr/lib/ollama/cuda_v12");
  EXPECT_EQ(facts.files[0].value.facts.mode, 0750u);
  EXPECT_EQ(facts.files[0].value.owner, "ollama");
  EXPECT_EQ(facts.files[0].value.group, "render");
  EXPECT_EQ(facts.files[1].value.facts.link, "libggml-base.so.0");
  EXPECT_EQ(facts.files[2].value.facts.path, "/usr/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(facts.files[2].value.facts.mode, 03755u);
  EXPECT_EQ(facts.files[2].value.facts.size, 0u);
  EXPECT_EQ(facts.files[2].from.line, 7);
}

TEST(Listings, FindPrintsWholePaths) {
  const Facts facts =
      Of("   131077      4 lrwxrwxrwx   1 root     root           12 Jan 10 2024 "
         "/usr/lib64/libcuda.so.1 -> libcuda.so.550.54.15\n");
  ASSERT_EQ(facts.files.size(), 1u);
  EXPECT_EQ(facts.files[0].value.facts.path, "/usr/lib64/libcuda.so.1");
}

TEST(Listings, WhatIsNotThereIsAFact) {
  const Facts facts =
      Of("ls: cannot access '/dev/nvidia-uvm': No such file or directory\n"
         "ls: cannot open directory '/usr/lib/ollama/cuda_v12': Permission denied\n");
  ASSERT_EQ(facts.absent.size(), 2u);
  EXPECT_EQ(facts.absent[0].value.path, "/dev/nvidia-uvm");
  EXPECT_FALSE(facts.absent[0].value.denied);
  EXPECT_TRUE(facts.absent[1].value.denied);
}

// As people paste: a quote of a forum, journald's prefix, CRLF, a prompt, colours.
TEST(Texts, WhatStandsBeforeALineIsTakenAway) {
  const Facts facts =
      Of("> user@host:~$ ldconfig -p | grep cuda\r\n"
         "> \tlibcuda.so.1 (libc6,x86-64) => /lib64/libcuda.so.1\r\n"
         "Jun 02 09:33:24 host sh[16]: \x1b[1mCUDA_VISIBLE_DEVICES=1\x1b[0m\r\n");
  ASSERT_EQ(facts.cache.size(), 1u);
  EXPECT_EQ(facts.cache[0].value.second, "/lib64/libcuda.so.1");
  ASSERT_EQ(facts.variables.size(), 1u);
  EXPECT_EQ(facts.variables[0].value.second, "1");
}

TEST(Libraries, TheDynamicSectionIsRead) {
  const Facts facts =
      Of("$ readelf -d /opt/llama/libggml-cuda.so\n"
         "\n"
         "Dynamic section at offset 0x2df0 contains 30 entries:\n"
         "  Tag        Type                         Name/Value\n"
         " 0x0000000000000001 (NEEDED)             Shared library: [libcudart.so.12]\n"
         " 0x000000000000000e (SONAME)             Library soname: [libggml-cuda.so]\n"
         " 0x000000000000001d (RUNPATH)            Library runpath: [$ORIGIN:/opt/cuda/lib64]\n");
  ASSERT_EQ(facts.dynamics.size(), 1u);
  EXPECT_EQ(facts.dynamics[0].value.path, "/opt/llama/libggml-cuda.so");
  EXPECT_EQ(facts.dynamics[0].value.elf.soname, "libggml-cuda.so");
  EXPECT_EQ(facts.dynamics[0].value.elf.needed, std::vector<std::string>{"libcudart.so.12"});
  EXPECT_EQ(facts.dynamics[0].value.elf.runpath, "$ORIGIN:/opt/cuda/lib64");
}

TEST(Devices, OfNvidiaSmiAsXml) {
  const Facts facts =
      Of("<nvidia_smi_log>\n"
         "  <driver_version>550.54.15</driver_version>\n"
         "  <cuda_version>12.4</cuda_version>\n"
         "  <gpu id=\"00000000:01:00.0\">\n"
         "    <product_name>NVIDIA L4</product_name>\n"
         "    <uuid>GPU-00000000-0000-0000-0000-000000000009</uuid>\n"
         "    <fb_memory_usage>\n      <total>23034 MiB</total>\n    </fb_memory_usage>\n"
         "    <compute_mode>Default</compute_mode>\n");
  ASSERT_EQ(facts.devices.size(), 1u);
  EXPECT_EQ(facts.devices[0].value.name, "NVIDIA L4");
  EXPECT_EQ(facts.devices[0].value.memory, int64_t{23034} << 20);
  EXPECT_EQ(facts.cuda_version[0].value, "12.4");
}

TEST(Devices, OfRocmSmiAndOfLogs) {
  const Facts facts =
      Of("GPU[0]\t\t: Card Series: \t\tRadeon RX 7900 XTX\n"
         "  Device 0: NVIDIA GeForce RTX 4090, compute capability 8.9, VMM: yes\n");
  ASSERT_EQ(facts.devices.size(), 2u);
  EXPECT_EQ(facts.devices[0].value.api, "rocm-smi");
  EXPECT_EQ(facts.devices[1].value.compute, "8.9");
}

// As vulkaninfo wrote them, each whole in one line (fixtures/recordings).
struct VulkanFile {
  const char *file, *name, *vendor, *driver, *pci_id;
};
class WholeVulkanJson : public testing::TestWithParam<VulkanFile> {};
TEST_P(WholeVulkanJson, IsADevice) {
  const auto& [file, name, vendor, driver, pci_id] = GetParam();
  const std::string json = *ReadFile(InSources("/fixtures/recordings/") + file);
  // After a prompt, as a quote in a forum, and cut at its end behind the driver's name.
  const size_t behind = json.find(driver, json.find("DriverProperties")) + strlen(driver) + 40;
  for (const std::string& text :
       {json, "$ vulkaninfo --json\n" + json + "\n$ \n", "> " + json, json.substr(0, behind)}) {
    const Facts facts = Of(text);
    ASSERT_EQ(facts.devices.size(), 1u) << file;
    const Device& device = facts.devices[0].value;
    EXPECT_EQ(device.name, name);
    EXPECT_EQ(device.vendor, vendor);
    EXPECT_EQ(device.driver, driver);
    EXPECT_EQ(device.pci_id, pci_id);
  }
}
INSTANTIATE_TEST_SUITE_P(Recorded, WholeVulkanJson,
                         testing::Values(VulkanFile{"real-gpu/h200-vulkan-profile.json",
                                                    "NVIDIA H200", "nvidia", "NVIDIA", "10de:2335"},
                                         VulkanFile{"mesa/radv-gfx1100-vulkan-profile.json",
                                                    "Null hardware (RADV GFX1100)", "amd", "radv",
                                                    "1002:dead"},
                                         VulkanFile{"mesa/lavapipe-vulkan-profile.json",
                                                    "llvmpipe (LLVM 15.0.6, 256 bits)", "software",
                                                    "llvmpipe", "10005:0000"}),
                         [](const auto& file) { return std::string(file.param.vendor); });

// The form before 2022, with numbers for words and with memory, of two GPUs in one paste. Source:
// the schema devsim_1_0_0 of Khronos, as vulkaninfo of Vulkan-Tools 1.2 fills it.
TEST(Devices, OfVulkanAsAnOlderReleaseWritesIt) {
  const std::string gpu =
      "{\n\t\"$schema\": \"https://schema.khronos.org/vulkan/devsim_1_0_0.json#\",\n"
      "\t\"comments\": {\n\t\t\"desc\": \"GPU 0 (a \\\"name\\\")\"\n\t},\n"
      "\t\"VkPhysicalDeviceProperties\": {\n\t\t\"apiVersion\": 4202631,\n"
      "\t\t\"vendorID\": 32902,\n\t\t\"deviceID\": 39497,\n\t\t\"deviceType\": 1,\n"
      "\t\t\"deviceName\": \"Intel(R) Xe Graphics (TGL GT2)\",\n"
      "\t\t\"limits\": {\n\t\t\t\"deviceName\": 7\n\t\t}\n\t},\n"
      "\t\"VkPhysicalDeviceMemoryProperties\": {\n\t\t\"memoryHeaps\": [\n"
      "\t\t\t{\n\t\t\t\t\"flags\": 0,\n\t\t\t\t\"size\": 99\n\t\t\t},\n"
      "\t\t\t{\n\t\t\t\t\"flags\": 1,\n\t\t\t\t\"size\": 8589934592\n\t\t\t}\n\t\t]\n\t}\n}\n";
  const Facts facts = Of(gpu + "and the other one:\n" + gpu);
  ASSERT_EQ(facts.devices.size(), 2u);
  EXPECT_EQ(facts.devices[0].value.vendor, "intel");
  EXPECT_EQ(facts.devices[0].value.memory, int64_t{8} << 30);
  EXPECT_EQ(facts.devices[1].from.line, 35) << "its own object's";
}

TEST(Devices, OfVulkanAsTextHaveTheirDriver) {
  const Facts facts =
      Of("GPU0:\n\tvendorID           = 0x1002\n\tdeviceID           = 0x744c\n"
         "\tdeviceType         = PHYSICAL_DEVICE_TYPE_DISCRETE_GPU\n"
         "\tdeviceName         = AMD Radeon RX 7900 XTX (RADV NAVI31)\n"
         "\tdriverName         = radv\n\tdriverInfo         = Mesa 24.2.8\n"
         "GPU1:\n\tvendorID           = 0x10005\n\tdeviceID           = 0x0000\n"
         "\tdeviceType         = PHYSICAL_DEVICE_TYPE_CPU\n"
         "\tdeviceName         = llvmpipe (LLVM 19.1.0, 256 bits)\n"
         "\tdriverName         = llvmpipe\n");
  ASSERT_EQ(facts.devices.size(), 2u);
  EXPECT_EQ(facts.devices[0].value.driver, "radv");
  EXPECT_EQ(facts.devices[0].value.pci_id, "1002:744c");
  EXPECT_EQ(facts.devices[1].value.vendor, "software");
  EXPECT_TRUE(facts.library_version.empty()) << "Mesa's version is none of NVIDIA's driver";
}

TEST(Devices, OfVulkanAreNoneWhereItsLoaderFoundNoDriver) {
  const Facts facts =
      Of("ERROR: [Loader Message] Code 0 : vkCreateInstance: Found no drivers!\n"
         "Cannot create Vulkan instance.\n");
  ASSERT_FALSE(facts.counts.empty());
  EXPECT_EQ(facts.counts[0].value.by, "vulkan");
  EXPECT_EQ(facts.counts[0].value.devices, 0);
}

TEST(Settings, OfUnitsContainersAndDockerfiles) {
  const Facts facts =
      Of("Environment=PATH=/usr/bin CUDA_VISIBLE_DEVICES=0 OLLAMA_DEBUG=1\n"
         "User=ollama\n"
         "Environment=\"LD_LIBRARY_PATH=/opt/a b\"\n"
         "            \"NVIDIA_VISIBLE_DEVICES=all\",\n"
         "            \"DeviceRequests\": null,\n"
         "ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility\n"
         "      - OLLAMA_VULKAN=1\n");
  std::map<std::string, std::string> values;
  for (const auto& told : facts.variables) values[told.value.first] = told.value.second;
  EXPECT_EQ(values["CUDA_VISIBLE_DEVICES"], "0");
  EXPECT_EQ(values["OLLAMA_DEBUG"], "1");
  EXPECT_EQ(values["NVIDIA_VISIBLE_DEVICES"], "all");
  EXPECT_EQ(values["NVIDIA_DRIVER_CAPABILITIES"], "compute,utility");
  EXPECT_EQ(values["OLLAMA_VULKAN"], "1");
  EXPECT_EQ(facts.user.at(0).value, "ollama");
  ASSERT_EQ(facts.restrictions.size(), 1u);
  EXPECT_EQ(facts.restrictions[0].value.kept, Kept::kAll);
}

TEST(Settings, AVariableThatIsNotOfGpuSoftwareIsNoFact) {
  EXPECT_TRUE(Of("CUDA_HOME=/usr/local/cuda\nSECRET=1\nHF_TOKEN=x\n").variables.size() == 1);
}

std::map<std::string, std::string> VariablesOf(const Facts& facts) {
  std::map<std::string, std::string> values;
  for (const auto& told : facts.variables) values[told.value.first] = told.value.second;
  return values;
}

// systemd.exec(5): quotes around an assignment may hold blanks.
TEST(Settings, AssignmentsAreReadOneAfterAnother) {
  const auto unit =
      VariablesOf(Of("Environment=\"LD_LIBRARY_PATH=/opt/a b\" CUDA_VISIBLE_DEVICES=7\n"));
  EXPECT_EQ(unit.at("LD_LIBRARY_PATH"), "/opt/a b");
  EXPECT_EQ(unit.at("CUDA_VISIBLE_DEVICES"), "7");
  // Dockerfile reference, ENV: several in a line, lines that go on, and the form with a blank.
  const auto image = VariablesOf(
      Of("ENV NVIDIA_VISIBLE_DEVICES=all \\\n    NVIDIA_DRIVER_CAPABILITIES=utility,compute\n"
         "ENV LD_LIBRARY_PATH /usr/local/cuda/lib64:$LD_LIBRARY_PATH\n"
         "ENV CUDA_VISIBLE_DEVICES=0 OLLAMA_DEBUG=1\n"));
  EXPECT_EQ(image.at("NVIDIA_VISIBLE_DEVICES"), "all");
  EXPECT_EQ(image.at("NVIDIA_DRIVER_CAPABILITIES"), "utility,compute");
  EXPECT_EQ(image.at("LD_LIBRARY_PATH"), "/usr/local/cuda/lib64");
  EXPECT_EQ(image.at("CUDA_VISIBLE_DEVICES"), "0");
  EXPECT_EQ(image.at("OLLAMA_DEBUG"), "1");
}

// systemd.exec(5), systemd.resource-control(5); Docker Engine API, HostConfig; the container
// toolkit's page on NVIDIA_DRIVER_CAPABILITIES.
TEST(Settings, WhatAUnitOrAContainerKeepsIsAFact) {
  const auto kept = [](const std::string& text) {
    std::vector<Kept> all;
    for (const auto& told : Of("User=ollama\n" + text).restrictions) all.push_back(told.value.kept);
    return all;
  };
  using testing::ElementsAre;
  EXPECT_THAT(kept("PrivateDevices=yes\n"), ElementsAre(Kept::kNodes));
  EXPECT_THAT(kept("PrivateDevices=no\nDevicePolicy=auto\n"), testing::IsEmpty());
  EXPECT_THAT(kept("DevicePolicy=closed\n"), ElementsAre(Kept::kOpening));
  EXPECT_THAT(kept("DevicePolicy=closed\nDeviceAllow=char-nvidia-frontend rw\n"),
              testing::IsEmpty());
  EXPECT_THAT(kept("\"Runtime\": \"runc\",\n\"DeviceRequests\": null,\n"), ElementsAre(Kept::kAll));
  EXPECT_THAT(kept("\"Runtime\": \"nvidia\",\n\"DeviceRequests\": null,\n"), testing::IsEmpty());
  EXPECT_THAT(kept("\"DeviceRequests\": [\n{\"Driver\": \"nvidia\", \"Count\": -1,\n"),
              testing::IsEmpty());
  EXPECT_THAT(kept("NVIDIA_DRIVER_CAPABILITIES=utility\n"), ElementsAre(Kept::kDriver));
  EXPECT_THAT(kept("NVIDIA_DRIVER_CAPABILITIES=all\n"), testing::IsEmpty());
}

TEST(Settings, AFileOfVariablesIsAskedFor) {
  for (const char* line : {"EnvironmentFile=-/etc/default/ollama\n",
                           "EnvironmentFiles=/etc/default/ollama (ignore_errors=yes)\n"}) {
    const Facts facts = Of(line);
    ASSERT_EQ(facts.unread.size(), 1u);
    EXPECT_EQ(facts.unread[0].value, "/etc/default/ollama");
  }
}

// As objdump of Debian's binutils 2.40 prints it, of a library of ggml's.
TEST(Libraries, TheDynamicSectionOfObjdumpIsReadToo) {
  const Facts facts =
      Of("$ objdump -p /usr/local/lib/ollama/cuda_v12/libggml-cuda.so\n"
         "Dynamic Section:\n"
         "  NEEDED               libggml-base.so\n"
         "  NEEDED               libcudart.so.12\n"
         "  RUNPATH              $ORIGIN:\n"
         "  INIT                 0x000000000001d000\n");
  ASSERT_EQ(facts.dynamics.size(), 1u);
  EXPECT_EQ(facts.dynamics[0].value.path, "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(facts.dynamics[0].value.elf.needed,
            (std::vector<std::string>{"libggml-base.so", "libcudart.so.12"}));
  EXPECT_EQ(facts.dynamics[0].value.elf.runpath, "$ORIGIN:");
}

TEST(Devices, OfLspciAreThoseOfNvidia) {
  const Facts facts = Of(
      "00:02.0 VGA compatible controller [0300]: Intel Corporation Device [8086:591b] (rev 04)\n"
      "01:00.0 3D controller [0302]: NVIDIA Corporation GP107M [GeForce GTX 1050 Mobile] "
      "[10de:1c8d] (rev a1)\n"
      "02:00.0 VGA compatible controller: NVIDIA Corporation GA102 [GeForce RTX 3090] (rev a1)\n");
  ASSERT_EQ(facts.devices.size(), 2u);
  EXPECT_EQ(facts.devices[0].value.name, "GeForce GTX 1050 Mobile");
  EXPECT_EQ(facts.devices[1].value.name, "GeForce RTX 3090");
}

TEST(Texts, MarksThatAMailEscapedAreRead) {
  const Facts facts =
      Of("<nvidia_smi_log&gt;\n&nbsp; &nbsp; <driver_version&gt;591.74</driver_version&gt;\n");
  ASSERT_EQ(facts.kernel_version.size(), 1u);
  EXPECT_EQ(facts.kernel_version[0].value, "591.74");
}

TEST(Calls, OfStraceSayWhatIsThereAndWhatIsNot) {
  const Facts facts =
      Of("openat(AT_FDCWD, \"/usr/lib/libcuda.so.1\", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such "
         "file or "
         "directory)\n"
         "openat(AT_FDCWD, \"/lib64/libcuda.so.1\", O_RDONLY|O_CLOEXEC) = 3\n"
         "openat(AT_FDCWD, \"/dev/nvidiactl\", O_RDWR) = -1 EACCES (Permission denied)\n");
  ASSERT_EQ(facts.absent.size(), 2u);
  EXPECT_TRUE(facts.absent[1].value.denied);
  ASSERT_EQ(facts.files.size(), 1u);
  EXPECT_EQ(facts.files[0].value.facts.path, "/lib64/libcuda.so.1");
}

}  // namespace
}  // namespace gpustage::pasted
