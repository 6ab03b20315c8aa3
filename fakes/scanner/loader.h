// ggml's backend loader as a release build of Ollama 0.17 has it (ggml-backend-reg.cpp of v0.17.4
// with NDEBUG): it says when a backend was loaded, and nothing at all when one was not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fakes/scanner/backend_abi.h"
#include "fakes/scanner/slog.h"

namespace gpustage::ollama {

// Takes ggml's own lines. Its levels are those of slog: Ollama's sink maps one onto the other.
using GgmlSink = std::function<void(Level, const std::string& text)>;

class BackendRegistry {
 public:
  explicit BackendRegistry(GgmlSink sink) : sink_(std::move(sink)) {}

  // ggml_backend_load_all_from_path: each known backend name in turn, then what GGML_BACKEND_PATH
  // names. Throws where the real one throws, at a path that is no directory; nobody catches it
  // there either.
  void LoadAll(const std::string& directory);

  // A backend that was loaded by two paths is here twice. A higher score comes first.
  std::vector<abi::Device*> Devices() const;

 private:
  struct ScoredDevice {
    abi::Device* device;
    int score;
  };

  void LoadBest(const std::string& name, const std::string& directory);
  void Load(const std::string& path, bool silent);
  void Register(abi::Registration* backend, int score);

  GgmlSink sink_;
  std::vector<ScoredDevice> devices_;
};

}  // namespace gpustage::ollama
