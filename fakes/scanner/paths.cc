#include "fakes/scanner/paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "fakes/scanner/go_glob.h"

namespace gpustage::ollama {
namespace {

bool Exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
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

std::optional<std::vector<std::string>> CandidateDirectories(const std::string& lib_ollama_path) {
  const auto files = GoGlob(Join(lib_ollama_path, "*/*ggml-*"));
  if (!files) return std::nullopt;
  std::vector<std::string> candidates;
  for (const std::string& file : *files) {
    const std::string directory = std::filesystem::path(file).parent_path();
    if (std::find(candidates.begin(), candidates.end(), directory) == candidates.end())
      candidates.push_back(directory);
  }
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

std::string Base(const std::string& path) { return std::filesystem::path(path).filename(); }

std::string Join(const std::string& directory, const std::string& name) {
  return (std::filesystem::path(directory) / name).lexically_normal();
}

}  // namespace gpustage::ollama
