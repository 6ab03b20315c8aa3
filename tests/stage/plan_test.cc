#include "harness/stage/plan.h"

#include <cstring>
#include <set>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/scenario/model/driver_branch.h"
#include "harness/stage/driver_exports.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Not;

TreeOp Fake(const std::string& path) {
  return {PlaceLibraryOp{
              path, {LibrarySource::Kind::kFake, "cuda-driver", "/host/fake.so", ""}, {}, {}},
          {}};
}

// Placed from the host unchanged.
TreeOp Real(const std::string& path) {
  return {PlaceLibraryOp{path, {LibrarySource::Kind::kReal, "ggml", "/host/real.so", ""}, {}, {}},
          {}};
}

Case WithTree(std::vector<TreeOp> tree) {
  Case c;
  c.tree = std::move(tree);
  c.runs.resize(1);
  return c;
}

TEST(PlanStage, IsTheSameEachTime) {
  const Case c = WithTree({Fake("/a.so"), {SymlinkOp{"/b.so", "a.so"}, {}}});
  const auto once = PlanStage(c, {{"/h/x", "/x"}}), again = PlanStage(c, {{"/h/x", "/x"}});
  ASSERT_THAT(once, IsOk());
  EXPECT_EQ(*once, *again);
}

TEST(PlanStage, NumbersFakesFromOneInTheOrderOfTheTree) {
  const auto plan = PlanStage(WithTree({Fake("/a.so"), Real("/b.so"), Fake("/c.so")}), {});
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->steps.size(), 3u);
  EXPECT_EQ(plan->steps[0].instance, 1u);
  EXPECT_EQ(plan->steps[1].instance, 0u);
  EXPECT_EQ(plan->steps[2].instance, 2u);
}

TEST(PlanStage, PutsEachHostFileInOnce) {
  const HostFile libc = {"/lib/libc.so.6", "/lib/libc.so.6"}, program = {"/build/x", "/bin/x"};
  const auto plan = PlanStage(WithTree({}), {libc, program, libc});
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->base, ElementsAre(program, libc));
}

TEST(PlanStage, MakesPrivateCopiesForAScannerThatIsRoot) {
  Case c = WithTree({});
  EXPECT_FALSE(PlanStage(c, {})->private_copies);
  c.runs.front().user = "0";
  EXPECT_TRUE(PlanStage(c, {})->private_copies);
  c.runs.front().user.reset();
  c.user = "root";
  EXPECT_TRUE(PlanStage(c, {})->private_copies);
}

TEST(PlanStage, PrintsALineAStep) {
  const auto plan = PlanStage(WithTree({{MakeDirOp{"/opt/x", 0711}, {}},
                                        Fake("/opt/x/libcuda.so.1"),
                                        {SymlinkOp{"/opt/y", "x"}, {}}}),
                              {{"/lib/libc.so.6", "/lib/libc.so.6"}, {"/build/scan", "/bin/scan"}});
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(ToString(*plan),
            "host     /bin/scan  from /build/scan\n"
            "host     /lib/libc.so.6\n"
            "dir /opt/x mode 0711\n"
            "library /opt/x/libcuda.so.1 fake cuda-driver  #1\n"
            "symlink /opt/y -> x\n");
}

