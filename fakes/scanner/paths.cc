#include "fakes/scanner/paths.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace gpustage::ollama {
namespace {

bool Exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// All names, hidden ones too. A directory that cannot be read has none.
std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(
      opendir(directory.empty() ? "." : directory.c_str()), closedir);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::optional<std::string> Executable() {
  char buffer[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  if (length <= 0 || length == sizeof buffer) return std::nullopt;
  const std::string path(buffer, static_cast<size_t>(length));
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                             std::free);
  return resolved == nullptr ? path : std::string(resolved.get());
}

std::string LibOllamaPath() {
  const std::optional<std::string> exe = Executable();
  char cwd[PATH_MAX];
  if (!exe || getcwd(cwd, sizeof cwd) == nullptr) return "";
  const std::string exe_dir = std::filesystem::path(*exe).parent_path();
  for (const std::string& path : {Join(exe_dir, "../lib/ollama"), Join(exe_dir, "build/lib/ollama"),
                                  Join(cwd, "build/lib/ollama")})
    if (Exists(path)) return path;
  return exe_dir;
}

std::vector<std::string> CandidateDirectories(const std::string& lib_ollama_path) {
  std::vector<std::string> candidates;
  for (const std::string& name : Names(lib_ollama_path)) {
    const std::string directory = Join(lib_ollama_path, name);
    if (!IsDirectory(directory)) continue;
    for (const std::string& file : Names(directory)) {
      if (file.find("ggml-") == std::string::npos) continue;
      candidates.push_back(directory);
      break;
    }
  }
  return candidates;
}

std::string Base(const std::string& path) { return std::filesystem::path(path).filename(); }

std::string Join(const std::string& directory, const std::string& name) {
  return (std::filesystem::path(directory) / name).lexically_normal();
}

}  // namespace gpustage::ollama
