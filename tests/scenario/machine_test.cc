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
  FaultSpec Fault(const std::string& fault, const std::string& function = "cuInit") {
    Machine machine = Read("{faults: [{function: " + function + ", " + fault + "}]}");
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

// CUDA Toolkit release notes, "CUDA Toolkit and corresponding driver versions".
TEST_F(MachineTest, KnowsTheCudaOfADriversBranch) {
  for (const auto& [driver, cuda] : {std::pair{"470.256.02", 11040},
                                     {"535.183.01", 12020},
                                     {"550.90.07", 12040},
                                     {"570.133.20", 12080},
                                     {"580.159.04", 13000},
                                     {"590.44.01", 13010},
                                     {"418.74", 10010}})
    EXPECT_EQ(Read(std::string("{driver: \"") + driver + "\"}").cuda_version, cuda) << driver;
  EXPECT_EQ(Read("{driver: 470.256.02, cuda: \"11.8\"}").cuda_version, 11080);
}

TEST_F(MachineTest, HasABoardInMigModeThatIsNotCut) {
  const Machine machine = Read("{devices: [h100, {profile: h100, mig: enabled}, h100]}");
  ASSERT_THAT(machine.devices, SizeIs(2));
  ASSERT_THAT(machine.boards, SizeIs(1));
  EXPECT_EQ(machine.boards[0].pci, "0000:02:00.0");
  EXPECT_EQ(machine.devices[1].pci, "0000:03:00.0");
}

TEST_F(MachineTest, MayHaveNoMemoryInNvml) {
  EXPECT_TRUE(Device("{profile: h100, nvml_memory_total: none}").no_nvml_memory);
  EXPECT_FALSE(Device("{profile: h100, nvml_memory_total: 1 GiB}").no_nvml_memory);
}

TEST_F(MachineTest, HasNodesThatFail) {
  const Machine machine = Read(
      "{devices: [h100], nodes: real, faults: [{node: /dev/nvidia0, errno: EIO, call: 2}, "
      "{node: /dev/nvidiactl, errno: 24, from_ms: 500}]}");
  EXPECT_TRUE(machine.real_nodes);
  ASSERT_THAT(machine.faults, SizeIs(2));
  EXPECT_EQ(machine.faults[0].kind, FaultKind::kErrno);
  EXPECT_EQ(machine.faults[0].function, "/dev/nvidia0");
  EXPECT_EQ(machine.faults[0].code, 5);
  EXPECT_EQ(machine.faults[0].first_call, 2);
  EXPECT_EQ(machine.faults[1].code, 24);
  EXPECT_EQ(machine.faults[1].from_ms, 500);
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

TEST_F(MachineTest, TakesWhatADeviceLacksFromItsComputeCapability) {
  files_.catalog().capabilities = files_.Path("capabilities.yaml");
  files_.Write("capabilities.yaml",
               "rules:\n"
               "- {from: 5.0, source: s, attributes: {1: 10, 2: 20, 3: 30, 4: 40}}\n"
               "- {for: 8.6, source: s, attributes: {2: 21}}\n"
               "- {from: 8.0, source: s, attributes: {3: 31}}\n"
               "- {from: 9.0, source: s, attributes: {4: 41}}\n"
               "assumed: {attributes: {4: 49, 5: 50, 6: 60}}\n");
  const GpuDevice device =
      Device("{name: X, cc: 8.6, memory_total: 8 GiB, sm_count: 16, attributes: {1: 11, 6: 61}}");
  EXPECT_EQ(device.attributes.at(1), 11);
  EXPECT_EQ(device.attributes.at(2), 21);
  EXPECT_EQ(device.attributes.at(3), 31);
  EXPECT_EQ(device.attributes.at(4), 40);
  EXPECT_EQ(device.attributes.at(5), 50);
  EXPECT_THAT(device.assumed.attributes, testing::ElementsAre(5));
}

TEST_F(MachineTest, AddsNothingToADeviceThatWasRecordedWhole) {
  files_.catalog().capabilities = files_.Path("capabilities.yaml");
  files_.Write("capabilities.yaml",
               "rules: [{from: 5.0, source: s, attributes: {99: 1}}]\n"
               "assumed: {attributes: {98: 1}}\n");
  files_.Write("devices/whole.yaml",
               "device: whole\nname: W\ncompute_capability: 9.0\nmemory_total: 1 GiB\n"
               "recorded: true\nsource: {figures: f}\nattributes: {1: 1024}\n");
  const GpuDevice device = Device("whole");
  EXPECT_EQ(device.attributes.count(99) + device.attributes.count(98), 0u);
  EXPECT_THAT(device.assumed.attributes, testing::IsEmpty());
}

TEST_F(MachineTest, PutsSlicesOfOneKindOnOneBoard) {
  files_.Write("devices/h100-1g.yaml",
               "device: h100-1g\nname: NVIDIA H100 MIG 1g.10gb\ncompute_capability: 9.0\n"
               "memory_total: 9984 MiB\nsm_count: 16\nmig: {parent: h100, profile: 1g.10gb}\n"
               "source: {figures: f}\n");
  const Machine machine = Read(
      "{devices: [h100, {profile: h100-1g, count: 2}, {profile: h100-1g, pci: \"0000:77:00.0\"}]}");
  ASSERT_THAT(machine.devices, SizeIs(4));
  ASSERT_THAT(machine.boards, SizeIs(2));
  EXPECT_EQ(machine.boards[0].name, "NVIDIA H100");
  EXPECT_TRUE(machine.boards[0].mig_enabled);
  EXPECT_EQ(machine.boards[0].pci, "0000:02:00.0");
  EXPECT_EQ(machine.devices[1].pci, "0000:02:00.0");
  EXPECT_EQ(machine.devices[2].pci, "0000:02:00.0");
  EXPECT_EQ(machine.devices[3].pci, machine.boards[1].pci);
  EXPECT_EQ(UuidText(machine.devices[2]), "MIG-00000000-0000-4000-8000-000000000002");
  EXPECT_EQ(UuidText(machine.boards[0]), "GPU-00000000-0000-4000-8001-000000000001");
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
  const FaultSpec once = Fault("hang: true, call: 3, device: 1, process: runner", "cuDeviceGet");
  EXPECT_EQ(once.first_call, 3);
  EXPECT_EQ(once.last_call, 3);
  EXPECT_EQ(once.device, 1);
  EXPECT_EQ(once.process_has, "runner");
  const FaultSpec span = Fault("hang: true, from_call: 2, to_call: 4");
  EXPECT_EQ(span.first_call, 2);
  EXPECT_EQ(span.last_call, 4);
}

}  // namespace
}  // namespace gpustage
