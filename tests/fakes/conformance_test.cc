// The same program that asked an H100 and two H200s asks the fakes, and every answer must be the
// recorded one. tests/subjects/conformance.c is the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <sstream>

#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {
namespace {

using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

// What may differ, and never in the code that a call returned.
const std::map<std::string, std::string> kExcused = {
    {"nvml.device0.memory.free_used", "memory in use"},
    {"nvml.device0.memory_v2.free_used", "memory in use"},
    {"nvml.device1.memory.free_used", "memory in use"},
    {"nvml.device1.memory_v2.free_used", "memory in use"},
    // The recorded libcudart.so.13 is of CUDA 13.0, the fake has the names of 13.5.
    {"cudart13.start.runtime", "build string"},
    {"cudart13.hidden.runtime", "build string"},
};

struct Machine {
  const char* recording;
  const char* probe;
};
constexpr Machine kMachines[] = {{"h100-80gb-hbm3.conformance.txt", kH100},
                                 {"h200.conformance.txt", kTwoH200}};

struct Library {
  const char* name;  // the first word of its questions
  const char* kind;
  const char* fake;
  const char* file;
  const char* names;
};
constexpr Library kLibraries[] = {
    {"driver", "driver", "cuda", "libcuda.so.1", "fakes/cuda_driver/exports.txt"},
    {"nvml", "nvml", "nvml", "libnvidia-ml.so.1", "fakes/nvml/exports.txt"},
    {"cudart11", "runtime", "cudart-11", "libcudart.so.11.0", "/dev/null"},
    {"cudart12", "runtime", "cudart-12", "libcudart.so.12", "/dev/null"},
    {"cudart13", "runtime", "cudart-13", "libcudart.so.13", "/dev/null"},
};

using Lines = std::vector<std::string>;

Lines Split(const std::string& text) {
  std::istringstream in(text);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string Id(const std::string& line) { return line.substr(0, line.find(" = ")); }

// "0" of "nvml.device0.mig = 0 0 0".
std::string Code(const std::string& line) {
  const size_t at = line.find(" = ");
  return at == std::string::npos ? line : line.substr(at + 3, line.find(' ', at + 3) - at - 3);
}

Lines Recorded(const Machine& machine, const std::string& library) {
  Lines lines;
  for (const std::string& line : RecordedLines(machine.recording, "", ""))
    if (line.rfind(library + ".", 0) == 0) lines.push_back(line);
  return lines;
}

Lines Answered(const Machine& machine, const Library& library) {
  FakeStage stage;
  stage.machine() = RecordedMachine(machine.probe);
  stage.Place("cuda", "libcuda.so.1");
  stage.Place(library.fake, library.file);
  const std::string out = stage.Path("out");
  stage.Run(
      {{"LD_LIBRARY_PATH", stage.Path("")}},
      [&](std::ostream&) {
        if (std::freopen(out.c_str(), "w", stdout) != nullptr)
          execl(GPUSTAGE_CONFORMANCE, GPUSTAGE_CONFORMANCE, library.kind, library.file,
                library.names, nullptr);
      },
      100000);
  Lines lines = Split(stage.Read("out"));
  const std::string runtime = "runtime.";
  for (std::string& line : lines)
    if (line.rfind(runtime, 0) == 0) line = std::string(library.name) + line.substr(7);
  return lines;
}

class Conformance : public testing::TestWithParam<std::tuple<Machine, Library>> {};

TEST_P(Conformance, AnswersAsTheRecordedMachineDid) {
  const auto& [machine, library] = GetParam();
  const Lines recorded = Recorded(machine, library.name), answered = Answered(machine, library);
  EXPECT_THAT(recorded, SizeIs(Ge(400u)));
  ASSERT_THAT(answered, SizeIs(recorded.size()));
  Lines wrong;
  for (size_t i = 0; i < recorded.size(); ++i) {
    const bool excused = kExcused.count(Id(recorded[i])) > 0 &&
                         Id(recorded[i]) == Id(answered[i]) &&
                         Code(recorded[i]) == Code(answered[i]);
    if (recorded[i] != answered[i] && !excused)
      wrong.push_back("recorded " + recorded[i] + "; answered " + answered[i]);
  }
  EXPECT_THAT(wrong, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, Conformance,
                         testing::Combine(testing::ValuesIn(kMachines),
                                          testing::ValuesIn(kLibraries)),
                         [](const testing::TestParamInfo<std::tuple<Machine, Library>>& row) {
                           const std::string machine =
                               std::get<0>(row.param).probe == kH100 ? "H100" : "TwoH200";
                           return machine + "_" + std::get<1>(row.param).name;
                         });

TEST(ConformanceExcuses, AreFewAndOfAClosedList) {
  EXPECT_THAT(kExcused, SizeIs(Le(30u)));
  for (const auto& [id, reason] : kExcused)
    EXPECT_THAT(reason, testing::AnyOf("clock", "memory in use", "temperature", "build string"));
}

// An excuse that nothing needs any more would hide the next mistake.
TEST(ConformanceExcuses, AreAllOfRecordedQuestions) {
  Lines known;
  for (const Machine& machine : kMachines)
    for (const std::string& line : RecordedLines(machine.recording, "", ""))
      known.push_back(Id(line));
  for (const auto& [id, reason] : kExcused) EXPECT_THAT(known, testing::Contains(id)) << reason;
}

}  // namespace
}  // namespace gpustage::fakes_test
