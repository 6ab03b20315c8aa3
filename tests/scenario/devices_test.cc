// fixtures/devices and fixtures/compute-capabilities.yaml as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/catalog/capabilities.h"
#include "tests/support/scenario_files.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

constexpr uint64_t kGiB = 1ull << 30;

class Devices : public testing::Test {
 protected:
  Devices() {
    files_.catalog().devices = InSources("/fixtures/devices");
    files_.catalog().capabilities = InSources("/fixtures/compute-capabilities.yaml");
    for (const std::string& name : NamesIn(files_.catalog().devices, ".yaml")) {
      const YamlNode raw = Raw(name);
      const YamlNode* id = raw.Find("pci_id");
      const bool other = id != nullptr && id->text != "none" && !id->text.starts_with("10de:");
      (other ? others_ : names_).push_back(name);
    }
  }

  GpuDevice Read(const std::string& name) {
    const auto cases =
        files_.Load("claim: c\nlayout: [driver]\nmachine: {devices: [" + name + "]}\n");
    if (!cases) ADD_FAILURE() << name << ": " << cases.error().message;
    return cases ? cases->front().machine.devices.front() : GpuDevice();
  }
  YamlNode Raw(const std::string& name) {
    const auto raw = ReadYamlFile(files_.catalog().devices + "/" + name + ".yaml");
    EXPECT_TRUE(raw.ok()) << name;
    return raw ? *raw : YamlNode();
  }

  ScenarioFiles files_;
  std::vector<std::string> names_;
  std::vector<std::string> others_;  // that are not NVIDIA's
};

TEST_F(Devices, AreOfEveryKind) {
  EXPECT_GE(names_.size(), 24u);
  std::set<ComputeCapability> capabilities;
  size_t slices = 0, integrated = 0;
  for (const std::string& name : names_) {
    const GpuDevice device = Read(name);
    capabilities.insert(device.cc);
    slices += device.mig_parent.empty() ? 0 : 1;
    integrated += device.integrated ? 1 : 0;
  }
  for (const ComputeCapability cc : {ComputeCapability{5, 0},
                                     {5, 2},
                                     {6, 0},
                                     {6, 1},
                                     {7, 0},
                                     {7, 5},
                                     {8, 0},
                                     {8, 6},
                                     {8, 7},
                                     {8, 9},
                                     {9, 0},
                                     {10, 0},
                                     {10, 3},
                                     {11, 0},
                                     {12, 0},
                                     {12, 1}})
    EXPECT_THAT(capabilities, Contains(cc)) << cc.major << '.' << cc.minor;
  EXPECT_GE(slices, 2u);
  EXPECT_GE(integrated, 4u);
}

TEST_F(Devices, AreCompleteAndCiteTheirFigures) {
  for (const std::string& name : names_) {
    SCOPED_TRACE(name);
    const YamlNode raw = Raw(name);
    const GpuDevice device = Read(name);
    EXPECT_EQ(device.profile, name);
    EXPECT_GT(device.sm_count, 0);
    const YamlNode* source = raw.Find("source");
    ASSERT_NE(source, nullptr);
    ASSERT_NE(source->Find("figures"), nullptr);
    EXPECT_GT(source->Find("figures")->text.size(), 20u);
    if (!device.mig_parent.empty()) continue;
    ASSERT_NE(raw.Find("pci_id"), nullptr);
    EXPECT_THAT(raw.Find("pci_id")->text, MatchesRegex("10de:[0-9a-f]{4}|none"));
    ASSERT_NE(source->Find("pci_id"), nullptr);
    EXPECT_EQ(source->Find("pci_id")->text.find("pci.ids") == std::string::npos,
              device.pci_id.empty());
    EXPECT_TRUE(device.integrated || !device.pci_id.empty());
  }
}

TEST_F(Devices, OfOtherVendorsAreNoneOfCudas) {
  EXPECT_GE(others_.size(), 5u);
  for (const std::string& name : others_) {
    SCOPED_TRACE(name);
    const auto cases = files_.Load("claim: c\nlayout: [driver]\nmachine: {devices: [" + name +
                                   ", h100-80gb, " + name + "]}\n");
    ASSERT_TRUE(cases.ok()) << cases.error().message;
    const Machine& machine = cases->front().machine;
    ASSERT_THAT(machine.devices, SizeIs(1));
    ASSERT_THAT(machine.others, SizeIs(2));
    EXPECT_EQ(machine.others[0].pci, "0000:01:00.0");
    EXPECT_EQ(machine.devices[0].pci, "0000:02:00.0");
    EXPECT_EQ(machine.others[1].pci, "0000:03:00.0");
    const YamlNode raw = Raw(name);
    ASSERT_NE(raw.Find("source"), nullptr);
    EXPECT_NE(raw.Find("source")->Find("figures"), nullptr);
  }
}

// CUdevice_attribute of cuda.h: 16 multiprocessors, 18 integrated, 75 76 capability.
TEST_F(Devices, HaveAttributesThatAgreeWithTheirFields) {
  for (const std::string& name : names_) {
    SCOPED_TRACE(name);
    const GpuDevice device = Read(name);
    EXPECT_EQ(device.attributes.at(75), device.cc.major);
    EXPECT_EQ(device.attributes.at(76), device.cc.minor);
    EXPECT_EQ(device.attributes.at(16), device.sm_count);
    EXPECT_EQ(device.attributes.at(18), device.integrated ? 1 : 0);
    for (int number = 1; number <= 147; ++number)
      EXPECT_EQ(device.attributes.count(number), 1u) << number;
    const YamlNode raw = Raw(name);
    if (const YamlNode* attributes = raw.Find("attributes"); attributes != nullptr)
      for (const auto& [number, field] : {std::pair{"75", 75}, {"76", 76}, {"16", 16}, {"18", 18}})
        if (const YamlNode* given = attributes->Find(number); given != nullptr) {
          EXPECT_EQ(given->text, std::to_string(device.attributes.at(field)));
        }
  }
}

