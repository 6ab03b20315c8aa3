#include "harness/stage/shared_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/limits.h"
#include "harness/base/process.h"
#include "harness/base/root.h"

namespace gpustage {

namespace {

// Plain reads and writes: copy_file_range between ext4 and tmpfs fails with EXDEV.
Status CopyBytes(const Fd& in, const std::string& from, const Fd& out, const std::string& to) {
  struct stat source;
  if (fstat(in.get(), &source) != 0)
    return Error{fmt::format("cannot read {}: {}", from, std::strerror(errno))};
  if (source.st_size > limits::kTreeBytes)
    return Error{fmt::format("cannot copy {}: it has {} MiB, and a tree may take {}", from,
                             source.st_size >> 20, limits::kTreeBytes >> 20)};
  char buffer[64 << 10];  // not of the heap: a fresh MiB for each small file costs more than the
                          // copy
  for (;;) {
    const ssize_t n = read(in.get(), buffer, sizeof buffer);
    if (n == 0) break;
    if (n < 0) return Error{fmt::format("cannot read {}: {}", from, std::strerror(errno))};
    for (ssize_t done = 0; done < n;) {
      const ssize_t wrote = write(out.get(), buffer + done, static_cast<size_t>(n - done));
      if (wrote < 0) return Error{fmt::format("cannot write {}: {}", to, std::strerror(errno))};
      done += wrote;
    }
  }
  return Ok();
}

}  // namespace

Status CopyInto(const Fd& from, const std::string& from_path, const DirEntryRef& to, mode_t mode) {
  const std::shared_lock no_fork(ForkLock());
  const Fd out(openat(to.directory.get(), to.name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) return Error{fmt::format("cannot write {}: {}", to.name, std::strerror(errno))};
  TRY(CopyBytes(from, from_path, out, to.name));
  if (fchmod(out.get(), mode) != 0) return Error{fmt::format("cannot set the mode of {}", to.name)};
  return Ok();
}

Status CopyFile(const std::string& from, const std::string& to) {
  TRY(const Fd in, OpenRegularFile(from));
  const std::shared_lock no_fork(ForkLock());
  const Fd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return Error{fmt::format("cannot write {}: {}", to, std::strerror(errno))};
  TRY(CopyBytes(in, from, out, to));
  if (fchmod(out.get(), 0755) != 0) return Error{fmt::format("cannot set the mode of {}", to)};
  return Ok();
}

Result<std::string> SharedFiles::CopyOf(const std::string& host_path) {
  const std::lock_guard lock(mutex_);
  if (const auto found = copies_.find(host_path); found != copies_.end()) return found->second;
  if (copies_.empty() && mkdir(directory_.c_str(), 0755) != 0 && errno != EEXIST)
    return Error{fmt::format("cannot make {}: {}", directory_, std::strerror(errno))};
  const std::string copy = fmt::format("{}/{}", directory_, copies_.size());
  TRY(CopyFile(host_path, copy));
  struct stat made;
  GPUSTAGE_CHECK(stat(copy.c_str(), &made) == 0);
  inodes_.emplace(made.st_dev, made.st_ino);
  copies_.emplace(host_path, copy);
  return copy;
}

bool SharedFiles::Holds(dev_t device, ino_t inode) const {
  const std::lock_guard lock(mutex_);
  return inodes_.contains({device, inode});
}

}  // namespace gpustage
