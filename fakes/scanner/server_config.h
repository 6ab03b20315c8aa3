// The settings that Ollama shows when it starts (envconfig.AsMap of v0.17.4).
#pragma once

#include <string>

#include "fakes/scanner/environment.h"

namespace gpustage::ollama {

// The address that OLLAMA_HOST names: "127.0.0.1:11434".
std::string HostPort();

// What the line "server config" shows. OLLAMA_NUM_GPU and OLLAMA_LIBRARY_PATH are not in it: nobody
// reads them.
EnvMap ServerConfig();

}  // namespace gpustage::ollama
