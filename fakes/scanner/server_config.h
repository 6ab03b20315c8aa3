// The settings that Ollama shows when it starts (envconfig.AsMap of v0.17.4).
#pragma once

#include <string>

#include "fakes/scanner/environment.h"

namespace gpustage::ollama {

// The address that OLLAMA_HOST names, as envconfig.Host reads it.
struct HostAddress {
  std::string scheme;
  std::string host;  // without brackets
  std::string port;
  std::string path;          // "/ollama"
  std::string Text() const;  // "127.0.0.1:11434", "[::1]:11434"
};
HostAddress ServerAddress();
// Where Go says that it listens: on every address that is "[::]".
std::string ListeningAt();

// What the line "server config" shows. OLLAMA_NUM_GPU and OLLAMA_LIBRARY_PATH are not in it: nobody
// reads them.
EnvMap ServerConfig();

}  // namespace gpustage::ollama
