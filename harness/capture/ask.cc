#include "harness/capture/ask.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/capture/collect.h"

// The probe's bytes, of probe_image.S.
extern "C" const char gpustage_probe_begin[], gpustage_probe_end[];

namespace gpustage::capture {
namespace {

constexpr int kQuestionLimitMs = 1500;    // a driver that does not answer hangs nobody else
constexpr int kScannerLimitMs = 120'000;  // the user named it; it may wait for a GPU
constexpr size_t kMostOutput = 64 << 10;

struct Said {
  std::string output;
  int status = 0;     // of waitpid
  bool late = false;  // it was ended at the limit
};

int64_t NowMs() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// A child that was started, and the end of the pipe that it writes to.
struct Child {
  pid_t pid = -1;
  int out = -1;
};

// In a child that is the leader of a group of its own: what it starts ends with it.
Child Start(int program, const std::vector<std::string>& argv, const ProcessFacts& process,
            bool with_errors) {
  Child started;
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return started;
  std::vector<char*> words, environment;
  std::vector<std::string> texts;
  for (const auto& [name, value] : process.environment) texts.push_back(name + "=" + value);
  for (std::string& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);
  std::vector<std::string> copies = argv;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    const int none = open("/dev/null", O_RDWR);
    dup2(none, 0);
    dup2(out[1], 1);
    dup2(with_errors ? out[1] : none, 2);
    if (!process.root.empty() && (chroot(process.root.c_str()) != 0 || chdir("/") != 0)) _exit(126);
    if (process.pid != 0 && geteuid() == 0 &&
        (setgid(process.gid) != 0 || setuid(process.uid) != 0))
      _exit(126);
    if (program >= 0)
      fexecve(program, words.data(), environment.data());
    else
      execvpe(words[0], words.data(), environment.data());
    _exit(errno == ENOENT ? 127 : 126);
  }
  close(out[1]);
  return {child, out[0]};
}

Said Finish(const Child& child, int64_t end) {
  Said said;
  if (child.out < 0) return said;
  char part[4096];
  for (;;) {
    struct pollfd ready = {child.out, POLLIN, 0};
    const int64_t left = std::max<int64_t>(end - NowMs(), 0);
    if (poll(&ready, 1, static_cast<int>(left)) == 0) {
      said.late = true;
      break;
    }
    const ssize_t got = read(child.out, part, sizeof part);
    if (got <= 0) break;
    if (said.output.size() < kMostOutput) said.output.append(part, static_cast<size_t>(got));
  }
  close(child.out);
  if (said.late) kill(-child.pid, SIGKILL);
  waitpid(child.pid, &said.status, 0);
  return said;
}

std::string Ended(const Said& said) {
  if (said.late) return "did not answer within time";
  if (WIFSIGNALED(said.status)) return "killed by signal " + std::to_string(WTERMSIG(said.status));
  return "exited with " + std::to_string(WEXITSTATUS(said.status));
}

Answer AnswerOf(const std::string& family, const std::string& library, const Said& said) {
  Answer answer;
  answer.family = family;
  answer.library = library;
  bool done = false;
  size_t begin = 0;
  while (begin < said.output.size()) {
    const size_t end = std::min(said.output.find('\n', begin), said.output.size());
    const std::string line = said.output.substr(begin, end - begin);
    begin = end + 1;
    const size_t blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const std::string key = line.substr(0, blank), value = line.substr(blank + 1);
    if (key == "error")
      answer.error = value;
    else if (key == "path")
      answer.path = value;
    else if (key == "done")
      done = true;
    else if (key == "device")
      answer.devices.emplace_back();
    else if (answer.devices.empty())
      answer.values[key] = value;
    else
      answer.devices.back()[key] = value;
  }
  if (!done && answer.error.empty()) answer.error = Ended(said);
  return answer;
}

// The first library of its kind among the files; by path, as it may lie anywhere.
std::string FirstOf(const MachineFacts& facts, const char* soname) {
  for (const FileFacts& file : facts.files)
    if (file.elf && file.elf->soname.rfind(soname, 0) == 0) return file.path;
  return "";
}

}  // namespace

void AskLibraries(MachineFacts& facts) {
  const int probe = memfd_create("probe", MFD_CLOEXEC);
  const size_t size = static_cast<size_t>(gpustage_probe_end - gpustage_probe_begin);
  if (probe < 0 || write(probe, gpustage_probe_begin, size) != static_cast<ssize_t>(size)) {
    facts.gaps.push_back({"what the driver answers", "", strerror(errno), ""});
    return;
  }
  if (access((facts.process.root + "/lib64/ld-linux-x86-64.so.2").c_str(), X_OK) != 0) {
    facts.gaps.push_back(
        {"what the driver answers: no loader of glibc is here", "", strerror(errno), ""});
    close(probe);
    return;
  }
  // All at once, so that drivers that hang take the time of one.
  struct Question {
    std::string family, library;
    Child child;
  };
  std::vector<Question> questions;
  for (const auto& [family, library] : {std::pair<std::string, std::string>{"cuda", "libcuda.so.1"},
                                        {"nvml", "libnvidia-ml.so.1"},
                                        {"cudart", FirstOf(facts, "libcudart.so.")},
                                        {"hip", FirstOf(facts, "libamdhip64.so.")},
                                        {"vulkan", FirstOf(facts, "libvulkan.so.1")}})
    if (!library.empty())
      questions.push_back(
          {family, library, Start(probe, {"probe", family, library}, facts.process, false)});
  const int64_t end = NowMs() + kQuestionLimitMs;
  for (const Question& question : questions)
    facts.answers.push_back(
        AnswerOf(question.family, question.library, Finish(question.child, end)));
  close(probe);
}

std::string OutputOf(const std::vector<std::string>& argv) {
  ProcessFacts ours;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const char* const equals = strchr(*entry, '='); equals != nullptr)
      ours.environment.emplace_back(std::string(*entry, static_cast<size_t>(equals - *entry)),
                                    equals + 1);
  const Said said = Finish(Start(-1, argv, ours, false), NowMs() + kQuestionLimitMs);
  return said.late || said.status != 0 ? "" : said.output;
}

void RunScanner(MachineFacts& facts) {
  const Said said =
      Finish(Start(-1, facts.scanner, facts.process, true), NowMs() + kScannerLimitMs);
  facts.scanner_output = said.output;
  facts.scanner_status = WIFEXITED(said.status) ? WEXITSTATUS(said.status) : -1;
}

}  // namespace gpustage::capture