TEST(PlanStage, WritesTheMachineAsItsWorld) {
  Case c = WithTree({});
  c.machine.cuda_version = 12080;
  c.machine.driver = "570.1";
  GpuDevice device;
  device.name = "NVIDIA H100";
  device.pci = "0000:1A:02.0";
  device.cc = {9, 0};
  device.memory_total = 80ULL << 30;
  device.attributes = {{16, 132}};
  c.machine.devices = {device, device};
  c.machine.kernel_driver = "570.2";
  c.machine.faults = {{"cuInit", 1, 2, 5, "runner", FaultKind::kExit, 3, 0, true, {}},
                      {"", 0, 1, {}, "", FaultKind::kMemoryLeft, 0, 0, false, {}, 100, 200, 4096}};
  const auto plan = PlanStage(c, {});
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->world.size(), sizeof(world::World));
  world::World made;
  std::memcpy(&made, plan->world.data(), sizeof made);
  EXPECT_STREQ(made.magic, "GPSWRLD");
  EXPECT_EQ(made.bytes, sizeof made);
  EXPECT_EQ(made.driver_cuda_version, 12080);
  EXPECT_STREQ(made.driver_version, "570.1");
  EXPECT_EQ(made.device_count, 2u);
  EXPECT_STREQ(made.devices[1].name, "NVIDIA H100");
  EXPECT_EQ(made.devices[0].pci_bus, 0x1au);
  EXPECT_EQ(made.devices[0].pci_device, 2u);
  EXPECT_EQ(made.devices[0].prop_cc_major, 9);
  EXPECT_EQ(made.devices[0].nvml_memory_total, 80ULL << 30);
  EXPECT_EQ(made.devices[0].attributes[16], 132);
  EXPECT_EQ(made.devices[0].attributes[17], world::kNoAttribute);
  EXPECT_STREQ(made.kernel_driver, "570.2");
  EXPECT_EQ(made.fault_count, 2u);
  EXPECT_EQ(made.faults[1].action, world::FaultAction::kMemoryLeft);
  EXPECT_EQ(made.faults[1].from_ms, 100u);
  EXPECT_EQ(made.faults[1].to_ms, 200u);
  EXPECT_EQ(made.faults[1].bytes, 4096u);
  EXPECT_STREQ(made.faults[0].function, "cuInit");
  EXPECT_STREQ(made.faults[0].process_has, "runner");
  EXPECT_EQ(made.faults[0].action, world::FaultAction::kExit);
  EXPECT_EQ(made.faults[0].first_call, 2u);
  EXPECT_EQ(made.faults[0].last_call, 5u);
}

std::vector<std::string> NodesOf(const Case& c) {
  const auto plan = PlanStage(c, {});
  std::vector<std::string> lines;
  if (plan)
    for (const PlanStep& step : plan->nodes) lines.push_back(ToString(step.op));
  return lines;
}

world::World WorldIn(const std::string& bytes) {
  world::World made = {};
  if (bytes.size() == sizeof made) std::memcpy(&made, bytes.data(), sizeof made);
  return made;
}

TEST(PlanStage, MakesTheNodesOfAMachineThatHasADevice) {
  Case c = WithTree({});
  EXPECT_THAT(NodesOf(c), testing::IsEmpty());
  EXPECT_STREQ(WorldIn(PlanStage(c, {})->world).device_nodes, "");
  c.machine.devices.resize(2);
  EXPECT_THAT(NodesOf(c), ElementsAre("file /dev/nvidiactl 24 bytes mode 0666",
                                      "file /dev/nvidia-uvm 25 bytes mode 0666",
                                      "file /dev/nvidia0 22 bytes mode 0666",
                                      "file /dev/nvidia1 22 bytes mode 0666"));
  EXPECT_STREQ(WorldIn(PlanStage(c, {})->world).device_nodes, "/dev");
  const auto plan = PlanStage(c, {});
  EXPECT_EQ(std::get<WriteFileOp>(plan->nodes[2].op.what).content, "gpustage node nvidia0\n");
}

TEST(PlanStage, MakesOneNodeOfABoardHoweverItIsCut) {
  Case c = WithTree({});
  c.machine.devices.resize(2);
  for (GpuDevice& slice : c.machine.devices) slice.mig_parent = "a100-80gb";
  c.machine.boards.resize(1);
  EXPECT_THAT(NodesOf(c), testing::SizeIs(3));
  c.machine.devices.clear();
  EXPECT_THAT(NodesOf(c), testing::SizeIs(3));
  EXPECT_STREQ(WorldIn(PlanStage(c, {})->world).device_nodes, "/dev");
}

// Those of the recorded machines (h200-dead-nodes-and-no-egl.txt).
TEST(PlanStage, MakesAllNodesOfAMachineWithRealOnes) {
  Case c = WithTree({});
  c.machine.devices.resize(1);
  c.machine.real_nodes = true;
  EXPECT_THAT(NodesOf(c), ElementsAre("file /dev/nvidiactl 24 bytes mode 0666",
                                      "file /dev/nvidia-uvm 25 bytes mode 0666",
                                      "file /dev/nvidia-uvm-tools 31 bytes mode 0666",
                                      "file /dev/nvidia0 22 bytes mode 0666",
                                      "file /dev/nvidia-caps/nvidia-cap1 38 bytes mode 0400",
                                      "file /dev/nvidia-caps/nvidia-cap2 38 bytes mode 0444"));
  EXPECT_TRUE(PlanStage(c, {})->real_nodes);
  EXPECT_EQ(WorldIn(PlanStage(c, {})->world).real_nodes, 1u);
}

