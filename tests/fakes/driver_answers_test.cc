// Every row of driver-answers.yaml, every field that it has: environments, users, nodes in /dev and
// broken libraries, through the runtime, the driver and NVML.
#include "tests/fakes/driver_answers.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fakes/recording.h"

namespace gpustage::fakes_test {
namespace {

using testing::SizeIs;

constexpr unsigned int kNobody = 65534;

// Rows that a stage cannot express, by their note.
const std::map<std::string, std::string> kNotExpressible = {
    {"statically linked cudart",
     "NVIDIA's own runtime wants a driver that is NVIDIA's, which no fake is"},
};

void Write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class DriverAnswers : public testing::TestWithParam<DriverAnswer> {
 protected:
  // A stage has no /sys and no /proc/driver/nvidia, so rows about their absence need nothing more.
  void Build() {
    stage_.machine() = MachineNamed(GetParam().machine);
    stage_.Place("cudart-13", "libcudart.so.13");
    PlaceDriver();
    PlaceNvml();
    std::filesystem::create_directory(stage_.Path("dev"));
    MakeNodes();
    std::filesystem::copy_file(GPUSTAGE_DRIVER_ANSWER, stage_.Path("ask"));
    std::filesystem::permissions(stage_.Path(""), std::filesystem::perms(0755));
  }

  void PlaceDriver() {
    const std::string& is = GetParam().when.libcuda;
    if (is.empty())
      stage_.Place("cuda", "libcuda.so.1");
    else if (is.find("stub") != std::string::npos)
      stage_.Place("cuda-stub", "libcuda.so.1");
    else
      Write(stage_.Path("libcuda.so.1"), "");
  }

  void PlaceNvml() {
    if (GetParam().when.libnvidia_ml.empty())
      stage_.Place("nvml", "libnvidia-ml.so.1");
    else
      Write(stage_.Path("libnvidia-ml.so.1"), "");
  }

  void MakeNodes() {
    const Condition& when = GetParam().when;
    const std::string folder = stage_.Path("dev");
    strcpy(stage_.machine().device_nodes, folder.c_str());
    std::vector<std::string> nodes = {"nvidiactl", "nvidia-uvm", "nvidia0"};
    const bool is_made_again = when.note.find("makes nvidia1 again") != std::string::npos;
    if (stage_.machine().device_count > 1 && !is_made_again) nodes.push_back("nvidia1");
    for (const std::string& node : nodes) {
      Write(folder + "/" + node, world::kNodeContent + node + "\n");
      chmod((folder + "/" + node).c_str(), 0666);
    }
    for (const std::string& path : when.not_the_device) Write(stage_.Path(path.substr(1)), "");
    for (const std::string& path : when.unreadable) chmod(stage_.Path(path.substr(1)).c_str(), 0);
  }

  std::string Ask() {
    std::vector<Variable> environment = GetParam().when.environment;
    environment.push_back({"LD_LIBRARY_PATH", stage_.Path("")});
    const std::string ask = stage_.Path("ask"), out = stage_.Path("out");
    const bool becomes_nobody = GetParam().when.user == "nobody" && geteuid() == 0;
    stage_.Run(environment, [&](std::ostream&) {
      if (std::freopen(out.c_str(), "w", stdout) == nullptr) return;
      if (becomes_nobody &&
          (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0))
        return;
      execl(ask.c_str(), ask.c_str(), nullptr);
    });
    return stage_.Read("out");
  }

  FakeStage stage_;
};

std::string IndexOf(const world::World& machine, const std::string& uuid) {
  for (uint32_t i = 0; i < machine.device_count; ++i) {
    std::string own;
    char hex[3];
    for (const uint8_t byte : machine.devices[i].uuid) {
      snprintf(hex, sizeof(hex), "%02x", byte);
      own += hex;
    }
    if (own == uuid) return std::to_string(i);
  }
  return "unknown";
}

// "cudart 0" and so on, by the names of the recording's fields.
std::map<std::string, std::string> Fields(const std::string& said, const world::World& machine,
                                          const std::string& folder) {
  std::map<std::string, std::string> fields = {{"order", ""}, {"nvml_count", "none"}};
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space), value = line.substr(space + 1);
    if (name == "uuid") {
      fields["order"] += IndexOf(machine, value) + ",";
    } else if (name == "error") {
      const bool is_cuda = value.rfind("libcuda", 0) == 0;
      const std::string where = folder + value.substr(0, value.find(' ')) + ":";
      const size_t at = value.find(where);
      fields[is_cuda ? "libcuda" : "libnvidia_ml"] =
          at == std::string::npos ? value : "<path>" + value.substr(at + where.size());
    } else {
      fields[name] = value;
    }
  }
  return fields;
}

std::string Text(const DriverAnswer& row) {
  std::string text = row.machine;
  for (const Variable& v : row.when.environment) text += ' ' + v.name + '=' + v.value;
  for (const std::string& part : {row.when.user, row.when.note, row.when.libcuda})
    text += ' ' + part;
  for (const std::string& path : row.when.not_the_device) text += " not the device: " + path;
  for (const std::string& path : row.when.unreadable) text += " unreadable: " + path;
  return text;
}

TEST_P(DriverAnswers, AreThoseOfTheRecording) {
  SCOPED_TRACE(Text(GetParam()));
  const auto reason = kNotExpressible.find(GetParam().when.note);
  if (reason != kNotExpressible.end()) GTEST_SKIP() << reason->second;
  if (GetParam().when.note.find("as root") != std::string::npos && geteuid() != 0)
    GTEST_SKIP() << "only root makes nodes again";
  Build();
  const auto seen = Fields(Ask(), stage_.machine(), stage_.Path(""));
  for (const auto& [field, recorded] : GetParam().fields) {
    const auto found = seen.find(field);
    EXPECT_EQ(found == seen.end() ? "nothing" : found->second, recorded) << field;
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, DriverAnswers, testing::ValuesIn(ReadDriverAnswers()),
                         [](const testing::TestParamInfo<DriverAnswer>& row) {
                           return std::to_string(
                               row.index);  // the values hold what a name must not
                         });

// A reader that lost rows or fields would leave the tests above green.
TEST(DriverAnswersFile, HasFiftyEightRowsOfFiveFieldsAtLeast) {
  const std::vector<DriverAnswer> rows = ReadDriverAnswers();
  EXPECT_THAT(rows, SizeIs(58));
  for (const DriverAnswer& row : rows) EXPECT_THAT(row.fields, SizeIs(testing::Ge(5u)));
  EXPECT_THAT(kNotExpressible, SizeIs(testing::Le(4u)));
}

}  // namespace
}  // namespace gpustage::fakes_test
