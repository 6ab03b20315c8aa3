// What clients of NVML call, and how far the fake's answer can be trusted; and more of what an H200
// was recorded to answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "fakes/nvml/api.h"
#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"
#include "tests/fakes/text_lines.h"
#include "tests/support/source_dir.h"

namespace gpustage::fakes_test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FileLines(const char* path) {
  std::ifstream in(InSources(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

// fixtures/recordings/real-gpu/h200.nvml-more.txt says what a line is.
TEST(NvmlMore, AnswersAsAnH200Did) {
  FakeStage stage;
  stage.machine() = RecordedMachine(kTwoH200);
  stage.machine().device_count = 1;
  const std::string path = stage.Place("nvml", "libnvidia-ml.so.1");
  const std::vector<std::string> recorded =
      FileLines("/fixtures/recordings/real-gpu/h200.nvml-more.txt");
  EXPECT_THAT(recorded, testing::SizeIs(testing::Ge(70)));
  const Outcome outcome = stage.Run([&](std::ostream& out) {
    const Library nvml(path);
    for (const std::string& line : recorded) {
      std::istringstream in(line);
      std::string name;
      int shape = 0;
      in >> name >> shape;
      std::vector<std::vector<unsigned>> buffers(5, std::vector<unsigned>(9999));
      void* at[5];
      for (int i = 0; i < 5; ++i) at[i] = buffers[static_cast<size_t>(i)].data();
      FN(nvml, nvmlInit_v2)();
      nvmlDevice_t device = nullptr;
      FN(nvml, nvmlDeviceGetHandleByIndex_v2)(0, &device);
      const auto ask = reinterpret_cast<int (*)(void*, void*, void*, void*, void*, void*)>(
          nvml.Find(name.c_str()));
      const int code = shape == 0   ? ask(device, at[0], at[1], at[2], at[3], at[4])
                       : shape == 2 ? ask(device, nullptr, at[0], at[1], at[2], at[3])
                       : shape == 3 ? ask(device, nullptr, nullptr, at[0], at[1], at[2])
                                    : ask(at[0], at[1], at[2], at[3], at[4], nullptr);
      out << name << ' ' << shape << ' ' << code << " [";
      for (int i = 0; i < 2; ++i) {
        out << (i == 0 ? "[" : ", [");
        for (size_t word = 0; word < 6; ++word)
          out << (word == 0 ? "" : ", ") << buffers[static_cast<size_t>(i)][word];
        out << ']';
      }
      out << "]\n";
    }
  });
  EXPECT_EQ(outcome.exit_status, 0) << outcome.signal;
  EXPECT_EQ(Split(outcome.said), recorded);
  for (const CallRecord& call : stage.Journal())
    EXPECT_NE(call.fidelity, world::Fidelity::kStub) << call.function;
}

const char* WordOf(world::Fidelity fidelity) {
  switch (fidelity) {
    case world::Fidelity::kModelled: return "modelled";
    case world::Fidelity::kFixed: return "fixed";
    case world::Fidelity::kAssumed: return "assumed";
    case world::Fidelity::kStub: return "stub";
  }
  return "";
}

// A client that runs here, and how.
struct Client {
  std::string name;
  std::vector<std::string> parts;  // folders below real/ in the cache
  std::vector<std::string> argv;
};
std::vector<Client> Clients() {
  const std::string all = InSources("/tests/fakes/nvml_all.py");
  return {{"nvidia-ml-py", {"python/nvidia-ml-py/site"}, {"@python", all}},
          {"nvitop",
           {"python/nvitop/site", "python/psutil/site", "python/nvidia-ml-py/site"},
           {"@python", "-m", "nvitop", "--once", "--ascii"}},
          {"gpustat",
           {"python/gpustat/site", "python/blessed/site", "python/wcwidth/site",
            "python/psutil/site", "python/nvidia-ml-py/site"},
           {"@python", "-m", "gpustat", "--no-color", "-a"}},
          {"go-nvml", {"go-nvml"}, {GPUSTAGE_CACHE "/real/go-nvml/go_nvml"}}};
}

// One H200, and a board in MIG mode with two slices.
void Build(world::World& machine) {
  machine = RecordedMachine(kTwoH200);
  machine.device_count = 1;
  world::Device slice = PlainDevice(4);
  slice.mig = world::Mig::kSlice;
  strcpy(slice.name, "NVIDIA A100-SXM4-80GB MIG 3g.40gb");
  AddDevice(machine, slice);
  slice.uuid[15] = 0x77;
  strcpy(slice.name, "NVIDIA A100-SXM4-80GB MIG 1g.10gb");
  AddDevice(machine, slice);
  slice.uuid[15] = 0x78;
  slice.mig = world::Mig::kBoard;
  strcpy(slice.name, "NVIDIA A100-SXM4-80GB");
  AddDevice(machine, slice);
  machine.device_count -= 1;
  machine.board_count = 1;
}

// function -> fidelity words of its answers, "modelled", "assumed modelled".
std::map<std::string, std::string> CallsOf(const Client& client) {
  FakeStage stage;
  Build(stage.machine());
  stage.set_journal_capacity(8 << 20);
  stage.Place("nvml", "libnvidia-ml.so.1");
  std::string python_path;
  for (const std::string& part : client.parts)
    python_path += std::string(python_path.empty() ? "" : ":") + GPUSTAGE_CACHE "/real/" + part;
  const Outcome outcome = stage.Run(
      {{"LD_LIBRARY_PATH", stage.Path("")},
       {"PYTHONPATH", python_path},
       {"TERM", "dumb"},
       {"COLUMNS", "120"},
       {"PYTHONDONTWRITEBYTECODE", "1"}},
      [&](std::ostream&) {
        std::vector<char*> argv;
        std::vector<std::string> words = client.argv;
        if (words[0] == "@python") words[0] = GPUSTAGE_PYTHON;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        execv(argv[0], argv.data());
        _exit(99);
      },
      60000);
  EXPECT_EQ(outcome.exit_status, 0) << client.name << ": signal " << outcome.signal;
  std::map<std::string, std::set<std::string>> words;
  for (const CallRecord& call : stage.Journal()) words[call.function].insert(WordOf(call.fidelity));
  std::map<std::string, std::string> calls;
  for (const auto& [function, its] : words)
    for (const std::string& word : its)
      calls[function] += (calls[function].empty() ? "" : " ") + word;
  return calls;
}

// tests/fakes/nvml_clients.txt: a function, its words, and who calls it. Made by running those that
// are here; of the others by running them once, or read in their sources (said at its head).
struct Listed {
  std::string words;
  std::set<std::string> clients;
};
std::map<std::string, Listed> List() {
  std::map<std::string, Listed> listed;
  for (const std::string& line : FileLines("/tests/fakes/nvml_clients.txt")) {
    const size_t colon = line.find(": "), bar = line.find(" | ");
    Listed& one = listed[line.substr(0, colon)];
    one.words = line.substr(colon + 2, bar - colon - 2);
    std::istringstream clients(line.substr(bar + 3));
    for (std::string client; clients >> client;) one.clients.insert(client);
  }
  return listed;
}

TEST(NvmlClients, AreAnsweredByNoStubAndListedWithTheWordOfEachAnswer) {
  const std::map<std::string, Listed> listed = List();
  for (const auto& [function, one] : listed)
    EXPECT_EQ(one.words.find("stub"), std::string::npos) << function;
  std::set<std::string> seen;
  for (const Client& client : Clients()) {
    const bool here = std::all_of(client.parts.begin(), client.parts.end(), [](const auto& part) {
      return fs::exists(fs::path(GPUSTAGE_CACHE) / "real" / part);
    });
    if (!here) {
      std::cout << client.name << " is not here; harness/dev real --tests fetches it\n";
      continue;
    }
    seen.insert(client.name);
    const std::map<std::string, std::string> calls = CallsOf(client);
    EXPECT_GE(calls.size(), 5u) << client.name;
    for (const auto& [function, words] : calls) {
      const auto found = listed.find(function);
      const std::string line = function + ": " + words + " | " + client.name;
      if (found == listed.end() || !found->second.clients.contains(client.name)) {
        ADD_FAILURE() << "not in tests/fakes/nvml_clients.txt: " << line;
      } else if (client.name == "nvidia-ml-py") {
        EXPECT_EQ(found->second.words, words) << line;
      }
    }
  }
  // Nothing is listed of it that it does not call.
  if (seen.contains("nvidia-ml-py")) {
    const std::map<std::string, std::string> calls = CallsOf(Clients().front());
    for (const auto& [function, one] : listed) {
      const bool is_its = one.clients.contains("nvidia-ml-py");
      EXPECT_TRUE(!is_its || calls.contains(function)) << function;
    }
  }
  if (seen.empty()) {
    GTEST_SKIP() << "no client of NVML is here";
  }
}

}  // namespace
}  // namespace gpustage::fakes_test
