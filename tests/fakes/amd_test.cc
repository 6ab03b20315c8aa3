// AMD's fakes under a client of ours, over the kernel side that the harness makes of a machine.
// What is expected stands in AMD's headers and sources: places of fields (hip_runtime_api.h of 5.2
// and 6.3), codes and texts (ROCm/clr), figures (rocm.docs.amd.com, GPU specifications).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

namespace fs = std::filesystem;
using Answers = std::map<std::string, std::string>;

class Hip : public testing::Test {
 protected:
  Answers Ask(const std::string& where, const std::string& library) {
    const Ran ran =
        Finish(Start({GPUSTAGE_PROGRAM, "exec",
                      std::string(kSourceDir) + "/scenarios/amd/by-hand.yaml@device=" + where, "--",
                      GPUSTAGE_SUBJECTS "/hip_answers", library},
                     {}, directory_),
               directory_);
    EXPECT_EQ(ran.status, 0) << ran.err;
    Answers answers;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const size_t colon = line.find(": ");
      if (colon != std::string::npos) answers[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return answers;
  }
  std::string directory_ = [] {
    std::string name = (fs::temp_directory_path() / "gpustage-amd-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    return name;
  }();

 private:
  void TearDown() override { fs::remove_all(directory_); }
};

TEST_F(Hip, TellsTheStructOf6AndTheOldOne) {
  const Answers said = Ask("rx-7900-xtx", "libamdhip64.so.6");
  // 96 compute units are 48 work group processors; the structs have 792 and 1472 bytes.
  EXPECT_EQ(said.at("R0000"), "0 AMD Radeon RX 7900 XTX, gfx1100, 48, 0, 25753026560, 792 bytes");
  EXPECT_EQ(said.at("R0600"), "0 AMD Radeon RX 7900 XTX, gfx1100, 48, 0, 25753026560, 1472 bytes");
  EXPECT_EQ(said.at("uuid"), "0 8000000000000000");
  EXPECT_EQ(said.at("address"), "0 0000:01:00.0");
}

TEST_F(Hip, CountsComputeUnitsOfCdnaAsTheyAre) {
  const Answers said = Ask("mi300x", "libamdhip64.so.6");
  EXPECT_EQ(said.at("R0600"), "0 AMD Instinct MI300X, gfx942, 304, 0, 206141652992, 1472 bytes");
  EXPECT_EQ(said.at("attribute 87"), "0 64");      // hipDeviceAttributeWarpSize
  EXPECT_EQ(said.at("attribute 10015"), "0 304");  // …PhysicalMultiProcessorCount
  EXPECT_EQ(said.at("attribute 84"), "0 2147483647");
}

TEST_F(Hip, OfAnApuHasNoNumberOfItsOwn) {
  const Answers said = Ask("radeon-8060s", "libamdhip64.so.6");
  EXPECT_EQ(said.at("uuid"), "0 XX");
  EXPECT_EQ(said.at("attribute 16"), "0 1");  // hipDeviceAttributeIntegrated
  EXPECT_EQ(said.at("attribute 23"), "0 11");
  EXPECT_EQ(said.at("attribute 61"), "0 5");
  EXPECT_EQ(said.at("attribute 63"), "0 20");
}

TEST_F(Hip, TakesMemoryFromItsDevice) {
  const Answers said = Ask("mi210", "libamdhip64.so.6");
  EXPECT_EQ(said.at("memory before"), "0 68702699520 68702699520");
  EXPECT_EQ(said.at("a gigabyte"), "0");
  EXPECT_EQ(said.at("memory with a gigabyte"), "0 67628957696 68702699520");
  EXPECT_EQ(said.at("too much"), "2");
}

TEST_F(Hip, RefusesBadInputAsTheRealOne) {
  const Answers said = Ask("rx-6900-xt", "libamdhip64.so.6");
  const Answers expected = {{"bad count", "1"},
                            {"bad init", "1"},
                            {"bad set", "101"},
                            {"bad set, negative", "101"},
                            {"last", "101"},
                            {"last again", "0"},
                            {"bad name", "1"},
                            {"bad name, no room", "1"},
                            {"bad name, device", "101"},
                            {"name in room for 5", "0 AMD "},
                            {"bad address", "101"},
                            {"bad attribute", "1"},
                            {"bad attribute, null", "1"},
                            {"bad free", "1"},
                            {"free of nothing", "0"},
                            {"bad memory", "1"},
                            {"bad stream", "1"}};
  for (const auto& [question, answer] : expected) EXPECT_EQ(said.at(question), answer) << question;
  EXPECT_EQ(said.at("error 100"), "no ROCm-capable device is detected");
  EXPECT_EQ(said.at("error 101"), "invalid device ordinal");
  EXPECT_EQ(said.at("error 0"), "no error");
  EXPECT_EQ(said.at("error 801"), "operation not supported");
  EXPECT_EQ(said.at("version").substr(0, 4), "0 60");
}

}  // namespace
}  // namespace gpustage
