#include "harness/run/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

namespace gpustage {
namespace {

// The names in a directory of the tree; none when it is no directory.
std::vector<std::string> NamesAt(const Root& root, const std::string& path) {
  Fd fd = root.At(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(fd ? fdopendir(fd.get()) : nullptr, closedir);
  if (!directory) return {};
  fd.Release();
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get()))
    if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Status Add(const Root& root, const std::string& below, std::vector<std::string>& files) {
  for (const std::string& name : NamesAt(root, "/proc" + below)) {
    const std::string path = below + "/" + name;
    const Fd fd = root.At("/proc" + path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat staged, kernels;
    if (!fd || fstat(fd.get(), &staged) != 0) continue;
    // A link of the kernel's, /proc/self, leads to a process: nothing is put there.
    if (lstat(("/proc" + path).c_str(), &kernels) != 0 ||
        (staged.st_mode & S_IFMT) != (kernels.st_mode & S_IFMT) ||
        (!S_ISREG(staged.st_mode) && !S_ISDIR(staged.st_mode)))
      return Error{
          fmt::format("the kernel has no such thing as the tree's /proc{} here, and none "
                      "can be made in /proc but below /proc/driver",
                      path)};
    if (S_ISREG(staged.st_mode) || path == "/driver") {
      files.push_back("/proc" + path);
    } else {
      TRY(Add(root, path, files));
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<std::string>> ProcFiles(const Root& root) {
  std::vector<std::string> files;
  TRY(Add(root, "", files));
  return files;
}

}  // namespace gpustage
