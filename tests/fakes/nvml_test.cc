// The fake NVML gives the answers that a real one was recorded with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/nvml/api.h"
#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"
#include "tests/fakes/text_lines.h"

namespace gpustage::fakes_test {
namespace {

using testing::ElementsAreArray;

class Prober {
 public:
  Prober(const Library& nvml, std::ostream& out) : nvml_(nvml), out_(out) {}

  void Probe() {
    unsigned int count = 0;
    int code = FN(nvml_, nvmlDeviceGetCount_v2)(&count);
    out_ << "nvml count before init r=" << code << ' ' << Text(code) << '\n';
    code = FN(nvml_, nvmlInit_v2)();
    out_ << "nvmlInit_v2 r=" << code << ' ' << Text(code) << '\n';
    code = FN(nvml_, nvmlDeviceGetCount_v2)(&count);
    out_ << "nvml count r=" << code << " c=" << count << '\n';
    ProbeSystem();
    for (unsigned int i = 0; i < count; ++i) ProbeDevice(i);
    nvmlDevice_t device = nullptr;
    code = FN(nvml_, nvmlDeviceGetHandleByIndex_v2)(99, &device);
    out_ << "handle 99 r=" << code << ' ' << Text(code) << '\n';
    for (code = 0; code <= 30; ++code) out_ << "nverr " << code << ' ' << Text(code) << '\n';
  }

 private:
  std::string Text(int code) const { return FN(nvml_, nvmlErrorString)(code); }

  void ProbeSystem() {
    char text[96] = {};
    int code = FN(nvml_, nvmlSystemGetDriverVersion)(text, sizeof(text));
    out_ << "driverVersion r=" << code << ' ' << text << '\n';
    out_ << "driverVersion len3 r=" << FN(nvml_, nvmlSystemGetDriverVersion)(text, 3) << '\n';
    code = FN(nvml_, nvmlSystemGetNVMLVersion)(text, sizeof(text));
    out_ << "nvmlVersion r=" << code << ' ' << text << '\n';
    int version = 0;
    code = FN(nvml_, nvmlSystemGetCudaDriverVersion)(&version);
    out_ << "nvml cudaDriver r=" << code << ' ' << version << '\n';
  }

  void ProbeDevice(unsigned int index) {
    nvmlDevice_t device = nullptr;
    out_ << "handle r=" << FN(nvml_, nvmlDeviceGetHandleByIndex_v2)(index, &device) << '\n';
    char text[96] = {};
    int code = FN(nvml_, nvmlDeviceGetName)(device, text, sizeof(text));
    out_ << "nvmlDeviceGetName r=" << code << ' ' << text << '\n';
    code = FN(nvml_, nvmlDeviceGetUUID)(device, text, sizeof(text));
    out_ << "nvmlDeviceGetUUID r=" << code << ' ' << text << '\n';
    unsigned int number = 0;
    code = FN(nvml_, nvmlDeviceGetIndex)(device, &number);
    out_ << "nvmlDeviceGetIndex r=" << code << ' ' << number << '\n';
    code = FN(nvml_, nvmlDeviceGetMinorNumber)(device, &number);
    out_ << "nvmlDeviceGetMinorNumber r=" << code << ' ' << number << '\n';
    ProbeMemory(device);
    int major = 0, minor = 0;
    code = FN(nvml_, nvmlDeviceGetCudaComputeCapability)(device, &major, &minor);
    out_ << "nvml cc r=" << code << ' ' << major << '.' << minor << '\n';
  }

  void ProbeMemory(nvmlDevice_t device) {
    nvmlPciInfo_t pci = {};
    int code = FN(nvml_, nvmlDeviceGetPciInfo_v3)(device, &pci);
    out_ << "nvml pci r=" << code << ' ' << pci.busId << " legacy=" << pci.busIdLegacy << std::hex
         << " dev=" << pci.pciDeviceId << " sub=" << pci.pciSubSystemId << std::dec << '\n';
    nvmlMemory_t memory = {};
    code = FN(nvml_, nvmlDeviceGetMemoryInfo)(device, &memory);
    out_ << "nvml mem r=" << code << " total=" << memory.total << " free=" << memory.free
         << " used=" << memory.used << '\n';
    nvmlMemory_v2_t memory2 = {};
    memory2.version = sizeof(memory2) | 2 << 24;
    code = FN(nvml_, nvmlDeviceGetMemoryInfo_v2)(device, &memory2);
    out_ << "nvml mem2 r=" << code << " total=" << memory2.total << " free=" << memory2.free
         << " used=" << memory2.used << " reserved=" << memory2.reserved << '\n';
    memory2.version = 0;
    code = FN(nvml_, nvmlDeviceGetMemoryInfo_v2)(device, &memory2);
    out_ << "nvml mem2 badversion r=" << code << ' ' << Text(code) << '\n';
  }

