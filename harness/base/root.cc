#include "harness/base/root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/base/text.h"

namespace gpustage {
namespace {

Error Failed(std::string_view what, const std::string& path) {
  return {fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

// What may be read without waiting and has an end: a regular file, or none with errno.
Fd RegularOnly(Fd fd) {
  struct stat found;
  if (!fd || fstat(fd.get(), &found) != 0) return Fd();
  if (S_ISREG(found.st_mode)) return fd;
  fd.Close();
  errno = S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
  return fd;
}

// Without waiting for a FIFO's other end, and never as our terminal.
constexpr int kReadOnly = O_RDONLY | O_NONBLOCK | O_NOCTTY;

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int Fd::Release() { return std::exchange(fd_, -1); }

void Fd::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Result<Fd> OpenRegularFile(const std::string& host_path) {
  Fd fd = RegularOnly(Fd(open(host_path.c_str(), kReadOnly | O_CLOEXEC)));
  if (fd) return fd;
  if (errno == EINVAL) return Error{fmt::format("cannot read {}: not a regular file", host_path)};
  return Failed("read", host_path);
}

Result<Root> Root::Open(const std::string& host_path) {
  Fd fd(open(host_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Failed("open the tree at", host_path);
  return Root(host_path, std::move(fd));
}

Fd Root::At(const std::string& path, int flags, mode_t mode) const {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof how)));
}

Fd Root::ReadRegular(const std::string& path) const { return RegularOnly(At(path, kReadOnly)); }

Status Root::MakeDirectory(const std::string& path) const {
  if (At(path, O_PATH | O_DIRECTORY)) return Ok();
  if (errno != ENOENT) return Failed("make the directory", path);
  TRY(const DirEntryRef place, MakePlace(path));
  // A link that leads nowhere inside has the name: where it leads on this machine is not for us.
  if (mkdirat(place.directory.get(), place.name.c_str(), 0755) != 0)
    return Failed("make the directory", path);
  const Fd made(openat(place.directory.get(), place.name.c_str(),
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  // The process's umask must not decide what a scanner may read.
  if (!made || fchmod(made.get(), 0755) != 0) return Failed("make the directory", path);
  return Ok();
}

Result<DirEntryRef> Root::MakePlace(const std::string& path) const {
  // It is there already, nearly always.
  if (Result<DirEntryRef> place = FindPlace(path)) return place;
  if (const std::string parent = ParentOf(path); parent != "/") TRY(MakeDirectory(parent));
  return FindPlace(path);
}

Result<DirEntryRef> Root::FindPlace(const std::string& path) const {
  const std::string name = BaseNameOf(path);
  // Only At() keeps ".." inside the root: as a last name it would be the host's directory around
  // it.
  if (name.empty() || name == "." || name == "..")
    return Error{fmt::format("{} does not end in a name", Quote(path))};
  Fd directory = At(ParentOf(path), O_PATH | O_DIRECTORY);
  if (!directory) return Failed("reach the directory of", path);
  return DirEntryRef{std::move(directory), name};
}

Result<Fd> Root::NewFile(const std::string& path, mode_t mode) const {
  TRY(const DirEntryRef place, MakePlace(path));
  if (unlinkat(place.directory.get(), place.name.c_str(), 0) != 0 && errno != ENOENT)
    return Failed("replace", path);
  Fd fd(openat(place.directory.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
               0600));
  if (!fd) return Failed("write", path);
  if (fchmod(fd.get(), mode) != 0) return Failed("set the mode of", path);
  return fd;
}

Status Root::WriteFile(const std::string& path, std::string_view content, mode_t mode) const {
  const std::shared_lock no_fork(ForkLock());
  TRY(const Fd fd, NewFile(path, mode));
  for (size_t done = 0; done < content.size();) {
    const ssize_t n = write(fd.get(), content.data() + done, content.size() - done);
    if (n < 0) return Failed("write", path);
    done += static_cast<size_t>(n);
  }
  return Ok();
}

}  // namespace gpustage
