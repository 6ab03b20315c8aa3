#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::SizeIs;

constexpr uint64_t kGiB = uint64_t{1} << 30;

class MachineTest : public testing::Test {
 protected:
  Machine Read(std::string_view machine) {
    const auto cases =
        files_.Load("claim: c\nlayout: [driver]\nmachine: " + std::string(machine) + "\n");
    EXPECT_THAT(cases, IsOkAnd(SizeIs(1)));
    return cases ? cases->front().machine : Machine{};
  }
  GpuDevice Device(std::string_view device) {
    const Machine machine = Read("{devices: [" + std::string(device) + "]}");
    EXPECT_THAT(machine.devices, SizeIs(1));
    return machine.devices.empty() ? GpuDevice{} : machine.devices.front();
  }
  FaultSpec Fault(std::string_view fault) {
    Machine machine = Read("{faults: [{function: cuInit, " + std::string(fault) + "}]}");
    EXPECT_THAT(machine.faults, SizeIs(1));
    if (machine.faults.empty()) return {};
    machine.faults.front().pos = {};
    return machine.faults.front();
  }

  ScenarioFiles files_;
};

TEST_F(MachineTest, ReadsVersions) {
  const Machine machine = Read("{driver: 535.183.01, cuda: 12.10, props_layout: naive}");
  EXPECT_EQ(machine.driver, "535.183.01");
  EXPECT_EQ(machine.cuda_version, 12100);
  EXPECT_EQ(machine.props_layout, PropsLayout::kNaive);
}

TEST_F(MachineTest, TakesADeviceFromItsProfile) {
  const GpuDevice device = Device("h100");
  EXPECT_EQ(device.profile, "h100");
  EXPECT_EQ(device.name, "NVIDIA H100");
  EXPECT_EQ(device.cc, (ComputeCapability{9, 0}));
  EXPECT_EQ(device.memory_total, 80 * kGiB);
  EXPECT_EQ(device.memory_free, 79 * kGiB);
  EXPECT_EQ(device.nvml_memory_total, 81 * kGiB);
  EXPECT_EQ(device.attributes.at(1), 1024);
}

