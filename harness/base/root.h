// A directory that plays "/" for a tree. Every path given to it is resolved inside it, links and
// ".." included, so that nothing a scenario says can reach the host (openat2 with RESOLVE_IN_ROOT,
// Linux 5.6).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace gpustage {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { Close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// Opens a file of this machine to read it: a regular one or an error. A FIFO would keep us waiting
// and a device would never end.
Result<Fd> OpenRegularFile(const std::string& host_path);

// The last name of a path and the open directory that holds it.
struct DirEntryRef {
  Fd directory;
  std::string name;
};

class Root {
 public:
  static Result<Root> Open(const std::string& host_path);

  const std::string& host_path() const { return host_path_; }
  int fd() const { return fd_.get(); }

  // Opens what `path` names, following links inside the root. `flags` as for open(2). On failure
  // errno says why.
  Fd At(const std::string& path, int flags, mode_t mode = 0) const;
  // The same to read what a scanner may have put there: a regular file, or an invalid one with
  // errno.
  Fd ReadRegular(const std::string& path) const;
  // Where `path` would be made: its parent directory, made with mode 0755 as far as it is missing.
  Result<DirEntryRef> MakePlace(const std::string& path) const;
  // Where `path` is: its parent must exist. The last name is not followed.
  Result<DirEntryRef> FindPlace(const std::string& path) const;
  // Makes the directory and its parents; one that is there already stays as it is.
  Status MakeDirectory(const std::string& path) const;
  // A new empty file, in place of what had the name, open for writing.
  Result<Fd> NewFile(const std::string& path, mode_t mode) const;
  // The same with its content.
  Status WriteFile(const std::string& path, std::string_view content, mode_t mode) const;

 private:
  Root(std::string host_path, Fd fd) : host_path_(std::move(host_path)), fd_(std::move(fd)) {}
  std::string host_path_;
  Fd fd_;
};

}  // namespace gpustage
