// The rules of filterOverlapByLibrary and of the pairwise comparison in Ollama v0.17.4,
// discover/runner.go.
#include "fakes/scanner/filters.h"

#include <gmock/gmock.h>

namespace gpustage::ollama {
namespace {

using ::testing::ElementsAre;

const Log kQuiet(kError + 1);

std::vector<bool> Marked(const Supported& supported, size_t devices) {
  std::vector<bool> needs_delete(devices);
  FilterOverlapByLibrary(supported, needs_delete, kQuiet);
  return needs_delete;
}

TEST(FilterOverlapByLibrary, KeepsTheHighestNameWhenAllSeeTheSameDevices) {
  EXPECT_THAT(
      Marked({{"CUDA", {{"/l/cuda_v12", {{"GPU-1", 0}}}, {"/l/cuda_v13", {{"GPU-1", 1}}}}}}, 2),
      ElementsAre(true, false));
}

TEST(FilterOverlapByLibrary, KeepsTheLowestNameWhenTheHighestMissesOne) {
  EXPECT_THAT(
      Marked({{"CUDA",
               {{"/l/cuda_v12", {{"GPU-1", 0}, {"GPU-2", 1}}}, {"/l/cuda_v13", {{"GPU-1", 2}}}}}},
             3),
      ElementsAre(false, false, true));
}

// cuda_v12 sees as much as cuda_v11 and is newer, but it does not agree with cuda_v13.
TEST(FilterOverlapByLibrary, KeepsTheLowestNameThoughAHigherSeesAsMuch) {
  EXPECT_THAT(Marked({{"CUDA",
                       {{"/l/cuda_v11", {{"GPU-1", 0}, {"GPU-2", 1}}},
                        {"/l/cuda_v12", {{"GPU-1", 2}, {"GPU-2", 3}}},
                        {"/l/cuda_v13", {{"GPU-1", 4}}}}}},
                     5),
              ElementsAre(false, false, true, true, true));
}

TEST(FilterOverlapByLibrary, LeavesADeviceThatOnlyAnotherDirectorySees) {
  EXPECT_THAT(
      Marked({{"CUDA", {{"/l/cuda_v12", {{"GPU-1", 0}}}, {"/l/cuda_v13", {{"GPU-2", 1}}}}}}, 2),
      ElementsAre(false, false));
}

DeviceInfo Device(const std::string& id, const std::string& library, const std::string& pci_id) {
  DeviceInfo device;
  device.id = id;
  device.library = library;
  device.pci_id = pci_id;
  device.library_path = {"/l"};
  return device;
}

std::vector<std::string> LibrariesLeft(std::vector<DeviceInfo> devices) {
  DropDuplicates(devices, kQuiet);
  std::vector<std::string> libraries;
  for (const DeviceInfo& device : devices) libraries.push_back(device.library);
  return libraries;
}

TEST(DropDuplicates, PrefersCudaToVulkanOnOnePciAddress) {
  EXPECT_THAT(LibrariesLeft(
                  {Device("0", "Vulkan", "0000:01:00.0"), Device("GPU-1", "CUDA", "0000:01:00.0")}),
              ElementsAre("CUDA"));
  EXPECT_THAT(LibrariesLeft(
                  {Device("GPU-1", "CUDA", "0000:01:00.0"), Device("0", "Vulkan", "0000:01:00.0")}),
              ElementsAre("CUDA"));
}

TEST(DropDuplicates, ComparesIdAndLibraryWithoutAPciAddress) {
  EXPECT_THAT(LibrariesLeft({Device("GPU-1", "CUDA", ""), Device("GPU-2", "CUDA", ""),
                             Device("GPU-1", "CUDA", "")}),
              ElementsAre("CUDA", "CUDA"));
}

TEST(DeleteMarked, GivesNumericIdsTheirNewNumbers) {
  std::vector<DeviceInfo> devices = {Device("0", "Vulkan", "a"), Device("1", "Vulkan", "b")};
  DeleteMarked(devices, {true, false}, kQuiet);
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].id, "0");
  EXPECT_EQ(devices[0].filter_id, "1");
}

}  // namespace
}  // namespace gpustage::ollama
