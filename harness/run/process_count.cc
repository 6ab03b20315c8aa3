#include "harness/run/process_count.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

namespace gpustage {
namespace {

constexpr std::string_view kPrefix = "gpustage-box-";

// Where the controller is, as Debian, its cloud images and containers mount it.
constexpr const char* kHierarchies[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};

bool WriteText(const std::string& path, const std::string& text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

ProcessCount ProcessCount::Make(int most) {
  static std::atomic<int> boxes{0};
  for (const char* hierarchy : kHierarchies) {
    ProcessCount count;
    count.directory_ = fmt::format("{}/{}{}-{}", hierarchy, kPrefix, getpid(), ++boxes);
    if (mkdir(count.directory_.c_str(), 0755) != 0) {
      count.directory_.clear();
      continue;
    }
    count.procs_ = Fd(open((count.directory_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    // A v2 hierarchy without the controller takes the directory and has no such file in it.
    if (count.procs_ && WriteText(count.directory_ + "/pids.max", fmt::format("{}", most)))
      return count;
  }
  return ProcessCount();
}

ProcessCount& ProcessCount::operator=(ProcessCount&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(procs_, other.procs_);
  return *this;
}

ProcessCount::~ProcessCount() {
  if (!directory_.empty()) rmdir(directory_.c_str());
}

void ClearStaleCounts() {
  for (const char* hierarchy : kHierarchies) {
    DIR* const directory = opendir(hierarchy);
    if (directory == nullptr) continue;
    while (const dirent* entry = readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (!name.starts_with(kPrefix)) continue;
      int owner = 0;
      const char* const begin = name.data() + kPrefix.size();
      std::from_chars(begin, name.data() + name.size(), owner);
      // Only an empty one can be removed, so a living owner's box is safe whatever its number is.
      if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH)
        rmdir(fmt::format("{}/{}", hierarchy, name).c_str());
    }
    closedir(directory);
  }
}

}  // namespace gpustage