  const Library& nvml_;
  std::ostream& out_;
};

// What the fake models of the recording; the rest is power, brand, board and the like.
std::vector<std::string> Modelled(std::vector<std::string> lines) {
  std::erase_if(lines, [](const std::string& line) {
    for (const char* name : {"Name", "UUID", "Index", "MinorNumber"})
      if (line.find(std::string("nvmlDeviceGet") + name + " ") == 0) return false;
    return line.find("nvmlDeviceGet") == 0 || line.find("mig ") == 0;
  });
  return lines;
}

class Nvml : public testing::TestWithParam<const char*> {
 protected:
  Nvml() {
    stage_.machine() = RecordedMachine(GetParam());
    path_ = stage_.Place("nvml", "libnvidia-ml.so.1");
  }
  FakeStage stage_;
  std::string path_;
};

TEST_P(Nvml, AnswersAsTheRecordedMachineDid) {
  const Outcome outcome = stage_.Run({{"CUDA_VISIBLE_DEVICES", ""}}, [this](std::ostream& out) {
    Prober(Library(path_), out).Probe();
  });
  const std::vector<std::string> said = Split(outcome.said);
  EXPECT_THAT(said, ElementsAreArray(Modelled(RecordedLines(GetParam(), "nvml count", ""))));
}

TEST_P(Nvml, FindsADeviceByUuidAndByBothFormsOfItsAddress) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library nvml(path_);
    nvmlDevice_t device = nullptr, same = nullptr;
    char uuid[96] = {};
    FN(nvml, nvmlInit_v2)();
    FN(nvml, nvmlDeviceGetHandleByIndex_v2)(0, &device);
    FN(nvml, nvmlDeviceGetUUID)(device, uuid, sizeof(uuid));
    out << FN(nvml, nvmlDeviceGetHandleByUUID)(uuid, &same) << (same == device);
    for (const char* address : {"0000:00:06.0", "00000000:00:06.0"})
      out << FN(nvml, nvmlDeviceGetHandleByPciBusId_v2)(address, &same) << (same == device);
    out << FN(nvml, nvmlDeviceGetHandleByUUID)("GPU-none", &same);
  });
  EXPECT_EQ(outcome.said, "0101016");
}

TEST_P(Nvml, IsOverWithTheLastShutdown) {
  const Outcome outcome = stage_.Run([this](std::ostream& out) {
    const Library nvml(path_);
    unsigned int count = 0;
    FN(nvml, nvmlInit_v2)();
    FN(nvml, nvmlInit_v2)();
    for (int i = 0; i < 3; ++i)
      out << FN(nvml, nvmlShutdown)() << FN(nvml, nvmlDeviceGetCount_v2)(&count) << ' ';
  });
  EXPECT_EQ(outcome.said, "00 01 11 ");
}

INSTANTIATE_TEST_SUITE_P(Recorded, Nvml, testing::Values(kH100, kTwoH200),
                         [](const auto& file) { return file.param == kH100 ? "H100" : "TwoH200"; });

// NVML's order is that of the bus, CUDA's that of the scenario.
TEST(NvmlOrder, IsThatOfTheBus) {
  FakeStage stage;
  AddDevice(stage.machine(), PlainDevice(4));
  AddDevice(stage.machine(), PlainDevice(1));
  const std::string path = stage.Place("nvml", "libnvidia-ml.so.1");
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library nvml(path);
    FN(nvml, nvmlInit_v2)();
    for (unsigned int i = 0; i < 2; ++i) {
      nvmlDevice_t device = nullptr;
      char name[96] = {};
      FN(nvml, nvmlDeviceGetHandleByIndex_v2)(i, &device);
      FN(nvml, nvmlDeviceGetName)(device, name, sizeof(name));
      out << name << '/';
    }
  });
  EXPECT_EQ(outcome.said, "NVIDIA Test 1/NVIDIA Test 4/");
}

// NVIDIA's MIG User Guide: nvidia-smi lists the board, and says that MIG is enabled on it.
TEST(NvmlMig, ListsTheBoardAndNotItsSlices) {
  FakeStage stage;
  for (int i = 0; i < 4; ++i) {
    world::Device device = PlainDevice(i);
    strcpy(device.name, ("NVIDIA A100 " + std::to_string(i)).c_str());
    device.mig = i == 1 || i == 2 ? world::Mig::kSlice
                 : i == 3         ? world::Mig::kBoard
                                  : world::Mig::kOff;
    AddDevice(stage.machine(), device);
  }
  stage.machine().device_count = 3;
  stage.machine().board_count = 1;
  const std::string path = stage.Place("nvml", "libnvidia-ml.so.1");
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library nvml(path);
    FN(nvml, nvmlInit_v2)();
    unsigned int count = 0, current = 9, pending = 9;
    FN(nvml, nvmlDeviceGetCount_v2)(&count);
    for (unsigned int i = 0; i < count; ++i) {
      nvmlDevice_t device = nullptr;
      char name[96] = {};
      FN(nvml, nvmlDeviceGetHandleByIndex_v2)(i, &device);
      FN(nvml, nvmlDeviceGetName)(device, name, sizeof(name));
      FN(nvml, nvmlDeviceGetMigMode)(device, &current, &pending);
      out << name << " MIG " << current << pending << '\n';
    }
  });
  EXPECT_EQ(outcome.said, "NVIDIA A100 0 MIG 00\nNVIDIA A100 3 MIG 11\n");
}

}  // namespace
}  // namespace gpustage::fakes_test
