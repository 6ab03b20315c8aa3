#include "harness/base/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "harness/base/files.h"

namespace gpustage {
namespace {

Error CannotWrite(const std::string& path, int why) {
  return {fmt::format("cannot write {}: {}", path, std::strerror(why != 0 ? why : EIO))};
}

// A descriptor of ours by its name: what it is must not be found again by another name.
bool IsDescriptor(const std::string& path) {
  return path == "/dev/stdout" || path == "/dev/stderr" || path.starts_with("/dev/fd/") ||
         path.starts_with("/proc/self/fd/");
}

// Where the links end, also when nothing is there yet.
std::string Followed(std::string path) {
  char real[PATH_MAX];
  for (int links = 0; links < 40; ++links) {
    if (realpath(path.c_str(), real) != nullptr) return real;
    const ssize_t n = readlink(path.c_str(), real, sizeof real);
    if (n <= 0) return path;
    const std::string to(real, static_cast<size_t>(n));
    path = to.starts_with('/') ? to : ParentOf(path) + "/" + to;
  }
  return path;
}

}  // namespace

bool IsStdout(const std::string& path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

Status OutputFile::Check(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return Error{fmt::format("{} is a directory", path)};
    if (access(path.c_str(), W_OK) != 0) return Error{fmt::format("{} is not writable", path)};
    return Ok();
  }
  const std::string folder = ParentOf(Followed(path));
  if (!IsDirectory(folder)) return Error{fmt::format("there is no directory {}", folder)};
  if (access(folder.c_str(), W_OK) != 0) return Error{fmt::format("{} is not writable", folder)};
  return Ok();
}

Result<OutputFile> OutputFile::Open(const std::string& path, bool append) {
  OutputFile file;
  file.path_ = path;
  struct stat found = {};
  const bool exists = stat(path.c_str(), &found) == 0;
  const bool replaced = !append && !IsDescriptor(path) && (!exists || S_ISREG(found.st_mode));
  errno = 0;
  if (replaced) {
    file.target_ = Followed(path);
    file.temporary_ = fmt::format("{}.{}.tmp", file.target_, getpid());
    file.out_.open(file.temporary_, std::ios::binary | std::ios::trunc);
    // In a folder that is not ours the file itself may be.
    if (!file.out_ && exists) file.target_.clear();
    if (!file.out_) file.temporary_.clear();
    if (file.out_ && exists &&
        (chmod(file.temporary_.c_str(), found.st_mode & 07777) != 0 ||
         (chown(file.temporary_.c_str(), found.st_uid, found.st_gid) != 0 && errno != EPERM)))
      return CannotWrite(path, errno);
  }
  if (!file.out_.is_open() && (exists || !replaced)) {
    const bool keeps = append || IsDescriptor(path);
    file.out_.open(path, std::ios::binary | (keeps ? std::ios::app : std::ios::out));
  }
  if (!file.out_.is_open()) return CannotWrite(path, errno);
  return file;
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Status OutputFile::Close() {
  errno = 0;
  out_.close();
  if (!out_) return CannotWrite(path_, errno);
  if (target_.empty()) return Ok();
  if (rename(temporary_.c_str(), target_.c_str()) == 0) {
    temporary_.clear();
    return Ok();
  }
  if (errno != EBUSY) return CannotWrite(path_, errno);
  // Something is mounted on it, as a container's files are: it can be filled and not replaced.
  TRY(const std::string text, ReadFile(temporary_));
  std::ofstream in_place(target_, std::ios::binary | std::ios::trunc);
  in_place << text;
  in_place.close();
  return in_place ? Ok() : Status(CannotWrite(path_, errno));
}

}  // namespace gpustage
