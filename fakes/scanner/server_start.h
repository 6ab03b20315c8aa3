// What `ollama serve` does before it looks for a GPU, and may end at: its key, its address, its
// models directory (envconfig.Models, cmd.RunServer and server.Serve of v0.17.4).
#pragma once

#include <optional>
#include <string>

namespace gpustage::ollama {

// What the real one ends with: the text on standard error, and the exit status.
struct StartFailure {
  std::string text;  // "Error: mkdir /srv/models: permission denied: …\n"
  int status = 1;
};

// Before its first log line: the settings are read, the key is made where there is none, the
// address is taken.
std::optional<StartFailure> PrepareServer();
// After the line "server config".
std::optional<StartFailure> PrepareModels();

}  // namespace gpustage::ollama
