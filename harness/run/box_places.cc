#include "harness/run/box_places.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/files.h"
#include "harness/base/text.h"

namespace gpustage {
namespace {

constexpr const char* kDeviceNodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                        "/dev/urandom"};

bool IsEmptyDirectory(Fd fd) {
  DIR* const directory = fdopendir(fd.get());
  if (directory == nullptr) return false;
  fd.Release();
  int entries = 0;
  while (entries < 3 && readdir(directory) != nullptr) ++entries;
  closedir(directory);
  return entries == 2;  // itself and its parent
}

}  // namespace

Status PlanShown(const BoxSpec& spec, const Root& root, BoxChild& child) {
  std::vector<std::string> nodes(std::begin(kDeviceNodes), std::end(kDeviceNodes));
  nodes.insert(nodes.end(), spec.device_nodes.begin(), spec.device_nodes.end());
  for (const std::string& node : nodes) {
    TRY(const DirEntryRef place, root.MakePlace(node));
    if (Fd(openat(place.directory.get(), place.name.c_str(),
                  O_CREAT | O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW, 0666)))
      child.shown.push_back({node, node, true});
  }
  for (const std::string& directory : spec.host_directories) {
    if (!directory.starts_with('/') || LexicallyNormal(directory) != directory)
      return Error{fmt::format("{} is no absolute path of a directory to show", Quote(directory))};
    if (!IsDirectory(directory))
      return Error{fmt::format("this machine has no directory {} to show", directory)};
    TRY(root.MakeDirectory(directory));
    child.shown.push_back({directory, directory});
  }
  return root.MakeDirectory("/proc");
}

void PlanSpaces(const BoxSpec& spec, const Root& root, BoxChild& child) {
  std::vector<std::pair<std::string, const char*>> places = {
      {"/tmp", "1g"}, {"/var/tmp", "256m"}, {"/dev/shm", "256m"}};
  constexpr std::string_view kHome = "HOME=/";
  for (const std::string& entry : spec.environment)
    if (entry.starts_with(kHome) && entry.size() > kHome.size())
      places.emplace_back(entry.substr(kHome.size() - 1), "1g");
  for (const auto& [path, size] : places) {
    if (std::any_of(child.spaces.begin(), child.spaces.end(),
                    [&, p = &path](const OwnSpace& space) { return p->starts_with(space.path); }))
      continue;
    Fd fd = root.At(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat found;
    if (!fd || fstat(fd.get(), &found) != 0 || !IsEmptyDirectory(std::move(fd))) continue;
    child.spaces.push_back({path, size, fmt::format("{:o}", found.st_mode & 07777),
                            std::to_string(found.st_uid), std::to_string(found.st_gid)});
  }
}

std::string FullTree(const std::string& root) {
  struct statvfs space;
  if (statvfs(root.c_str(), &space) != 0 || (space.f_bavail != 0 && space.f_favail != 0)) return "";
  if (space.f_bavail != 0) return "the file system of its tree had no more files to give";
  return fmt::format("the file system of its tree was full, which has {} MiB",
                     space.f_blocks * space.f_frsize >> 20);
}

}  // namespace gpustage
