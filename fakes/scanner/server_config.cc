#include "fakes/scanner/server_config.h"

#include <arpa/inet.h>

#include <algorithm>

#include "fakes/scanner/release.h"

namespace gpustage::ollama {
namespace {

std::string Or(std::string value, const char* fallback) { return value.empty() ? fallback : value; }

// Go calls the level -8 "DEBUG-4" here; only its log lines say TRACE.
std::string LevelText(Level level) {
  if (level == kInfo) return "INFO";
  return level == kDebug ? "DEBUG" : "DEBUG" + std::to_string(level - kDebug);
}

std::string Origins() {
  std::string text = Var("OLLAMA_ORIGINS");
  for (char& c : text)
    if (c == ',') c = ' ';
  for (const std::string host : {"localhost", "127.0.0.1", "0.0.0.0"})
    for (const std::string end : {"", ":*"})
      for (const std::string scheme : {"http://", "https://"})
        text += (text.empty() ? "" : " ") + scheme + host + end;
  return '[' + text + " app://* file://* tauri://* vscode-webview://* vscode-file://*]";
}

// Go's net.SplitHostPort: the last colon parts them, and a host with colons stands in brackets.
bool SplitHostPort(const std::string& text, std::string& host, std::string& port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string before = text.substr(0, colon);
  if (before.starts_with('[')) {
    if (!before.ends_with(']')) return false;
    before = before.substr(1, before.size() - 2);
  } else if (before.find(':') != std::string::npos) {
    return false;
  }
  host = before;
  port = text.substr(colon + 1);
  return true;
}

bool IsAddress(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool IsPort(const std::string& text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string::npos && std::stoi(text) <= 65535;
}

}  // namespace

std::string HostAddress::Text() const {
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + port;
}

HostAddress ServerAddress() {
  HostAddress address{"http", "", "", ""};
  std::string rest = Var("OLLAMA_HOST"), usual = "11434";
  if (const size_t scheme = rest.find("://"); scheme != std::string::npos) {
    address.scheme = rest.substr(0, scheme);
    rest.erase(0, scheme + 3);
    if (address.scheme == "http") usual = "80";
    if (address.scheme == "https") usual = "443";
  }
  if (const size_t path = rest.find('/'); path != std::string::npos) {
    address.path = rest.substr(path);
    rest.erase(path);
  }
  const bool is_split = SplitHostPort(rest, address.host, address.port);
  if (!is_split) {
    std::string bare = rest;
    bare.erase(0, bare.find_first_not_of("[]"));
    bare.erase(bare.find_last_not_of("[]") + 1);
    address.host = IsAddress(bare) ? bare : rest.empty() ? "127.0.0.1" : rest;
    address.port = usual;
  }
  if (!IsPort(address.port)) address.port = usual;
  return address;
}

std::string ListeningAt() {
  HostAddress address = ServerAddress();
  if (address.host.empty() || address.host == "0.0.0.0") address.host = "::";
  if (address.host == "localhost") address.host = "127.0.0.1";
  return address.Text();
}

EnvMap ServerConfig() {
  EnvMap config = {{"OLLAMA_CONTEXT_LENGTH", "0"},
                   {"OLLAMA_EDITOR", ""},
                   {"OLLAMA_GPU_OVERHEAD", "0"},
                   {"OLLAMA_KEEP_ALIVE", "5m0s"},
                   {"OLLAMA_KV_CACHE_TYPE", ""},
                   {"OLLAMA_LLM_LIBRARY", ""},
                   {"OLLAMA_LOAD_TIMEOUT", "5m0s"},
                   {"OLLAMA_MAX_LOADED_MODELS", "0"},
                   {"OLLAMA_MAX_QUEUE", "512"},
                   {"OLLAMA_MODELS", Or(Var("HOME"), "") + "/.ollama/models"},
                   {"OLLAMA_NUM_PARALLEL", "1"},
                   {"CUDA_VISIBLE_DEVICES", ""},
                   {"GGML_VK_VISIBLE_DEVICES", ""},
                   {"GPU_DEVICE_ORDINAL", ""},
                   {"HIP_VISIBLE_DEVICES", ""},
                   {"HSA_OVERRIDE_GFX_VERSION", ""},
                   {"ROCR_VISIBLE_DEVICES", ""},
                   {"HTTPS_PROXY", ""},
                   {"HTTP_PROXY", ""},
                   {"NO_PROXY", ""},
                   {"https_proxy", ""},
                   {"http_proxy", ""},
                   {"no_proxy", ""}};
  for (auto& [name, value] : config) value = Or(Var(name.c_str()), value.c_str());
  for (const char* name :
       {"OLLAMA_FLASH_ATTENTION", "OLLAMA_MULTIUSER_CACHE", "OLLAMA_NEW_ENGINE", "OLLAMA_NOHISTORY",
        "OLLAMA_NOPRUNE", "OLLAMA_NO_CLOUD", "OLLAMA_SCHED_SPREAD", "OLLAMA_VULKAN"})
    config[name] = BoolVar(name) ? "true" : "false";
  config["OLLAMA_DEBUG"] = LevelText(LogLevel());
  const HostAddress address = ServerAddress();
  config["OLLAMA_HOST"] = address.scheme + "://" + address.Text() + address.path;
  config["OLLAMA_ORIGINS"] = Origins();
  config["OLLAMA_REMOTES"] = '[' + Or(Var("OLLAMA_REMOTES"), "ollama.com") + ']';
  if (IsRelease013()) {
    config.erase("OLLAMA_EDITOR");
    config.erase("OLLAMA_NO_CLOUD");
    if (config["OLLAMA_CONTEXT_LENGTH"] == "0") config["OLLAMA_CONTEXT_LENGTH"] = "4096";
  }
  return config;
}

}  // namespace gpustage::ollama
