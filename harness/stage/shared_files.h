// One copy of each host file for all cases of a start, on the scratch file system, so that placing
// it is a hard link. A file of 270 MB is read once, not once a case.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/stage/kept_loader_caches.h"

namespace gpustage {

class SharedFiles {
 public:
  // `directory` is on the same file system as the trees.
  explicit SharedFiles(std::string directory) : directory_(std::move(directory)) {}

  // The path of the copy of `host_path`, made at the first call. Its mode is 0755, its owner root.
  // Thread-safe.
  Result<std::string> CopyOf(const std::string& host_path);
  // Whether a file is one of the copies, so that a change of its mode or owner would reach other
  // cases.
  bool Holds(dev_t device, ino_t inode) const;
  KeptLoaderCaches& loader_caches() { return loader_caches_; }

 private:
  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> copies_;
  std::set<std::pair<dev_t, ino_t>> inodes_;
  KeptLoaderCaches loader_caches_;
};

// Copies the bytes of one regular file to another path, which must not exist. Mode 0755.
Status CopyFile(const std::string& from, const std::string& to);
// The same from an open file to a name in an open directory.
Status CopyInto(const Fd& from, const std::string& from_path, const DirEntryRef& to, mode_t mode);

}  // namespace gpustage
