// Host files: whole-file reads and writes, scratch directories, and lists of files.
// Boost.Filesystem stays behind this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

Result<std::string> ReadFile(const std::string& path);
// At most the first `bytes` of it.
Result<std::string> ReadFileStart(const std::string& path, size_t bytes);
// The same of a regular file only: one that somebody else has named.
Result<std::string> ReadRegularFile(const std::string& path, size_t bytes = SIZE_MAX);
// Through a temporary name beside it, so that a reader never sees half a file.
Status WriteFile(const std::string& path, std::string_view content);

// An error as it is told: with the line of its file and a caret, where it is about one.
std::string Rendered(const Error& error);

bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

// All regular files below `directory` whose name ends in `suffix`, sorted by name; links are not
// followed.
Result<std::vector<std::string>> FilesBelow(const std::string& directory, std::string_view suffix);

// "a/b/../c" -> "a/c", as text.
std::string LexicallyNormal(const std::string& path);
std::string ParentOf(const std::string& path);    // "/usr/lib" of "/usr/lib/libc.so"; "/" of "/usr"
std::string BaseNameOf(const std::string& path);  // "libc.so"

// The directory of the running program.
std::string ProgramDirectory();

// Removes a directory and all below, never following a link out of it. Mount points inside stay.
void RemoveTree(const std::string& directory);

// A directory of our own under TMPDIR, named after this process, so that a later start can tell
// whether its owner still lives. Removed with its content when the value goes.
class ScratchDirectory {
 public:
  // A `kept` one stays where it is, also when later starts clear up.
  static Result<ScratchDirectory> Make(bool kept = false);
  ScratchDirectory(ScratchDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory();
  const std::string& path() const { return path_; }

 private:
  ScratchDirectory(std::string path, bool kept) : path_(std::move(path)), kept_(kept) {}
  std::string path_;
  bool kept_ = false;
};

// Clears what gpustage processes that were killed have left under TMPDIR. Returns how many
// directories went.
int ClearStaleScratch();

}  // namespace gpustage
