#include "fakes/scanner/server_config.h"

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

}  // namespace

std::string HostPort() {
  std::string host = Or(Var("OLLAMA_HOST"), "127.0.0.1");
  if (const size_t scheme = host.find("://"); scheme != std::string::npos)
    host.erase(0, scheme + 3);
  host.erase(std::min(host.find('/'), host.size()));
  return host.find(':') == std::string::npos ? host + ":11434" : host;
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
  config["OLLAMA_HOST"] = "http://" + HostPort();
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