// /proc/driver/nvidia-caps/mig-minors of a recorded H100: gpu0/gi1/access 12 and …/ci0/access 13;
// "gpu0/gi7/access" is 3 + 7 * 9, and the second GPU's begin at 3 + 15 * 9.
TEST(PlanStage, HasTheCapabilitiesOfMigSlicesWhereNodesAreReal) {
  Case c = WithTree({});
  c.machine.real_nodes = true;
  const auto slice = [](const char* pci, const char* profile) {
    GpuDevice device;
    device.name = std::string("NVIDIA H100 80GB HBM3 MIG ") + profile;
    device.mig_parent = "h100-80gb";
    device.pci = pci;
    return device;
  };
  c.machine.devices = {slice("0000:01:00.0", "3g.40gb"), slice("0000:01:00.0", "1g.10gb"),
                       slice("0000:02:00.0", "7g.80gb")};
  c.machine.boards.resize(2);
  for (size_t i = 0; i < 2; ++i) c.machine.boards[i].pci = c.machine.devices[i + 1].pci;
  std::vector<std::string> capabilities;
  for (const std::string& node : NodesOf(c))
    if (node.find("nvidia-cap") != std::string::npos) capabilities.push_back(node);
  EXPECT_THAT(capabilities, ElementsAre("file /dev/nvidia-caps/nvidia-cap1 38 bytes mode 0400",
                                        "file /dev/nvidia-caps/nvidia-cap2 38 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap12 39 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap13 39 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap66 39 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap67 39 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap138 40 bytes mode 0444",
                                        "file /dev/nvidia-caps/nvidia-cap139 40 bytes mode 0444"));
}

// An uncut board before it is a GPU, too; instances of three and of four slices are told apart.
TEST(PlanStage, NumbersTheCapabilitiesBehindAnUncutBoard) {
  Case c = WithTree({});
  c.machine.real_nodes = true;
  for (const char* profile : {"4g.40gb", "3g.40gb"}) {
    GpuDevice& slice = c.machine.devices.emplace_back();
    slice.name = std::string("NVIDIA H100 80GB HBM3 MIG ") + profile;
    slice.mig_parent = "h100-80gb";
    slice.pci = "0000:02:00.0";
  }
  c.machine.boards.resize(2);
  c.machine.boards[1].pci = "0000:02:00.0";
  EXPECT_THAT(NodesOf(c),
              testing::IsSupersetOf({"file /dev/nvidia-caps/nvidia-cap147 40 bytes mode 0444",
                                     "file /dev/nvidia-caps/nvidia-cap148 40 bytes mode 0444",
                                     "file /dev/nvidia-caps/nvidia-cap156 40 bytes mode 0444",
                                     "file /dev/nvidia-caps/nvidia-cap157 40 bytes mode 0444"}));
}

// cudaTypedefs.h has cuCtxCreate at 2.0, 3.2, 11.4 and 12.5, cuTensorMapEncodeTiled at 12.0; the
// release notes of the toolkit have 10.1 with driver 418, 11.4 with 470 and 12.2 with 535.
TEST(ExportsNewerThan, AreWhatADriverOfThatBranchDoesNotHave) {
  using testing::Contains;
  using testing::IsEmpty;
  using testing::Not;
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("418.74")), Contains("cuCtxCreate_v3"));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("418.74")), Not(Contains("cuCtxCreate_v2")));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("470.57.02")), Not(Contains("cuCtxCreate_v3")));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("470.57.02")), Contains("cuTensorMapEncodeTiled"));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("535.183.01")),
              Not(Contains("cuTensorMapEncodeTiled")));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("535.183.01")), Contains("cuCtxCreate_v4"));
  EXPECT_THAT(ExportsNewerThan(CudaOfDriver("580.159.04")), IsEmpty())
      << "whose names the fake has";
}

