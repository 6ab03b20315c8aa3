#include "fakes/scanner/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "fakes/scanner/device.h"
#include "fakes/scanner/go_death.h"
#include "fakes/scanner/loader.h"
#include "fakes/scanner/paths.h"
#include "fakes/scanner/release.h"

namespace gpustage::ollama {
namespace {

using Clock = std::chrono::steady_clock;

std::string Text(const char* text) { return text == nullptr ? "" : text; }

bool WriteAll(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0) return false;
    done += static_cast<size_t>(written);
  }
  return true;
}

// The real runner writes a small model to TMPDIR before it loads any backend. Returns the error, ""
// if there is none.
std::string WriteDummyModel() {
  const std::string directory = Text(std::getenv("TMPDIR"));
  const std::string path =
      Join(directory.empty() ? "/tmp" : directory, std::to_string(getpid()) + ".bin");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    std::string reason = std::strerror(errno);
    reason[0] = static_cast<char>(std::tolower(reason[0]));
    // The misspelling is 0.13's.
    const std::string backend = IsRelease013() ? "baackend" : "backend";
    return "failed to initialize " + backend + ": open " + path + ": " + reason + "\n";
  }
  close(fd);
  unlink(path.c_str());
  return "";
}

std::vector<std::string> LibraryPath(const Log& log) {
  if (const char* set = std::getenv("OLLAMA_LIBRARY_PATH"); set != nullptr) return SplitList(set);
  const std::string fallback =
      Join(std::filesystem::path(Executable().value_or(".")).parent_path(), "../lib/ollama");
  log.Write(kDebug, "ggml.go:74", "OLLAMA_LIBRARY_PATH not set, falling back to default",
            {{"search", fallback}});
  return SplitList(fallback);
}

void LoadBackends(const std::vector<std::string>& library_path, const Log& log,
                  BackendRegistry& registry) {
  const std::string exe_dir = std::filesystem::path(Executable().value_or(".")).parent_path();
  std::set<std::string> visited;
  for (const std::string& entry : library_path) {
    std::string path = std::filesystem::absolute(entry.empty() ? "." : entry).lexically_normal();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (path != exe_dir && path.find("lib/ollama") == std::string::npos) {
      log.Write(kDebug, "ggml.go:88", "skipping path which is not part of ollama",
                {{"path", path}});
    } else if (visited.insert(path).second) {
      log.Write(kDebug, "ggml.go:94", "ggml backend load all from path", {{"path", path}});
      registry.LoadAll(path);
    }
  }
}

// The features of each device's backend, "CUDA.0.ARCHS=900". The CPU backend is linked into the
// program, so it is always there; the model knows no more of it than this line.
Attributes SystemAttributes(const std::vector<abi::Device*>& devices) {
  Attributes attributes = {{"CPU.0.LLAMAFILE", "1"}};
  std::map<std::string, int> seen;
  for (const abi::Device* device : devices) {
    abi::Registration* backend = device->reg;
    if (backend->get_proc_address == nullptr) continue;
    const auto features = reinterpret_cast<abi::FeaturesFunction>(
        backend->get_proc_address(backend, "ggml_backend_get_features"));
    if (features == nullptr) continue;
    const std::string name = backend->get_name(backend);
    const std::string prefix = name + '.' + std::to_string(seen[name]++) + '.';
    for (const abi::Feature* feature = features(backend); feature->name != nullptr; ++feature)
      attributes.emplace_back(prefix + feature->name, Text(feature->value));
  }
  attributes.emplace_back("compiler", "cgo(gcc)");
  return attributes;
}

// Every device is initialised before the first is asked anything; GPUs are what is told of.
std::vector<abi::Device*> InitGpus(const std::vector<abi::Device*>& devices) {
  std::vector<abi::Device*> gpus;
  for (abi::Device* device : devices) {
    const abi::DeviceType type = device->iface.get_type(device);
    if (type == abi::DeviceType::kGpu || type == abi::DeviceType::kIntegratedGpu)
      gpus.push_back(device);
    if (device->iface.init_backend(device, nullptr) != nullptr) continue;
    WriteAll(STDERR_FILENO,
             "ggml-backend.cpp:258: GGML_ASSERT(backend) failed\n");  // in making the scheduler
    std::abort();
  }
  return gpus;
}

DeviceInfo Describe(abi::Device* device, const std::vector<std::string>& library_path) {
  abi::Props props = {};
  device->iface.get_props(device, &props);
  DeviceInfo info;
  info.name = Text(props.name);
  info.description = Text(props.description);
  info.id = Text(props.id);
  info.library = Text(props.library);
  info.compute_major = props.compute_major;
  info.compute_minor = props.compute_minor;
  info.driver_major = props.driver_major;
  info.driver_minor = props.driver_minor;
  info.integrated = props.integrated != 0;
  info.pci_id = Text(props.device_id);
  info.library_path = library_path;
  // The backend asks NVML first, through libggml-base, and cudaMemGetInfo only if that fails.
  device->iface.get_memory(device, &props.memory_free, &props.memory_total);
  info.total_memory = props.memory_total;
  info.free_memory = props.memory_free;
  return info;
}

// What GET /info does when it is asked for the first time.
std::string Answer(const Log& log) {
  const auto start = Clock::now();
  if (const std::string error = WriteDummyModel(); !error.empty()) return kFailedAnswer + error;
  log.Write(kInfo, "ggml.go:136", "",
            {{"architecture", "llama"},
             {"file_type", "unknown"},
             {"name", ""},
             {"description", ""},
             {"num_tensors", "0"},
             {"num_key_values", "3"}});
  const std::vector<std::string> library_path = LibraryPath(log);
  BackendRegistry registry([&log](Level level, const std::string& text) {
    if (log.Enabled(level)) WriteAll(STDERR_FILENO, text);
  });
  LoadBackends(library_path, log, registry);
  log.Write(kInfo, "ggml.go:104", "system", SystemAttributes(registry.Devices()));
  const std::vector<abi::Device*> gpus = InitGpus(registry.Devices());
  log.Write(kDebug, "runner.go:1386", "dummy model load took",
            {{"duration", GoText(Clock::now() - start)}});

  const auto gathering = Clock::now();
  std::vector<DeviceInfo> devices;
  for (abi::Device* gpu : gpus) devices.push_back(Describe(gpu, library_path));
  log.Write(kDebug, "runner.go:1391", "gathering device infos took",
            {{"duration", GoText(Clock::now() - gathering)}});
  return ToJson(devices);
}

}  // namespace

int RunRunner(const std::vector<std::string>& args) {
  DieLikeGo();
  const Log log(LogLevel());
  std::string port = "8080";
  for (size_t i = 0; i + 1 < args.size(); ++i)
    if (args[i] == "--port") port = args[i + 1];
  log.Write(kInfo, "runner.go:1411", "starting ollama engine");
  log.Write(kInfo, "runner.go:1446", "Server listening on 127.0.0.1:" + port);

  struct stat status;
  const bool has_parent = fstat(kAnswerDescriptor, &status) == 0 && S_ISFIFO(status.st_mode);
  if (!WriteAll(has_parent ? kAnswerDescriptor : STDOUT_FILENO, Answer(log))) return 1;
  pollfd parent = {kAnswerDescriptor, 0, 0};  // wakes when nobody reads any more
  if (has_parent) poll(&parent, 1, -1);
  return 0;
}

}  // namespace gpustage::ollama
