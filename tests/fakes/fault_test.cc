// What befalls a device, what begins and ends with time, and the kernel side, asked of the driver,
// the runtime and NVML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "fakes/cuda_driver/api.h"
#include "fakes/cuda_runtime/api.h"
#include "fakes/nvml/api.h"
#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using world::FaultAction;

constexpr uint64_t kGiB = uint64_t{1} << 30;

class DeviceFault : public testing::Test {
 protected:
  DeviceFault() {
    AddDevice(stage_.machine(), PlainDevice(0));
    AddDevice(stage_.machine(), PlainDevice(1));
    cuda_ = stage_.Place("cuda", "libcuda.so.1");
    nvml_ = stage_.Place("nvml", "libnvidia-ml.so.1");
  }

  // The code of a question about each device.
  static std::string Names(const Library& cuda) {
    std::string codes;
    char name[64];
    for (const CUdevice device : {0, 1})
      codes += std::to_string(FN(cuda, cuDeviceGetName)(name, sizeof(name), device)) + " ";
    return codes;
  }

  FakeStage stage_;
  std::string cuda_, nvml_;
};

TEST_F(DeviceFault, BeginsWithACallAndMeetsEveryLaterOneForThatDevice) {
  world::Fault& fault = stage_.AddFault("cuDeviceGetCount", FaultAction::kLost);
  fault.device = 1;
  fault.first_call = 2;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(cuda_);
    int count = 0;
    FN(cuda, cuInit)(0);
    FN(cuda, cuDeviceGetCount)(&count);
    out << Names(cuda);
    FN(cuda, cuDeviceGetCount)(&count);
    out << Names(cuda) << count;
    if (fork() == 0) {
      out << Names(cuda);
      // A child cannot use what its parent started; the lost device is lost before that is looked
      // at.
      _exit(Names(cuda) == "3 999 " ? 0 : 1);
    }
    int status = 0;
    wait(&status);
    out << (status == 0 ? " also in a child" : " not in a child");
  });
  EXPECT_EQ(outcome.said, "0 0 0 999 2 also in a child");
  EXPECT_EQ(stage_.Calls("cuDeviceGetName").at(3).fault, "fault: the device is lost");
}

TEST_F(DeviceFault, IsKnownToEveryLibraryWhenItBeginsWithTime) {
  world::Fault& fault = stage_.AddFault("", FaultAction::kLost);
  fault.device = 0;
  fault.from_ms = 600;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(cuda_), nvml(nvml_);
    FN(cuda, cuInit)(0);
    FN(nvml, nvmlInit_v2)();
    nvmlDevice_t device = nullptr;
    char name[64];
    FN(nvml, nvmlDeviceGetHandleByIndex_v2)(0, &device);
    out << Names(cuda) << FN(nvml, nvmlDeviceGetName)(device, name, sizeof(name)) << ' ';
    std::this_thread::sleep_for(std::chrono::milliseconds(620));
    out << Names(cuda) << FN(nvml, nvmlDeviceGetName)(device, name, sizeof(name));
  });
  EXPECT_EQ(outcome.said, "0 0 0 999 0 15");
}

TEST_F(DeviceFault, AnswersTheCodeThatItIsGiven) {
  world::Fault& fault = stage_.AddFault("", FaultAction::kLost);
  fault.code = 719;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(cuda_);
    FN(cuda, cuInit)(0);
    out << Names(cuda);
  });
  EXPECT_EQ(outcome.said, "719 719 ");
}

TEST_F(DeviceFault, LeavesLessMemoryToAskForAndToAllocate) {
  world::Fault& fault = stage_.AddFault("", FaultAction::kMemoryLeft);
  fault.device = 0;
  fault.bytes = 2 * kGiB;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(cuda_), nvml(nvml_);
    FN(cuda, cuInit)(0);
    for (const CUdevice device : {0, 1}) {
      CUcontext context = nullptr;
      size_t free = 0, total = 0;
      CUdeviceptr first = 0, second = 0;
      FN(cuda, cuCtxCreate_v2)(&context, 0, device);
      out << FN(cuda, cuMemAlloc_v2)(&first, kGiB) << ' '
          << FN(cuda, cuMemAlloc_v2)(&second, kGiB + 1) << ' ';
      FN(cuda, cuMemGetInfo_v2)(&free, &total);
      out << free / kGiB << '/' << total / kGiB << ' ';
    }
    nvmlDevice_t device = nullptr;
    nvmlMemory_t memory = {};
    FN(nvml, nvmlInit_v2)();
    FN(nvml, nvmlDeviceGetHandleByIndex_v2)(0, &device);
    FN(nvml, nvmlDeviceGetMemoryInfo)(device, &memory);
    out << memory.free / kGiB << '/' << memory.total / kGiB;
  });
  EXPECT_EQ(outcome.said, "0 2 1/80 0 0 76/80 2/80");
}