// What NVIDIA's own nvidia-ctk found in such a machine with two GPUs: each path of /dev that it
// wrote.
TEST(PlanStage, MakesTheNodesThatNvidiaCtkWrites) {
  const Result<std::string> written =
      ReadFile(InSources("/fixtures/recordings/nvidia-ctk/two-h200.cdi.yaml"));
  ASSERT_THAT(written, IsOk());
  std::set<std::string> paths;
  constexpr std::string_view kPath = "path: /dev/";
  for (size_t at = written->find(kPath); at != std::string::npos; at = written->find(kPath, at + 1))
    paths.insert(written->substr(at + 6, written->find('\n', at) - at - 6));
  EXPECT_THAT(paths, ElementsAre("/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia0",
                                 "/dev/nvidia1", "/dev/nvidiactl"));
  Case c = WithTree({});
  c.machine.devices.resize(2);
  c.machine.real_nodes = true;
  const std::vector<std::string> nodes = NodesOf(c);
  for (const std::string& path : paths)
    EXPECT_THAT(nodes, testing::Contains(testing::StartsWith("file " + path + " "))) << path;
}

// What NVIDIA's runtime leaves of a host with two GPUs.
class Container : public testing::Test {
 protected:
  Container() {
    for (const char* path : {"/usr/lib/libcuda.so.580.1", "/usr/lib/libnvidia-ml.so.580.1",
                             "/usr/lib/libGLX_nvidia.so.0", "/usr/lib/libother.so"})
      case_.tree.push_back(Fake(path));
    case_.runs.resize(1);
    case_.machine.devices.resize(2);
    case_.machine.nvidia_container = true;
  }
  // The last words of the paths.
  std::string Left(const std::vector<EnvVar>& env) {
    case_.env = env;
    const auto plan = PlanStage(case_, {});
    EXPECT_THAT(plan, IsOk());
    std::string left;
    if (!plan) return left;
    for (const auto* steps : {&plan->nodes, &plan->steps})
      for (const PlanStep& step : *steps) {
        const std::string path = std::visit([](const auto& op) { return op.path; }, step.op.what);
        left += path.substr(path.rfind('/') + 1) + " ";
      }
    return left;
  }
  Case case_;
};

TEST_F(Container, HasTheNodesOfTheDevicesThatAreVisible) {
  const std::string libraries = "libcuda.so.580.1 libnvidia-ml.so.580.1 libother.so ";
  const auto visible = [&](const std::string& devices) {
    return Left({{"NVIDIA_VISIBLE_DEVICES", devices, {}}});
  };
  EXPECT_EQ(visible("all"), "nvidiactl nvidia-uvm nvidia0 nvidia1 " + libraries);
  EXPECT_EQ(visible("1"), "nvidiactl nvidia-uvm nvidia1 " + libraries);
  EXPECT_EQ(visible("0,1"), "nvidiactl nvidia-uvm nvidia0 nvidia1 " + libraries);
  EXPECT_EQ(visible("none"), "nvidiactl nvidia-uvm " + libraries);
  EXPECT_EQ(visible("void"), "libother.so ");
  EXPECT_EQ(visible(""), "libother.so ");
  EXPECT_EQ(Left({}), "libother.so ");
}

TEST_F(Container, HasTheLibrariesOfTheCapabilities) {
  const auto able = [&](const std::string& capabilities) {
    return Left(
        {{"NVIDIA_VISIBLE_DEVICES", "none", {}}, {"NVIDIA_DRIVER_CAPABILITIES", capabilities, {}}});
  };
  const std::string nodes = "nvidiactl nvidia-uvm ";
  EXPECT_EQ(able("utility"), nodes + "libnvidia-ml.so.580.1 libother.so ");
  EXPECT_EQ(able("compute"), nodes + "libcuda.so.580.1 libother.so ");
  EXPECT_EQ(able("graphics,utility"),
            nodes + "libnvidia-ml.so.580.1 libGLX_nvidia.so.0 libother.so ");
  EXPECT_EQ(able("all"),
            nodes + "libcuda.so.580.1 libnvidia-ml.so.580.1 libGLX_nvidia.so.0 libother.so ");
}

