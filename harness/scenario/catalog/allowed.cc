#include "harness/scenario/catalog/allowed.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

// Of every machine, and no secret of anybody's.
constexpr const char* kPrograms[] = {"/usr/bin/python3*", "/bin/sh", "/bin/bash", "/usr/bin/bash",
                                     "/lib64/ld-linux-x86-64.so.2"};
constexpr const char* kOfSystem[] = {"/usr", "/opt", "/lib", "/lib64"};
// The kernel and services listen there, or it is everything.
constexpr const char* kNeverShown[] = {"/dev", "/proc", "/sys", "/run", "/var/run"};
constexpr int64_t kLargest = int64_t{2} << 30;

struct Folders {
  std::vector<std::string> allowed, trusted;
};
Folders& TheFolders() {
  static Folders folders = [] {
    Folders from_environment;
    const char* const list = std::getenv("GPUSTAGE_ALLOW_FILE");
    std::istringstream names(list == nullptr ? "" : list);
    for (std::string name; std::getline(names, name, ':');)
      if (!name.empty()) from_environment.allowed.push_back(name);
    return from_environment;
  }();
  return folders;
}

std::string Real(const std::string& path) {
  char* const real = realpath(path.c_str(), nullptr);
  const std::string text = real == nullptr ? "" : real;
  std::free(real);
  return text;
}

bool IsBelow(const std::string& path, const std::string& directory) {
  return !path.empty() && !directory.empty() &&
         (directory == "/" || path == directory || path.starts_with(directory + "/"));
}

// Below the folder of the file that says so, a folder of ours, or one that the user allows.
bool IsNear(const YamlNode& at, const std::string& path) {
  const std::string& file = at.pos.file;
  if (file.empty()) return true;  // it was written in no file, but by the user's own program
  const auto is_in = [](const std::string& real, const std::vector<std::string>& folders) {
    return std::any_of(folders.begin(), folders.end(),
                       [&](const std::string& folder) { return IsBelow(real, Real(folder)); });
  };
  const std::string real = Real(path);
  return is_in(Real(file), TheFolders().trusted) || IsBelow(real, Real(ParentOf(file))) ||
         is_in(real, TheFolders().allowed);
}

Error Refused(const YamlNode& at, const std::string& path, const std::string& directory) {
  return ErrorAt(at, fmt::format("{} does not lie below the folder of this file; if it may be "
                                 "used: --allow-file {}",
                                 Quote(path), directory));
}

}  // namespace

Status CheckAllowed(const YamlNode& at, const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return Ok();  // for others to say
  if (!S_ISREG(found.st_mode)) return ErrorAt(at, fmt::format("{} is no regular file", path));
  if (found.st_size > kLargest)
    return ErrorAt(at, fmt::format("{} has {} MiB; a tree takes {} at most", path,
                                   found.st_size >> 20, kLargest >> 20));
  if (IsNear(at, path)) return Ok();
  if (std::any_of(std::begin(kPrograms), std::end(kPrograms), [&](const char* pattern) {
        return fnmatch(pattern, path.c_str(), FNM_PATHNAME) == 0;
      }))
    return Ok();
  return Refused(at, path, ParentOf(Real(path)));
}

Status CheckShown(const YamlNode& at, const std::string& path) {
  if (!path.starts_with('/') || LexicallyNormal(path) != path)
    return ErrorAt(at,
                   fmt::format("expected an absolute path without \"..\", got {}", Quote(path)));
  const std::string real = FileExists(path) ? Real(path) : path;
  for (const std::string& one : {path, real})
    for (const char* never : kNeverShown)
      if (one == "/" || IsBelow(one, never))
        return ErrorAt(at, fmt::format("{} is never shown to a scanner", one));
  if (IsNear(at, path)) return Ok();
  if (std::any_of(std::begin(kOfSystem), std::end(kOfSystem),
                  [&](const char* directory) { return IsBelow(real, directory); }))
    return Ok();
  return Refused(at, path, real);
}

void AllowFiles(const std::vector<std::string>& folders) {
  auto& allowed = TheFolders().allowed;
  allowed.insert(allowed.end(), folders.begin(), folders.end());
}

void TrustFilesBelow(const std::string& folder) {
  auto& trusted = TheFolders().trusted;
  if (std::find(trusted.begin(), trusted.end(), folder) == trusted.end()) trusted.push_back(folder);
}

}  // namespace gpustage
