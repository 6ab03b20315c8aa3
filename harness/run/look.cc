#include "harness/run/look.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "fakes/world/format.h"
#include "harness/base/files.h"

namespace gpustage {
namespace {

constexpr std::string_view kDevices = "/dev/";
constexpr int kMostLinks = 40;     // as the kernel counts
constexpr size_t kMostNames = 64;  // of a directory that are kept

std::string UserName(uid_t uid) {
  for (const char* name : {"root", "ollama", "user", "nobody"})
    if (const auto known = FindUser(name); known && known->uid == uid) return name;
  return std::to_string(uid);
}
std::string GroupName(gid_t gid) {
  for (const char* name : {"root", "video", "ollama", "user", "nogroup"})
    if (const auto known = FindGroup(name); known && *known == gid) return name;
  return std::to_string(gid);
}

// A node of the machine is a file that says which one it is: fakes/world/format.h.
bool IsNode(const Root& root, const std::string& path) {
  const std::string wanted = world::kNodeContent + path.substr(kDevices.size());
  const Fd fd = root.ReadRegular(path);
  std::string content(wanted.size(), '\0');
  return fd &&
         read(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(wanted.size()) &&
         content == wanted;
}

// By the mode alone: a user of a tree has no capability.
bool IsMember(const Identity& who, gid_t gid) {
  return who.gid == gid || std::find(who.groups.begin(), who.groups.end(), gid) != who.groups.end();
}

bool May(const Identity& who, const struct stat& found, unsigned want) {
  if (who.uid == 0) return true;
  const unsigned mode = found.st_mode;
  const unsigned bits = found.st_uid == who.uid       ? mode >> 6
                        : IsMember(who, found.st_gid) ? mode >> 3
                                                      : mode;
  return (bits & want) == want;
}

std::deque<std::string> Split(const std::string& path) {
  std::deque<std::string> parts;
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    if (end > start && path.substr(start, end - start) != ".")
      parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

void ReadNames(const Root& root, const std::string& path, Looked& looked) {
  const int fd = root.At(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC).Release();
  DIR* const directory = fd < 0 ? nullptr : fdopendir(fd);
  if (directory == nullptr) {
    if (fd >= 0) close(fd);
    return;
  }
  while (const dirent* entry = readdir(directory))
    if (std::string name = entry->d_name;
        name != "." && name != ".." && looked.names.size() < kMostNames)
      looked.names.push_back(std::move(name));
  closedir(directory);
  std::sort(looked.names.begin(), looked.names.end());
}

}  // namespace

Looked LookAt(const Root& root, const std::string& path, const Identity& who, Want want) {
  Looked looked{path};
  std::deque<std::string> left = Split(path);
  std::string at;  // as far as it was walked, links read
  struct stat found = {};
  while (!left.empty()) {
    const std::string name = left.front();
    left.pop_front();
    if (name == "..") {
      at = at.empty() ? "" : at.substr(0, at.rfind('/'));
      continue;
    }
    const std::string next = at + "/" + name;
    looked.end = next;
    const Fd fd = root.At(next, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (!fd || fstat(fd.get(), &found) != 0) {
      looked.error = errno == 0 ? ENOENT : errno;
      looked.mode = 0;
      return looked;
    }
    if (S_ISLNK(found.st_mode)) {
      char target[4096];
      const ssize_t length = readlinkat(fd.get(), "", target, sizeof target);
      const std::string to(target, static_cast<size_t>(std::max<ssize_t>(length, 0)));
      looked.links.emplace_back(next, to);
      if (static_cast<int>(looked.links.size()) > kMostLinks) {
        looked.error = ELOOP;
        return looked;
      }
      const std::deque<std::string> parts = Split(to);
      left.insert(left.begin(), parts.begin(), parts.end());
      if (to.starts_with('/')) at.clear();
      continue;
    }
    at = next;
    looked.mode = found.st_mode;
    looked.owner = fmt::format("{}:{}", UserName(found.st_uid), GroupName(found.st_gid));
    const bool last = left.empty();
    if (!last && !S_ISDIR(found.st_mode)) looked.error = ENOTDIR;
    looked.entering = !last && S_ISDIR(found.st_mode) && !May(who, found, 1);
    if (looked.entering || (last && !May(who, found, static_cast<unsigned>(want))))
      looked.error = EACCES;
    if (looked.error != 0) return looked;
  }
  if (S_ISDIR(looked.mode)) ReadNames(root, at, looked);
  if (S_ISREG(looked.mode) && at.starts_with(kDevices)) looked.is_node = IsNode(root, at);
  if (S_ISCHR(looked.mode) && at.starts_with(kDevices)) {
    const auto [major_number, minor_number] = world::DeviceNumberOf(at.c_str() + kDevices.size());
    looked.is_node = major_number != 0 && found.st_rdev == makedev(major_number, minor_number);
  }
  return looked;
}

}  // namespace gpustage