TEST_F(DeviceFault, MayBeOverAfterATime) {
  world::Fault& fault = stage_.AddFault("cuDriverGetVersion", FaultAction::kReturn);
  fault.code = 999;
  fault.to_ms = 600;
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library cuda(cuda_);
    int version = 0;
    out << FN(cuda, cuDriverGetVersion)(&version) << ' ';
    std::this_thread::sleep_for(std::chrono::milliseconds(620));
    out << FN(cuda, cuDriverGetVersion)(&version);
  });
  EXPECT_EQ(outcome.said, "999 0");
}

// The answers of driver 580.159.04 to each state of its nodes:
// fixtures/recordings/real-gpu/driver-answers.yaml.
class KernelSide : public DeviceFault {
 protected:
  KernelSide() {
    nodes_ = stage_.Path("dev");
    std::filesystem::create_directory(nodes_);
    nodes_.copy(stage_.machine().device_nodes, sizeof(stage_.machine().device_nodes) - 1);
    for (const char* name : {"nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"})
      Put(name, std::string(world::kNodeContent) + name + "\n");
  }
  void Put(const std::string& name, const std::string& content) {
    std::ofstream(nodes_ + "/" + name, std::ios::trunc) << content;
    std::filesystem::permissions(nodes_ + "/" + name, std::filesystem::perms(0666));
  }
  void Close(const std::string& name) {
    std::filesystem::permissions(nodes_ + "/" + name, std::filesystem::perms(0));
  }
  void Remove(const std::string& name) { std::filesystem::remove(nodes_ + "/" + name); }

  // cuInit, the driver's count, nvmlInit, NVML's count; as a user who may not make nodes.
  std::string Ask(bool as_root = false) {
    std::filesystem::permissions(stage_.Path(""), std::filesystem::perms(0777));
    return stage_
        .Run([&](std::ostream& out) {
          const Library cuda(cuda_), nvml(nvml_);
          if (geteuid() == 0 && !as_root && setresuid(65534, 65534, 65534) != 0) _exit(9);
          int devices = -1;
          unsigned int count = 99;
          out << FN(cuda, cuInit)(0) << ' ';
          FN(cuda, cuDeviceGetCount)(&devices);
          out << devices << ' ' << FN(nvml, nvmlInit_v2)() << ' ';
          FN(nvml, nvmlDeviceGetCount_v2)(&count);
          out << count;
        })
        .said;
  }

  std::string nodes_;
};

TEST_F(KernelSide, HasEveryDeviceWhoseNodeIsThere) { EXPECT_EQ(Ask(), "0 2 0 2"); }

TEST_F(KernelSide, LosesADeviceWithItsNode) {
  Put("nvidia0", "something else");
  EXPECT_EQ(Ask(), "0 1 0 1");
  Put("nvidia0", "gpustage node nvidia1\n");  // another one's
  EXPECT_EQ(Ask(), "0 1 0 1");
  Put("nvidia1", "");
  EXPECT_EQ(Ask(), "100 -1 0 0");
}

TEST_F(KernelSide, NeedsTheControlNode) {
  Put("nvidiactl", "");
  EXPECT_EQ(Ask(), "100 -1 17 99");
  Remove("nvidiactl");
  EXPECT_EQ(Ask(), "100 -1 9 99");
}

TEST_F(KernelSide, NeedsToBeAllowed) {
  Close("nvidia0");
  EXPECT_EQ(Ask(), "0 1 0 1");
  Close("nvidia-uvm");
  EXPECT_EQ(Ask(), "999 -1 0 1");
  Close("nvidiactl");
  EXPECT_EQ(Ask(), "100 -1 4 99");
}

TEST_F(KernelSide, IsMadeAgainByRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root makes a node again";
  Remove("nvidia1");
  EXPECT_EQ(Ask(), "0 1 0 1");
  EXPECT_EQ(Ask(/*as_root=*/true), "0 2 0 2");
  EXPECT_EQ(Ask(), "0 2 0 2");
}

// The nodes are numbered by PCI address, whatever the order of the devices is.
TEST_F(KernelSide, NumbersDevicesByTheirAddresses) {
  stage_.machine().devices[0].pci_bus = 9;
  Put("nvidia0", "");
  const Outcome outcome = stage_.Run([&](std::ostream& out) {
    const Library cuda(cuda_), nvml(nvml_);
    char name[64] = "";
    unsigned int number = 99;
    nvmlDevice_t device = nullptr;
    FN(cuda, cuInit)(0);
    FN(cuda, cuDeviceGetName)(name, sizeof(name), 0);
    FN(nvml, nvmlInit_v2)();
    FN(nvml, nvmlDeviceGetHandleByIndex_v2)(0, &device);
    FN(nvml, nvmlDeviceGetMinorNumber)(device, &number);
    out << name << ", minor " << number;
  });
  EXPECT_EQ(outcome.said, "NVIDIA Test 0, minor 1");
}

