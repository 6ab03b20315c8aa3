#include "harness/base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "harness/base/root.h"
#include "harness/base/text.h"

namespace gpustage {
namespace {

namespace fs = boost::filesystem;

constexpr std::string_view kScratchPrefix = "gpustage-";

// Empties a directory without following links. Of what it says its entries are, no other question
// is asked. What lies deeper than descriptors should reach is moved up, beside what is removed.
class Emptied {
 public:
  explicit Emptied(int top) : top_(top) {}

  // Takes the descriptor.
  void Below(int fd, int depth) {
    DIR* const directory = fdopendir(fd);
    if (directory == nullptr) {
      close(fd);
      return;
    }
    while (const dirent* entry = readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (entry->d_type != DT_DIR && unlinkat(fd, entry->d_name, 0) == 0) continue;
      if (depth == kDeepest && MoveUp(fd, entry->d_name)) continue;
      const int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (below >= 0) Below(below, depth + 1);
      unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(directory);
  }
  // Since it was asked last.
  bool HasMoved() { return std::exchange(moved_, false); }

 private:
  static constexpr int kDeepest = 32;

  bool MoveUp(int fd, const char* name) {
    const std::string other = fmt::format("{}-moved-up", ++count_);
    if (renameat(fd, name, top_, other.c_str()) != 0) return false;
    return moved_ = true;
  }

  const int top_;
  size_t count_ = 0;
  bool moved_ = false;
};

std::string TemporaryDirectory() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen == '/' ? chosen : "/tmp";
}

// When a process started, in clock ticks after boot: pid and start time together name one process
// for good.
std::string StartTimeOf(pid_t pid) {
  const auto stat = ReadFile(fmt::format("/proc/{}/stat", pid));
  if (!stat) return "";
  const size_t after_name = stat->rfind(')');
  if (after_name == std::string::npos) return "";
  size_t at = after_name + 2;
  for (int field = 3; field < 22; ++field) {
    at = stat->find(' ', at);
    if (at == std::string::npos) return "";
    ++at;
  }
  return stat->substr(at, stat->find(' ', at) - at);
}

// The pid namespace that we count in, as a number: containers may share a directory.
std::string PidNamespace() {
  struct stat found;
  return std::to_string(stat("/proc/self/ns/pid", &found) == 0 ? found.st_ino : 0);
}

// "gpustage-PID-STARTTIME-NAMESPACE-XXXXXX" -> whether that process is still there. Nobody's, such
// as a kept one, counts as owned, and so does one of a pid namespace that is not ours.
bool OwnerLives(std::string_view name) {
  name.remove_prefix(kScratchPrefix.size());
  pid_t pid = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (parsed.ec != std::errc() || parsed.ptr == name.data() + name.size() || *parsed.ptr != '-')
    return true;
  const std::string_view rest(parsed.ptr + 1,
                              static_cast<size_t>(name.data() + name.size() - parsed.ptr - 1));
  const size_t dash = rest.find('-');
  if (const std::string_view tail = dash == rest.npos ? "" : rest.substr(dash + 1);
      tail.find('-') != tail.npos && tail.substr(0, tail.find('-')) != PidNamespace())
    return true;
  const std::string start = StartTimeOf(pid);
  return !start.empty() && rest.substr(0, dash) == start;
}

}  // namespace

namespace {

// `fd` is open to be read.
Result<std::string> StartOf(const Fd& fd, const std::string& path, size_t bytes) {
  std::string content;
  char buffer[65536];
  ssize_t n = 0;
  while (content.size() < bytes &&
         (n = read(fd.get(), buffer, std::min(sizeof buffer, bytes - content.size()))) > 0)
    content.append(buffer, static_cast<size_t>(n));
  if (n < 0) return Error{fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  return content;
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) { return ReadFileStart(path, SIZE_MAX); }

Result<std::string> ReadFileStart(const std::string& path, size_t bytes) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  return StartOf(fd, path, bytes);
}

Result<std::string> ReadRegularFile(const std::string& path, size_t bytes) {
  TRY(const Fd fd, OpenRegularFile(path));
  return StartOf(fd, path, bytes);
}

Status WriteFile(const std::string& path, std::string_view content) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  {
    std::ofstream out(temporary, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) {
      unlink(temporary.c_str());
      return Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))};
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    unlink(temporary.c_str());
    return Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  }
  return Ok();
}

std::string Rendered(const Error& error) {
  std::string source;
  if (error.pos)
    if (Result<std::string> text = ReadFile(error.pos->file)) source = *std::move(text);
  return error.pos ? RenderError(error, source) : "gpustage: " + error.message;
}

bool FileExists(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

Result<std::vector<std::string>> FilesBelow(const std::string& directory, std::string_view suffix) {
  std::vector<std::string> found;
  boost::system::error_code failure;
  fs::recursive_directory_iterator it(directory, failure), end;
  if (failure) return Error{fmt::format("cannot list {}: {}", directory, failure.message())};
  while (it != end) {
    const std::string path = it->path().string();
    if (path.ends_with(suffix) && fs::is_regular_file(it->status())) found.push_back(path);
    it.increment(failure);
    if (failure) return Error{fmt::format("cannot list {}: {}", directory, failure.message())};
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string LexicallyNormal(const std::string& path) {
  return fs::path(path).lexically_normal().string();
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseNameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string ProgramDirectory() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  if (n > 0) return ParentOf(std::string(path, static_cast<size_t>(n)));
  // Without /proc: by the name that it was started by.
  const auto* const started = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  return started != nullptr && realpath(started, path) != nullptr ? ParentOf(path) : "/";
}

void RemoveTree(const std::string& directory) {
  // What cannot be removed is found by the next start.
  const int top = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top >= 0) {
    Emptied emptied(top);
    do {
      const int again = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (again >= 0) emptied.Below(again, 0);
    } while (emptied.HasMoved());
    close(top);
  } else if (errno == ENOTDIR || errno == ELOOP) {
    unlink(directory.c_str());
  }
  rmdir(directory.c_str());
}

Result<ScratchDirectory> ScratchDirectory::Make(bool kept) {
  const std::string owner =
      kept ? "kept" : fmt::format("{}-{}-{}", getpid(), StartTimeOf(getpid()), PidNamespace());
  std::string path = fmt::format("{}/{}{}-XXXXXX", TemporaryDirectory(), kScratchPrefix, owner);
  if (mkdtemp(path.data()) == nullptr)
    return Error{fmt::format("cannot make a scratch directory {}: {}", path, std::strerror(errno))};
  return ScratchDirectory(std::move(path), kept);
}

ScratchDirectory::~ScratchDirectory() {
  if (!path_.empty() && !kept_) RemoveTree(path_);
}

int ClearStaleScratch() {
  int cleared = 0;
  boost::system::error_code failure;
  for (fs::directory_iterator it(TemporaryDirectory(), failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    struct stat found;
    if (!name.starts_with(kScratchPrefix) || OwnerLives(name)) continue;
    if (lstat(it->path().c_str(), &found) != 0 || !S_ISDIR(found.st_mode) ||
        found.st_uid != geteuid())
      continue;
    RemoveTree(it->path().string());
    ++cleared;
  }
  return cleared;
}

}  // namespace gpustage
