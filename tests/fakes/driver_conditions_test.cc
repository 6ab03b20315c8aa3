// h200-conditions.yaml: 97 conditions of one real H200, and what a client was told under each. A
// node that fails with an errno is one whose content says so; limits, namespaces and forks are the
// real ones.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/fakes/recording.h"
#include "tests/fakes/stage.h"
#include "tests/support/source_dir.h"

namespace gpustage::fakes_test {
namespace {

struct Row {
  std::string when;
  std::string answer;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.when; }
};

std::vector<Row> ReadRows() {
  std::ifstream in(std::string(kSourceDir) + "/fixtures/recordings/real-gpu/h200-conditions.yaml");
  std::vector<Row> rows;
  const auto text = [](std::string value) {
    if (value.size() < 2 || value.front() != '\'') return value;
    value = value.substr(1, value.size() - 2);
    for (size_t at = 0; (at = value.find("''", at)) != std::string::npos; ++at) value.erase(at, 1);
    return value;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("- when: ")) rows.push_back({text(line.substr(8)), ""});
    if (line.starts_with("  answer: ")) rows.back().answer = text(line.substr(10));
  }
  return rows;
}

// What a stage cannot be, and why.
const std::map<std::string, std::string> kNotExpressible = {
    {"ulimit -n 16", "the real driver keeps descriptors open and leaves NVML none to be loaded by"},
};

bool StartsWith(const Row& row, const char* text) { return row.when.starts_with(text); }

std::string UuidOf(const world::Device& device) {
  std::string text;
  char hex[3];
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    snprintf(hex, sizeof hex, "%02x", device.uuid[i]);
    text += hex;
  }
  return "GPU-" + text;
}

// The UUIDs of the machine stood where a word stands.
std::string Mask(const Row& row, const world::Device& device) {
  std::string mask = row.when.substr(5);
  if (mask.ends_with(']'))
    mask.pop_back();
  else
    mask += "\n0";
  const std::string uuid = UuidOf(device);
  std::string small = uuid, capital = uuid;
  for (char& c : small) c = static_cast<char>(std::tolower(c));
  for (char& c : capital) c = static_cast<char>(std::toupper(c));
  const std::pair<std::string, std::string> words[] = {
      {"MIG-UUID0", "MIG-" + uuid}, {"GPU-UUID", capital}, {"gpu-uuid0", small}, {"UUID0", uuid}};
  for (const auto& [word, value] : words)
    if (const size_t at = mask.find(word); at != std::string::npos)
      return mask.replace(at, word.size(), value);
  return mask;
}

class DriverConditions : public testing::TestWithParam<Row> {
 protected:
  void Build() {
    stage_.machine() = RecordedMachine(kTwoH200);
    stage_.machine().device_count = 1;
    for (const auto& [fake, file] :
         {std::pair{"cudart-13", "libcudart.so.13"}, std::pair{"cuda", "libcuda.so.1"},
          std::pair{"nvml", "libnvidia-ml.so.1"}})
      stage_.Place(fake, file);
    const std::string folder = stage_.Path("dev");
    std::filesystem::create_directory(folder);
    strcpy(stage_.machine().device_nodes, folder.c_str());
    for (const std::string node : {"nvidiactl", "nvidia-uvm", "nvidia0"}) Write(node, "");
    std::filesystem::copy_file(GPUSTAGE_DRIVER_CONDITIONS, stage_.Path("ask"));
    std::filesystem::permissions(stage_.Path(""), std::filesystem::perms(0755));
  }

  void Write(const std::string& node, const std::string& more) {
    const std::string path = stage_.Path("dev/" + node);
    std::ofstream(path) << world::kNodeContent << node << "\n" << more;
    chmod(path.c_str(), 0666);
  }

  std::string Ask(std::vector<std::string> arguments, const std::vector<Variable>& more,
                  const std::function<void()>& prepare) {
    std::vector<Variable> environment = more;
    environment.push_back({"LD_LIBRARY_PATH", stage_.Path("")});
    arguments.insert(arguments.begin(), stage_.Path("ask"));
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    const Outcome outcome = stage_.Run(environment, [&](std::ostream&) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      for (int fd = 3; fd < 64; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
      prepare();
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
    });
    close(ends[1]);
    EXPECT_EQ(outcome.exit_status, 0) << outcome.signal;
    char said_there[4096];
    const ssize_t length = read(ends[0], said_there, sizeof said_there);
    close(ends[0]);
    std::string said(said_there, length < 0 ? 0 : static_cast<size_t>(length));
    while (!said.empty() && said.back() == '\n') said.pop_back();
    std::replace(said.begin(), said.end(), '\n', ' ');  // as the recording has it
    return said;
  }