TEST_F(MachineTest, GivesDevicesAnIdentityByOrdinal) {
  const Machine machine = Read("{devices: [h100, {profile: h100, count: 2}]}");
  ASSERT_THAT(machine.devices, SizeIs(3));
  EXPECT_EQ(UuidText(machine.devices[0].uuid), "GPU-00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(UuidText(machine.devices[2].uuid), "GPU-00000000-0000-4000-8000-000000000002");
  EXPECT_EQ(machine.devices[0].pci, "0000:01:00.0");
  EXPECT_EQ(machine.devices[2].pci, "0000:03:00.0");
}

TEST_F(MachineTest, TakesAGivenIdentityAsItIs) {
  const GpuDevice device =
      Device("{profile: h100, uuid: GPU-00112233-4455-6677-8899-AABBCCDDEEFF, pci: no:address}");
  EXPECT_EQ(UuidText(device.uuid), "GPU-00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(device.pci, "no:address");
}

TEST_F(MachineTest, TakesADeviceWrittenOut) {
  const GpuDevice device = Device(
      "{name: X, cc: 8.7, prop_cc: 8.6, memory_total: 8 GiB, sm_count: 16, integrated: true}");
  EXPECT_EQ(device.profile, "");
  EXPECT_EQ(device.name, "X");
  EXPECT_EQ(device.cc, (ComputeCapability{8, 7}));
  EXPECT_EQ(device.prop_cc, (ComputeCapability{8, 6}));
  EXPECT_EQ(device.memory_free, 8 * kGiB);
  EXPECT_TRUE(device.integrated);
}

// CUdevice_attribute of cuda.h: 16 multiprocessors, 18 integrated, 33 34 50 PCI bus, device and
// domain, 75 76 capability.
TEST_F(MachineTest, KeepsAttributesInStepWithTheFieldsTheyRepeat) {
  const GpuDevice device =
      Device("{profile: h100, cc: 7.5, sm_count: 40, integrated: true, pci: \"0001:0a:1f.0\"}");
  EXPECT_EQ(device.attributes.at(75), 7);
  EXPECT_EQ(device.attributes.at(76), 5);
  EXPECT_EQ(device.attributes.at(16), 40);
  EXPECT_EQ(device.attributes.at(18), 1);
  EXPECT_EQ(device.attributes.at(50), 1);
  EXPECT_EQ(device.attributes.at(33), 10);
  EXPECT_EQ(device.attributes.at(34), 31);
}

TEST_F(MachineTest, LetsAnAttributeDisagreeWhenItIsWrittenOut) {
  const GpuDevice device = Device("{profile: h100, attributes: {75: 8, 40: 2}}");
  EXPECT_EQ(device.cc, (ComputeCapability{9, 0}));
  EXPECT_EQ(device.attributes.at(75), 8);
  EXPECT_EQ(device.attributes.at(40), 2);
}

TEST_F(MachineTest, ForgetsTheMemoryOfAProfileWhenTotalIsGiven) {
  const GpuDevice device = Device("{profile: h100, memory_total: 10 GiB}");
  EXPECT_EQ(device.memory_total, 10 * kGiB);
  EXPECT_EQ(device.memory_free, 10 * kGiB);
  EXPECT_EQ(device.nvml_memory_total, 0u);
}

TEST_F(MachineTest, ReadsWhatAFaultDoes) {
  EXPECT_EQ(Fault("return: 999, sticky: true").kind, FaultKind::kReturn);
  EXPECT_EQ(Fault("return: 999, sticky: true").code, 999);
  EXPECT_TRUE(Fault("return: 999, sticky: true").sticky);
  EXPECT_EQ(Fault("exit: 3").kind, FaultKind::kExit);
  EXPECT_EQ(Fault("exit: 3").code, 3);
  EXPECT_EQ(Fault("hang: true").kind, FaultKind::kHang);
  EXPECT_EQ(Fault("delay_ms: 50").kind, FaultKind::kDelay);
  EXPECT_EQ(Fault("delay_ms: 50").milliseconds, 50);
  EXPECT_EQ(Fault("crash: true").kind, FaultKind::kSegfault);
  EXPECT_EQ(Fault("abort: true").kind, FaultKind::kAbort);
}

TEST_F(MachineTest, ReadsWhenAFaultApplies) {
  const FaultSpec always = Fault("hang: true");
  EXPECT_EQ(always.first_call, 1);
  EXPECT_EQ(always.last_call, std::nullopt);
  EXPECT_EQ(always.device, std::nullopt);
  const FaultSpec once = Fault("hang: true, call: 3, device: 1, process: runner");
  EXPECT_EQ(once.first_call, 3);
  EXPECT_EQ(once.last_call, 3);
  EXPECT_EQ(once.device, 1);
  EXPECT_EQ(once.process_has, "runner");
  const FaultSpec span = Fault("hang: true, from_call: 2, to_call: 4");
  EXPECT_EQ(span.first_call, 2);
  EXPECT_EQ(span.last_call, 4);
}

// ---- The device files of the repository

TEST(DeviceFiles, AreAllReadAndTheirAttributesAgreeWithTheirFields) {
  ScenarioFiles files;
  files.catalog().devices = GPUSTAGE_SOURCE_DIR "/fixtures/devices";
  const std::vector<std::string> names = NamesIn(files.catalog().devices, ".yaml");
  ASSERT_GE(names.size(), 6u);
  for (const std::string& name : names) {
    const auto cases =
        files.Load("claim: c\nlayout: [driver]\nmachine: {devices: [" + name + "]}\n");
    ASSERT_THAT(cases, IsOkAnd(SizeIs(1))) << name;
    const auto raw = ReadYamlFile(files.catalog().devices + "/" + name + ".yaml");
    ASSERT_THAT(raw, IsOk());
    const YamlNode* attributes = raw->Find("attributes");
    ASSERT_NE(attributes, nullptr) << name;
    const GpuDevice& device = cases->front().machine.devices.front();
    EXPECT_EQ(attributes->Find("75")->text, std::to_string(device.cc.major)) << name;
    EXPECT_EQ(attributes->Find("76")->text, std::to_string(device.cc.minor)) << name;
    EXPECT_EQ(attributes->Find("16")->text, std::to_string(device.sm_count)) << name;
    EXPECT_EQ(attributes->Find("18")->text, device.integrated ? "1" : "0") << name;
  }
}

// Figures of the recordings: cuDeviceTotalMem, cuMemGetInfo, nvmlDeviceGetMemoryInfo,
// cuDeviceGetAttribute.
TEST(DeviceFiles, HoldWhatWasRecordedOfTheH100) {
  ScenarioFiles files;
  files.catalog().devices = GPUSTAGE_SOURCE_DIR "/fixtures/devices";
  const auto cases = files.Load("claim: c\nlayout: [driver]\nmachine: {devices: [h100-80gb]}\n");
  ASSERT_THAT(cases, IsOkAnd(SizeIs(1)));
  const GpuDevice& device = cases->front().machine.devices.front();
  EXPECT_EQ(device.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(device.memory_total, 85017493504u);
  EXPECT_EQ(device.memory_free, 84465090560u);
  EXPECT_EQ(device.nvml_memory_total, 85520809984u);
  EXPECT_EQ(device.attributes.at(97), 232448);
  EXPECT_THAT(device.attributes, SizeIs(147));  // 1 to 147 were answered
}

}  // namespace
}  // namespace gpustage
