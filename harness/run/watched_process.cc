#include "harness/run/watched_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <sstream>

namespace gpustage {
namespace {

constexpr size_t kLongestWord = 128 << 10;  // MAX_ARG_STRLEN
constexpr uint64_t kPage = 4096;

// struct pidfd_info of <linux/pidfd.h> (Linux 6.13; exit_code since 6.15), which Debian 12's
// headers do not have.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t pid, tgid, ppid, ids[8];
  int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr uint64_t kInfoExit = 1U << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

size_t ReadSome(pid_t thread, uint64_t address, char* into, size_t bytes) {
  const iovec ours = {into, bytes}, theirs = {reinterpret_cast<void*>(address), bytes};
  const ssize_t n = process_vm_readv(thread, &ours, 1, &theirs, 1, 0);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

// The last number of a line such as "NSpid:\t4121\t7".
int LastNumber(const std::string& line) {
  const size_t at = line.find_last_of("\t ");
  return at == std::string::npos ? 0 : std::atoi(line.c_str() + at);
}

}  // namespace

std::optional<std::string> ProcFileOf(pid_t process, const std::string& file) {
  const Fd fd(open(fmt::format("/proc/{}/{}", process, file).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text;
  char part[8192];
  ssize_t got = 0;
  while ((got = read(fd.get(), part, sizeof part)) > 0) text.append(part, static_cast<size_t>(got));
  return got < 0 ? std::nullopt : std::optional(std::move(text));
}

bool IsOurLack(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

std::optional<ThreadIds> IdsOf(pid_t thread) {
  ThreadIds ids;
  pid_t parent = 0;
  const std::optional<std::string> status = ProcFileOf(thread, "status");
  if (!status) return std::nullopt;
  std::istringstream lines(*status);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Tgid:")) ids.process = LastNumber(line);
    if (line.starts_with("PPid:")) parent = LastNumber(line);
    if (line.starts_with("NStgid:")) ids.pid = LastNumber(line);
    if (line.starts_with("NSpid:")) ids.tid = LastNumber(line);
    if (line.starts_with("NSpgid:")) break;
  }
  errno = ESRCH;
  if (ids.pid == 0) return std::nullopt;
  const std::optional<std::string> of_parent = ProcFileOf(parent, "status");
  if (!of_parent && IsOurLack(errno)) return std::nullopt;
  lines = std::istringstream(of_parent.value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("NStgid:")) {
      ids.parent = LastNumber(line);
      break;
    }
  return ids;
}

std::vector<pid_t> ChildrenOf(pid_t process) {
  std::vector<pid_t> children;
  const std::string threads = fmt::format("/proc/{}/task", process);
  DIR* const directory = opendir(threads.c_str());
  for (const dirent* entry; directory != nullptr && (entry = readdir(directory)) != nullptr;) {
    std::ifstream list(fmt::format("{}/{}/children", threads, entry->d_name));
    for (pid_t child; list >> child;) children.push_back(child);
  }
  if (directory != nullptr) closedir(directory);
  return children;
}

std::optional<std::string> ReadText(pid_t thread, uint64_t address, size_t limit) {
  std::string text;
  char buffer[kPage];
  while (text.size() < limit) {
    // Not beyond the page: the next may be none of its own.
    const size_t n =
        ReadSome(thread, address, buffer, std::min(limit - text.size(), kPage - address % kPage));
    if (n == 0) return std::nullopt;
    char* const end = std::find(buffer, buffer + n, '\0');
    text.append(buffer, end);
    if (end != buffer + n) return text;
    address += n;
  }
  return text;
}

std::optional<std::string> ReadBytes(pid_t thread, uint64_t address, size_t bytes) {
  std::string read(bytes, '\0');
  const size_t n = ReadSome(thread, address, read.data(), bytes);
  if (n == 0 && bytes != 0) return std::nullopt;
  read.resize(n);
  return read;
}

std::vector<std::string> ReadTexts(pid_t thread, uint64_t address, size_t& room) {
  std::vector<std::string> texts;
  for (uint64_t word = 0; address != 0; address += sizeof word) {
    if (ReadSome(thread, address, reinterpret_cast<char*>(&word), sizeof word) != sizeof word ||
        word == 0)
      break;
    const size_t limit = std::min(room, kLongestWord);
    std::optional<std::string> text = ReadText(thread, word, limit);
    if (!text) break;
    // Each costs its pointer, too, so that empty ones have an end.
    const size_t cost = text->size() + 1 + sizeof word;
    if (cost > room) {
      room = 0;
      break;
    }
    room -= cost;
    texts.push_back(*std::move(text));
  }
  return texts;
}

std::string LinkOf(pid_t thread, const std::string& name) {
  char text[PATH_MAX];
  const ssize_t length =
      readlink(fmt::format("/proc/{}/{}", thread, name).c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : "";
}

std::optional<int> WaitStatusOf(int pidfd) {
  PidfdInfo info = {};
  info.mask = kInfoExit;
  if (ioctl(pidfd, kGetInfo, &info) != 0 || (info.mask & kInfoExit) == 0) return std::nullopt;
  return info.exit_code;
}

bool IsGone(int pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) != 0 && errno == ESRCH;
}

}  // namespace gpustage
