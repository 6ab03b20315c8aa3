#include "fakes/scanner/environment.h"

#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

namespace gpustage::ollama {
namespace {

#if defined(__aarch64__)
constexpr bool kArm64 = true;
#else
constexpr bool kArm64 = false;
#endif

// Looking for a Jetson is compiled in on arm64 alone. What it would do there can be asked for here;
// a scenario that does says so.
bool IsArm64() {
  const char* const asked = std::getenv("GPUSTAGE_OLLAMA_MACHINE");
  return kArm64 || (asked != nullptr && std::string_view(asked) == "arm64");
}

std::string Trim(std::string text, const char* characters) {
  text.erase(0, text.find_first_not_of(characters));
  text.erase(text.find_last_not_of(characters) + 1);
  return text;
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True"})
    if (text == word) return true;
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False"})
    if (text == word) return false;
  return std::nullopt;
}

// Go's strings.TrimSpace: what Unicode calls white space.
std::string TrimSpace(std::string text) {
  constexpr std::string_view kSpaces[] = {" ",
                                          "\t",
                                          "\n",
                                          "\v",
                                          "\f",
                                          "\r",
                                          "\xC2\x85",
                                          "\xC2\xA0",
                                          "\xE1\x9A\x80",
                                          "\xE2\x80\x80",
                                          "\xE2\x80\x81",
                                          "\xE2\x80\x82",
                                          "\xE2\x80\x83",
                                          "\xE2\x80\x84",
                                          "\xE2\x80\x85",
                                          "\xE2\x80\x86",
                                          "\xE2\x80\x87",
                                          "\xE2\x80\x88",
                                          "\xE2\x80\x89",
                                          "\xE2\x80\x8A",
                                          "\xE2\x80\xA8",
                                          "\xE2\x80\xA9",
                                          "\xE2\x80\xAF",
                                          "\xE2\x81\x9F",
                                          "\xE3\x80\x80"};
  for (bool trimmed = true; trimmed;) {
    trimmed = false;
    for (const std::string_view space : kSpaces) {
      if (text.starts_with(space)) {
        text.erase(0, space.size());
        trimmed = true;
      }
      if (text.ends_with(space)) {
        text.erase(text.size() - space.size());
        trimmed = true;
      }
    }
  }
  return text;
}

// Go's ParseInt: a sign and digits from end to end. 0 for all else.
long long ParseInt(const std::string& text) {
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  if (text.size() == sign || text.find_first_not_of("0123456789", sign) != std::string::npos)
    return 0;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), nullptr, 10);
  return errno == 0 ? value : 0;
}

bool IsShown(std::string_view name) {
  for (const char* prefix : {"OLLAMA_", "CUDA_", "ROCR_", "ROCM_", "HIP_", "GPU_", "HSA_", "GGML_"})
    if (name.starts_with(prefix)) return true;
  return name == "PATH" || name == "LD_LIBRARY_PATH" || name == "DYLD_LIBRARY_PATH";
}

bool SameName(const std::string& a, const std::string& b) {
  return strcasecmp(a.c_str(), b.c_str()) == 0;
}

}  // namespace

std::string Var(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : Trim(TrimSpace(value), "\"'");
}

bool BoolVar(const char* name) {
  const std::string value = Var(name);
  return !value.empty() && ParseBool(value).value_or(true);
}

Level LogLevel() {
  const std::string value = Var("OLLAMA_DEBUG");
  if (ParseBool(value).value_or(false)) return kDebug;
  return static_cast<Level>(ParseInt(value) * -4);
}

std::string Jetpack() {
  if (!IsArm64()) return "";
  if (const char* set = std::getenv("JETSON_JETPACK"); set != nullptr && *set != '\0') {
    const std::string version = set;
    return "jetpack" + version.substr(0, version.find('.'));
  }
  std::ifstream file("/etc/nv_tegra_release");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.find(" R35 ") != std::string::npos) return "jetpack5";
  return text.find(" R36 ") != std::string::npos ? "jetpack6" : "";
}

unsigned long long GpuOverhead() {
  return static_cast<unsigned long long>(ParseInt(Var("OLLAMA_GPU_OVERHEAD")));
}

std::vector<std::string> ChildEnvironment(const std::vector<std::string>& lib_dirs,
                                          const EnvMap& extra) {
  std::vector<std::string> paths = lib_dirs;
  if (const char* inherited = std::getenv("LD_LIBRARY_PATH"); inherited != nullptr)
    for (std::string& path : SplitList(inherited)) paths.push_back(std::move(path));

  EnvMap ours = extra;
  ours["LD_LIBRARY_PATH"] = Joined(paths, ":");
  ours["OLLAMA_LIBRARY_PATH"] = Joined(lib_dirs, ":");

  // A variable keeps its place; names are compared without case, as Ollama does.
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    for (auto it = ours.begin(); it != ours.end(); ++it) {
      if (!SameName(it->first, name)) continue;
      text = it->first + '=' + it->second;
      ours.erase(it);
      break;
    }
    environment.push_back(std::move(text));
  }
  for (const char* first : {"LD_LIBRARY_PATH", "OLLAMA_LIBRARY_PATH"})
    if (const auto node = ours.extract(first))
      environment.push_back(node.key() + '=' + node.mapped());
  for (const auto& [name, value] : ours) environment.push_back(name + '=' + value);
  return environment;
}

Attributes Shown(const std::vector<std::string>& environment) {
  Attributes shown;
  for (const std::string& entry : environment) {
    const size_t equals = entry.find('=');
    if (equals != std::string::npos && IsShown(entry.substr(0, equals)))
      shown.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return shown;
}

std::vector<std::string> SplitList(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t colon = list.find(':');
    parts.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) break;
    list.remove_prefix(colon + 1);
    if (list.empty()) parts.emplace_back();
  }
  return parts;
}

}  // namespace gpustage::ollama
