#include "fakes/scanner/loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace gpustage::ollama {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBackendNames[] = {"blas",    "zendnn", "cann", "cuda",   "hip",
                                         "metal",   "rpc",    "sycl", "vulkan", "opencl",
                                         "hexagon", "musa",   "cpu"};

struct CloseLibrary {
  void operator()(void* handle) const { dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

Library Open(const std::string& path) {
  return Library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
}

template <typename Function>
Function Symbol(const Library& library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library.get(), name));
}

// The score that a variant of a backend gives itself on this machine; 0 when it cannot be loaded or
// has no opinion.
int ScoreOf(const std::string& path) {
  const Library library = Open(path);
  if (library == nullptr) return 0;
  const auto score = Symbol<abi::ScoreFunction>(library, "ggml_backend_score");
  return score == nullptr ? 0 : score();
}

}  // namespace

void BackendRegistry::LoadAll(const std::string& directory) {
  for (const char* name : kBackendNames) LoadBest(name, directory);
  // The only loud way: this one is not loaded silently, in release builds either.
  if (const char* path = std::getenv("GGML_BACKEND_PATH"); path != nullptr) Load(path, false);
}

// libggml-NAME-*.so with the best score above 0; without one, libggml-NAME.so.
void BackendRegistry::LoadBest(const std::string& name, const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) {
    sink_(kDebug, error ? "ggml_backend_load_best: posix_stat(" + directory +
                              ") failure, error-message: " + error.message() + "\n"
                        : "ggml_backend_load_best: search path " + directory + " does not exist\n");
    return;
  }
  int best_score = 0;
  std::string best_path;
  // An unreadable directory has no entries; its base name below is still tried.
  for (const auto& entry :
       fs::directory_iterator(directory, fs::directory_options::skip_permission_denied)) {
    const fs::path& path = entry.path();
    if (!entry.is_regular_file() ||
        !path.filename().native().starts_with("libggml-" + name + "-") || path.extension() != ".so")
      continue;
    if (const int score = ScoreOf(path); score > best_score) {
      best_score = score;
      best_path = path;
    }
  }
  if (best_score > 0) return Load(best_path, true);

  const std::string base = (fs::path(directory) / ("libggml-" + name + ".so")).native();
  if (fs::exists(base, error)) return Load(base, true);
  if (error)
    sink_(kDebug, "ggml_backend_load_best: posix_stat(" + base +
                      ") failure, error-message: " + error.message() + "\n");
}

void BackendRegistry::Load(const std::string& path, bool silent) {
  const auto fail = [&](Level level, const std::string& text) {
    if (!silent) sink_(level, "load_backend: " + text + "\n");
  };
  Library library = Open(path);
  if (library == nullptr) {
    const char* reason = dlerror();
    return fail(kError, "failed to load " + path + ": " + (reason == nullptr ? "" : reason));
  }
  const auto score = Symbol<abi::ScoreFunction>(library, "ggml_backend_score");
  if (score != nullptr && score() == 0)
    return fail(kInfo, "backend " + path + " is not supported on this system");
  const auto init = Symbol<abi::InitFunction>(library, "ggml_backend_init");
  if (init == nullptr) return fail(kError, "failed to find ggml_backend_init in " + path);

  abi::Registration* backend = init();
  const std::string failed = "failed to initialize backend from " + path + ": ";
  if (backend == nullptr) return fail(kError, failed + "ggml_backend_init returned NULL");
  if (backend->api_version != abi::kApiVersion)
    return fail(kError, failed + "incompatible API version (backend: " +
                            std::to_string(backend->api_version) +
                            ", current: " + std::to_string(abi::kApiVersion) + ")");
  sink_(kInfo, "load_backend: loaded " + std::string(backend->get_name(backend)) +
                   " backend from " + path + "\n");
  Register(backend, score == nullptr ? -1 : score());
  library.release();  // never closed again
}

void BackendRegistry::Register(abi::Registration* backend, int score) {
  for (size_t i = 0; i < backend->get_device_count(backend); ++i)
    devices_.push_back({backend->get_device(backend, i), score});
  std::stable_sort(devices_.begin(), devices_.end(),
                   [](const ScoredDevice& a, const ScoredDevice& b) { return a.score > b.score; });
}

std::vector<abi::Device*> BackendRegistry::Devices() const {
  std::vector<abi::Device*> devices;
  for (const ScoredDevice& scored : devices_) devices.push_back(scored.device);
  return devices;
}

}  // namespace gpustage::ollama