  FakeStage stage_;
};

void Limit(int resource, rlim_t value) {
  const rlimit limit = {value, value};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) _exit(90);
}

// "ulimit -v 1000000", "ulimit -u 1 nobody".
void SetLimit(const std::string& when) {
  const rlim_t value = std::strtoull(when.c_str() + 10, nullptr, 10);
  switch (when[8]) {
    case 'v': return Limit(RLIMIT_AS, value * 1024);
    case 'n': return Limit(RLIMIT_NOFILE, value);
    case 'l': return Limit(RLIMIT_MEMLOCK, value * 1024);
    case 'f': return Limit(RLIMIT_FSIZE, value * 1024);
    case 's': return Limit(RLIMIT_STACK, value * 1024);
    case 'u':
      if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534)))
        _exit(91);
      return Limit(RLIMIT_NPROC, value);
    default: _exit(92);
  }
}

void Hide(const char* folder) {
  if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder, "tmpfs", 0, nullptr) != 0)
    _exit(93);
}

TEST_P(DriverConditions, AreThoseOfARealH200) {
  const Row& row = GetParam();
  if (const auto why = kNotExpressible.find(row.when); why != kNotExpressible.end())
    GTEST_SKIP() << why->second;
  Build();
  std::vector<std::string> arguments;
  std::vector<Variable> environment;
  std::function<void()> prepare = [] {};
  if (StartsWith(row, "open /dev/")) {
    const size_t space = row.when.find(' ', 5);
    Write(row.when.substr(10, space - 10), row.when.substr(space + 1).replace(5, 1, " ") + "\n");
  } else if (StartsWith(row, "later EPERM ")) {
    arguments = {"later"};
    for (const std::string node : {"nvidiactl", "nvidia-uvm", "nvidia0"})
      if (row.when.ends_with("all") || row.when.ends_with("/" + node)) {
        arguments.push_back(stage_.Path("dev/" + node));
        arguments.push_back(world::kNodeContent + node + "\nerrno 1\n");
      }
  } else if (StartsWith(row, "fork after ")) {
    arguments = {"fork", row.when.substr(11)};
  } else if (StartsWith(row, "ulimit ")) {
    prepare = [&] { SetLimit(row.when); };
  } else if (StartsWith(row, "CVD=[")) {
    environment = {{"CUDA_VISIBLE_DEVICES", Mask(row, stage_.machine().devices[0])}};
  } else if (StartsWith(row, "env ")) {
    const size_t equals = row.when.find('=');
    environment = {{row.when.substr(4, equals - 4), row.when.substr(equals + 1)}};
  } else if (row.when == "no /proc" || row.when == "no /sys") {
    if (geteuid() != 0) GTEST_SKIP() << "only root hides a folder";
    prepare = [&] { Hide(row.when.c_str() + 3); };
  } else if (row.when.find("namespace") != std::string::npos || row.when == "uts") {
    if (geteuid() != 0) GTEST_SKIP() << "only root makes these namespaces";
    prepare = [&] {
      const int kind = row.when == "uts"              ? CLONE_NEWUTS
                       : row.when.starts_with("user") ? CLONE_NEWUSER
                       : row.when.starts_with("pid")  ? CLONE_NEWPID
                                                      : CLONE_NEWIPC;
      if (unshare(kind) != 0) _exit(94);
    };
  } else if (row.when == "nodev bind") {
    // To whoever opens them, nodes on such a mount are nodes that he may not open.
    if (geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
    for (const std::string node : {"nvidiactl", "nvidia-uvm", "nvidia0"})
      chmod(stage_.Path("dev/" + node).c_str(), 0);
    chmod(stage_.Path("journal").c_str(), 0666);
    prepare = [] {
      if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(95);
    };
  } else if (StartsWith(row, "seccomp")) {
    prepare = [] { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); };
  } else {
    ASSERT_EQ(row.when, "plain");
  }
  std::string recorded = row.answer;
  if (recorded.starts_with("0] ")) recorded = recorded.substr(3);  // the mask had a line feed
  EXPECT_EQ(Ask(arguments, environment, prepare), recorded);
}

INSTANTIATE_TEST_SUITE_P(Recorded, DriverConditions, testing::ValuesIn(ReadRows()),
                         [](const testing::TestParamInfo<Row>& row) {
                           return std::to_string(row.index);
                         });

TEST(DriverConditionsFile, HasNinetySevenRowsAndFewThatNoStageCanBe) {
  EXPECT_THAT(ReadRows(), testing::SizeIs(97));
  EXPECT_THAT(kNotExpressible, testing::SizeIs(testing::Le(8u)));
}

}  // namespace
}  // namespace gpustage::fakes_test