// A library that says three devices of a machine with one is not refused by the nodes.
TEST(PlanStage, MakesANodeForEachDeviceOfAnyLibrary) {
  Case c = WithTree({Fake("/a.so")});
  c.machine.devices.resize(1);
  std::get<PlaceLibraryOp>(c.tree[0].what).machine = MachineChange{{}, {"devices"}};
  std::get<PlaceLibraryOp>(c.tree[0].what).machine->machine.devices.resize(3);
  EXPECT_THAT(NodesOf(c), testing::SizeIs(5));
}

TEST(PlanStage, GivesALibraryAWorldOfItsOwnOverTheMachine) {
  Case c = WithTree({Fake("/a.so"), Fake("/b.so")});
  c.machine.driver = "580.1";
  c.machine.cuda_version = 13000;
  c.machine.devices.resize(2);
  MachineChange change;
  change.keys = {"driver", "cuda"};
  change.machine.driver = "570.2";
  change.machine.cuda_version = 12080;
  std::get<PlaceLibraryOp>(c.tree[1].what).machine = change;
  const auto plan = PlanStage(c, {});
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->steps[0].world, "");
  const world::World own = WorldIn(plan->steps[1].world);
  EXPECT_STREQ(own.driver_version, "570.2");
  EXPECT_STREQ(own.kernel_driver, "580.1");  // there is one kernel
  EXPECT_EQ(own.driver_cuda_version, 12080);
  EXPECT_EQ(own.device_count, 2u);
}

TEST(PlanStage, RefusesAMachineThatTheWorldCannotHold) {
  Case c = WithTree({});
  c.machine.devices.resize(33);
  EXPECT_THAT(PlanStage(c, {}), FailsWith("a machine holds at most 32 devices, not 33"));
  c.machine.devices.resize(1);
  c.machine.devices[0].attributes = {{192, 1}};
  EXPECT_THAT(PlanStage(c, {}), FailsWith("there is no CUDA device attribute 192"));
  c.machine.devices[0].attributes.clear();
  c.machine.devices[0].name = std::string(256, 'x');
  EXPECT_THAT(PlanStage(c, {}),
              FailsWith("the device's name is longer than 255 bytes: " + std::string(256, 'x')));
}

TEST(EnvironmentOf, LetsTheLaterLayerWin) {
  Case c;
  RunSpec run;
  run.scanner.env = {
      {"HOME", "/usr/share/ollama"}, {"A", "scanner"}, {"B", "scanner"}, {"C", "scanner"}};
  c.env = {{"A", "case", {}}, {"B", "case", {}}, {"C", std::nullopt, {}}};
  run.env = {{"A", "run", {}}, {"LANG", std::nullopt, {}}, {"EMPTY", "", {}}};
  EXPECT_THAT(EnvironmentOf(c, run),
              ElementsAre("A=run", "B=case", "EMPTY=", "HOME=/usr/share/ollama",
                          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}

TEST(NeedOfSecondUid, IsThereWhereAModeOrAnOwnerDecides) {
  EXPECT_EQ(NeedOfSecondUid(WithTree(
                {{MakeDirOp{"/d", 0755}, {}}, {WriteFileOp{"/f", "", 0644}, {}}, Fake("/l")})),
            "");
  EXPECT_EQ(NeedOfSecondUid(WithTree({{MakeDirOp{"/d", 0711}, {}}})),
            "needs a second uid: the mode of /d decides");
  EXPECT_EQ(NeedOfSecondUid(WithTree({{WriteFileOp{"/f", "", 0600}, {}}})),
            "needs a second uid: the mode of /f decides");
  EXPECT_EQ(NeedOfSecondUid(WithTree({{ChmodOp{"/c", 0755}, {}}})),
            "needs a second uid: the mode of /c decides");
  EXPECT_EQ(NeedOfSecondUid(WithTree({{ChownOp{"/o", "nobody", {}}, {}}})),
            "needs a second uid: the tree sets an owner");
  Case later = WithTree({});
  later.runs.front().change = {{ChmodOp{"/c", 0}, {}}};
  EXPECT_THAT(NeedOfSecondUid(later), Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace gpustage