// The ends of what NVIDIA has sold: a Tegra X1 has one multiprocessor and 4 GB, a GB300 288 GB; no
// die has more than 192 multiprocessors. A Jetson's memory is its machine's.
TEST_F(Devices, ArePlausible) {
  for (const std::string& name : names_) {
    SCOPED_TRACE(name);
    const GpuDevice device = Read(name);
    EXPECT_LE(device.sm_count, 192);
    EXPECT_GE(device.memory_total, 19 * kGiB / 10);
    EXPECT_LE(device.memory_total, 288 * kGiB);
    EXPECT_LE(device.memory_free, device.memory_total);
    if (device.nvml_memory_total != 0) {
      EXPECT_GE(device.nvml_memory_total, device.memory_total);
      EXPECT_LE(device.nvml_memory_total - device.memory_total, 2 * kGiB);
    }
    EXPECT_GE(device.cc, (ComputeCapability{5, 0}));
    if (device.mig_parent.empty()) continue;
    const GpuDevice parent = Read(device.mig_parent);
    EXPECT_EQ(device.cc, parent.cc);
    EXPECT_LT(device.sm_count, parent.sm_count);
    EXPECT_LT(device.memory_total, parent.memory_total);
    EXPECT_TRUE(device.name.starts_with(parent.name + " MIG "));
  }
}

// A slice is some eighths of its board's memory and some sevenths of its multiprocessors: NVIDIA's
// MIG User Guide, supported profiles. What the driver keeps of either makes them smaller, never
// larger by more than an eighth.
TEST_F(Devices, CutSlicesAsTheGuideSays) {
  for (const std::string& name : names_) {
    const GpuDevice slice = Read(name);
    if (slice.mig_parent.empty()) continue;
    const GpuDevice board = Read(slice.mig_parent);
    const int sevenths = slice.name.at(slice.name.find(" MIG ") + 5) - '0';
    const uint64_t eighths = sevenths == 1 ? 1 : 4;
    EXPECT_NEAR(static_cast<double>(slice.memory_total),
                static_cast<double>(board.memory_total * eighths / 8),
                static_cast<double>(board.memory_total) / 64)
        << name;
    EXPECT_NEAR(slice.sm_count, board.sm_count * sevenths / 7.0, board.sm_count / 14.0) << name;
  }
}

// Where a recording or a published output gives a figure that the table has too, they are the same.
TEST_F(Devices, GiveTheTableNoLie) {
  const auto capabilities = ReadCapabilitiesFile(files_.catalog().capabilities);
  ASSERT_THAT(capabilities, IsOk());
  for (const std::string name :
       {"h100-80gb", "h200-141gb", "a100-80gb", "rtx-3060", "rtx-4090", "jetson-orin"}) {
    const YamlNode raw = Raw(name);
    GpuDevice bare;
    bare.cc = Read(name).cc;
    FillAttributes(*capabilities, bare);
    int compared = 0;
    for (const YamlEntry& given : raw.Find("attributes")->entries) {
      const int number = std::stoi(given.key);
      if (bare.assumed.attributes.count(number) != 0 || bare.attributes.count(number) == 0)
        continue;
      if (name == "jetson-orin" && number == 15) continue;  // its output does not say so
      EXPECT_EQ(given.value.text, std::to_string(bare.attributes.at(number)))
          << name << ' ' << number;
      ++compared;
    }
    EXPECT_GE(compared, 20) << name;
  }
}

TEST_F(Devices, KnowWhatOfThemIsAssumed) {
  EXPECT_THAT(Read("h100-80gb").assumed, Assumed());
  EXPECT_THAT(Read("h100-80gb").attributes, SizeIs(147));  // 1 to 147 were answered
  const GpuDevice rtx = Read("rtx-5090");
  EXPECT_TRUE(rtx.assumed.memory_free);
  EXPECT_FALSE(rtx.assumed.memory_total);
  EXPECT_THAT(rtx.assumed.attributes, Contains(20));       // the compute mode
  EXPECT_THAT(rtx.assumed.attributes, Not(Contains(39)));  // threads a multiprocessor: the table
  EXPECT_TRUE(Read("gb200").assumed.memory_total);
  for (const std::string& name : names_)
    EXPECT_THAT(Read(name).assumed.attributes, Not(Contains(AnyOf(16, 39, 75, 76, 81, 82, 97))))
        << name;
}

// Figures of the recordings: cuDeviceTotalMem, cuMemGetInfo, nvmlDeviceGetMemoryInfo,
// cuDeviceGetAttribute.
TEST_F(Devices, HoldWhatWasRecordedOfTheH100) {
  const GpuDevice device = Read("h100-80gb");
  EXPECT_EQ(device.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(device.memory_total, 85017493504u);
  EXPECT_EQ(device.memory_free, 84465090560u);
  EXPECT_EQ(device.nvml_memory_total, 85520809984u);
  EXPECT_EQ(device.attributes.at(97), 232448);
  EXPECT_EQ(device.attributes.at(139), 0x233010de);  // its PCI id
}

}  // namespace
}  // namespace gpustage
