// A driver's answers as files of fixtures/devices. The figures are those of a real H200
// (fixtures/devices/h200-141gb.yaml).
#include "harness/capture/device_file.h"

#include <gmock/gmock.h>

#include "harness/base/files.h"
#include "harness/scenario/read/readers.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

constexpr char kProbe[] =
    "driver 13000\ncuInit 0\ncuDeviceGetCount 0\ncount 2\n"
    "device 0\nname NVIDIA H200\nuuid 5b1d2c3e1a2b3c4d5e6f708192a3b4c5\n"
    "memory_total 150109880320\npci 0000:A1:00.0\nattribute.1 1024\nattribute.16 132\n"
    "attribute.18 0\nattribute.33 161\nattribute.75 9\nattribute.76 0\nattribute.139 590680286\n"
    "device 1\nname NVIDIA H200\nmemory_total 150109880320\nattribute.75 9\nattribute.76 0\n";

TEST(DeviceFile, IsReadAsADevice) {
  const auto files = capture::DeviceFiles(kProbe);
  ASSERT_EQ(files.size(), 1u);
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string path = scratch.path() + "/" + files[0].profile + ".yaml";
  ASSERT_THAT(WriteFile(path, files[0].text), IsOk());
  const auto device = ReadDeviceFile(path);
  ASSERT_THAT(device, IsOk()) << files[0].text;
  EXPECT_EQ(device->name, "NVIDIA H200");
  EXPECT_EQ(device->memory_total, uint64_t{150109880320});
  EXPECT_EQ(device->sm_count, 132);
}

TEST(DeviceFile, HasNothingOfTheBoard) {
  const std::string text = capture::DeviceFiles(kProbe).at(0).text;
  for (const char* own : {"5b1d2c3e", "A1:00", "161", "uuid"})
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(own)));
  EXPECT_TRUE(capture::DeviceFiles("cuInit 100\n").empty());
}

}  // namespace
}  // namespace gpustage