// A node that fails: the errno decides the code, as recorded of an H200 (h200-conditions.yaml).
TEST_F(KernelSide, HasItsNodesFailAsTheScenarioSays) {
  world::Fault& refuses = stage_.AddFault("/dev/nvidiactl", FaultAction::kErrno);
  refuses.code = EPERM;
  EXPECT_EQ(Ask(), "100 -1 999 99");
  refuses.code = EIO;
  EXPECT_EQ(Ask(), "100 -1 17 99");
  refuses.from_ms = 3600000;
  EXPECT_EQ(Ask(), "0 2 0 2");
}

TEST_F(KernelSide, HasANodeFailFromACallOnOrOnce) {
  world::Fault& once = stage_.AddFault("/dev/nvidia-uvm", FaultAction::kErrno);
  once.code = EBUSY;
  const auto starts = [&] {
    return stage_
        .Run([&](std::ostream& out) {
          const Library cuda(cuda_);
          for (int i = 0; i < 3; ++i) out << FN(cuda, cuInit)(0) << ' ';
        })
        .said;
  };
  once.first_call = once.last_call = 1;
  EXPECT_EQ(starts(), "999 0 0 ");
  once.first_call = 1;
  once.last_call = 2;
  EXPECT_EQ(starts(), "999 999 0 ");
  once.first_call = 2;
  once.last_call = 0;
  EXPECT_EQ(starts(), "0 0 0 ");  // it was started by then, and a driver keeps what it opened
}

// Character devices that nobody opens.
class RealNodes : public KernelSide {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root makes a character device";
    stage_.machine().real_nodes = 1;
    for (const char* name : {"nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"}) Make(name, name);
  }
  void Make(const std::string& name, const std::string& as) {
    Remove(name);
    const auto [major_number, minor_number] = world::DeviceNumberOf(as.c_str());
    ASSERT_EQ(
        mknod((nodes_ + "/" + name).c_str(), S_IFCHR | 0666, makedev(major_number, minor_number)),
        0);
    std::filesystem::permissions(nodes_ + "/" + name, std::filesystem::perms(0666));
  }
};

TEST_F(RealNodes, AreTakenAsFilesAre) {
  EXPECT_EQ(Ask(), "0 2 0 2");
  Make("nvidia0", "nvidia1");
  EXPECT_EQ(Ask(), "0 1 0 1");
  Remove("nvidia0");
  Put("nvidia0", std::string(world::kNodeContent) + "nvidia0\n");  // a file is none
  EXPECT_EQ(Ask(), "0 1 0 1");
  Close("nvidia-uvm");
  EXPECT_EQ(Ask(), "999 -1 0 1");
  Close("nvidiactl");
  EXPECT_EQ(Ask(), "100 -1 4 99");
  Remove("nvidiactl");
  EXPECT_EQ(Ask(), "100 -1 9 99");
}

TEST_F(RealNodes, FailAsTheScenarioSays) {
  stage_.AddFault("/dev/nvidiactl", FaultAction::kErrno).code = EPERM;
  EXPECT_EQ(Ask(), "100 -1 999 99");
}

TEST(DeviceNumbers, AreTheKernels) {
  const auto number = [](const char* name) {
    const auto [major_number, minor_number] = world::DeviceNumberOf(name);
    return std::to_string(major_number) + ":" + std::to_string(minor_number);
  };
  // fixtures/recordings/real-gpu/h200-dead-nodes-and-no-egl.txt
  EXPECT_EQ(number("nvidiactl"), "195:255");
  EXPECT_EQ(number("nvidia0"), "195:0");
  EXPECT_EQ(number("nvidia12"), "195:12");
  EXPECT_EQ(number("nvidia-uvm"), "238:0");
  EXPECT_EQ(number("nvidia-uvm-tools"), "238:1");
  EXPECT_EQ(number("nvidia-caps/nvidia-cap2"), "241:2");
  EXPECT_EQ(number("dri/renderD128"), "226:128");
  for (const char* none : {"null", "nvidia", "nvidia-", "nvidia0x", "nvidiactl2", "dri/card0", ""})
    EXPECT_EQ(number(none), "0:0") << none;
}

}  // namespace
}  // namespace gpustage::fakes_test
