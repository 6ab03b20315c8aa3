#include "fakes/scanner/discovery.h"

#include <chrono>
#include <cstdio>
#include <cstring>

#include "fakes/scanner/filters.h"
#include "fakes/scanner/paths.h"
#include "fakes/scanner/release.h"
#include "fakes/scanner/report.h"
#include "fakes/scanner/runner.h"
#include "fakes/scanner/server_config.h"
#include "fakes/scanner/server_start.h"
#include "fakes/scanner/spawn.h"

namespace gpustage::ollama {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kTimeLimit{30};  // of one directory, and of the whole second pass

std::string WithoutStatus(const std::string& body) {
  return body.starts_with(kFailedAnswer) ? body.substr(std::strlen(kFailedAnswer)) : body;
}

// Why a runner that gave no exit code gave no devices.
std::string FailureText(const RunnerAnswer& answer) {
  if (!answer.body)
    return answer.exit_code ? "runner crashed" : "failed to finish discovery before timeout";
  return "runner error: " + WithoutStatus(*answer.body);
}

// One start of a runner, from its line "starting runner" to "bootstrap discovery took".
class Bootstrap {
 public:
  Bootstrap(std::vector<std::string> lib_dirs, EnvMap extra, const Log& log)
      : lib_dirs_(std::move(lib_dirs)), extra_(std::move(extra)), log_(log) {}

  void Start(int port) {
    log_.Write(kTrace, "runner.go:440", "starting runner for device discovery",
               {{"libDirs", GoText(lib_dirs_)}, {"extraEnvs", GoText(extra_)}});
    const RunnerCommand command = {
        {Executable().value_or(""), "runner", "--ollama-engine", "--port", std::to_string(port)},
        ChildEnvironment(lib_dirs_, extra_),
        log_.level() == kTrace};  // exactly: at OLLAMA_DEBUG=3 the output is lost again
    log_.Write(kInfo, "server.go:431", "starting runner", {{"cmd", Joined(command.argv, " ")}});
    log_.Write(kDebug, "server.go:432", "subprocess", Shown(command.environment));
    std::string error;
    runner_ = StartRunner(command, error);
    if (!runner_)
      log_.Write(kDebug, "runner.go:449", "failed to start runner to discovery GPUs",
                 {{"error", error}});
  }

  std::vector<DeviceInfo> Await(Clock::time_point deadline) {
    std::vector<DeviceInfo> devices;
    if (runner_) {
      devices = Judge(AwaitAnswer(*runner_, deadline));
      log_.Write(kTrace, "runner.go:467", "runner enumerated devices",
                 {{"OLLAMA_LIBRARY_PATH", GoText(lib_dirs_)}, {"devices", GoText(devices)}});
    }
    log_.Write(kDebug, "runner.go:437", "bootstrap discovery took",
               {{"duration", GoText(Clock::now() - start_)},
                {"OLLAMA_LIBRARY_PATH", GoText(lib_dirs_)},
                {"extra_envs", GoText(extra_)}});
    return devices;
  }

 private:
  // A runner that ended with an exit code, crashed ones included, is a matter for TRACE. What has
  // none is INFO.
  std::vector<DeviceInfo> Judge(const RunnerAnswer& answer) {
    Attributes attributes = {{"OLLAMA_LIBRARY_PATH", GoText(lib_dirs_)},
                             {"extra_envs", GoText(extra_)}};
    if (answer.body) {
      if (auto devices = FromJson(*answer.body)) return *std::move(devices);
      log_.Write(kTrace, "device.go:658", "runner failed to discover free VRAM",
                 {{"status", "500"}, {"response", WithoutStatus(*answer.body)}});
    }
    if (answer.exit_code.value_or(-1) >= 0) {
      attributes.emplace_back("code", std::to_string(*answer.exit_code));
      log_.Write(kTrace, "runner.go:462", "runner exited", attributes);
      return {};
    }
    attributes.emplace_back("error", FailureText(answer));
    log_.Write(kInfo, "runner.go:464", "failure during GPU discovery", attributes);
    return {};
  }

  std::vector<std::string> lib_dirs_;
  EnvMap extra_;
  const Log& log_;
  Clock::time_point start_ = Clock::now();
  std::optional<RunnerProcess> runner_;
};

// The real one binds to port 0 and takes what it gets. The model never listens, so a running number
// does.
class Ports {
 public:
  int Next() { return next_++; }

 private:
  int next_ = 49152;
};

// First pass: one runner for each directory, one after the other. Duplicates are kept.
std::vector<DeviceInfo> FindDevices(Ports& ports, const Log& log) {
  const std::string top = LibOllamaPath();
  const auto found = CandidateDirectories(top);
  if (!found)  // the line's number is not recorded
    log.Write(kDebug, "runner.go:59", "unable to lookup runner library directories",
              {{"error", "syntax error in pattern"}});
  const std::vector<std::string> candidates = found.value_or(std::vector<std::string>());
  log.Write(kInfo, "runner.go:67", "discovering available GPUs...");
  WarnOfOverrides(log);

  std::vector<DeviceInfo> devices;
  const auto attempt = [&](const std::vector<std::string>& lib_dirs) {
    Bootstrap bootstrap(lib_dirs, {}, log);
    bootstrap.Start(ports.Next());
    for (DeviceInfo& device : bootstrap.Await(Clock::now() + kTimeLimit))
      devices.push_back(std::move(device));
  };
  if (candidates.empty()) attempt({top});  // no filter applies to the top directory alone
  for (const std::string& directory : candidates)
    if (!SkipDirectory(directory, log)) attempt({top, directory});
  return devices;
}

// Second pass: each CUDA and ROCm device alone in a runner of its own, all at once. The order of
// the lines of different devices is random in the real one; here they are started and judged in
// order, so a slow one delays those after it.
std::vector<bool> ValidateDevices(const std::vector<DeviceInfo>& devices, Ports& ports,
                                  Supported& supported, const Log& log) {
  const auto deadline = Clock::now() + kTimeLimit;
  std::vector<bool> needs_delete(devices.size());
  std::map<size_t, Bootstrap> running;
  for (size_t i = 0; i < devices.size(); ++i) {
    const DeviceInfo& device = devices[i];
    if (!NeedsInitValidation(device)) {
      supported[device.library][device.LibDir()][device.id] = i;
      continue;
    }
    log.Write(kDebug, "runner.go:146", "verifying if device is supported",
              {{"library", device.LibDir()},
               {"description", device.description},
               {"compute", device.Compute()},
               {"id", device.id},
               {"pci_id", device.pci_id}});
    running.try_emplace(i, device.library_path, ValidationEnvironment(device), log);
  }
  for (auto& [i, bootstrap] : running) bootstrap.Start(ports.Next());
  for (auto& [i, bootstrap] : running) {
    const DeviceInfo& device = devices[i];
    if (!bootstrap.Await(deadline).empty()) {
      supported[device.library][device.LibDir()][device.id] = i;
      continue;
    }
    log.Write(kDebug, "runner.go:153", "filtering device which didn't fully initialize",
              {{"id", device.id},
               {"libdir", device.LibDir()},
               {"pci_id", device.pci_id},
               {"library", device.library}});
    needs_delete[i] = true;
  }
  return needs_delete;
}

std::vector<DeviceInfo> GpuDevices(const Log& log) {
  const auto start = Clock::now();
  if (!Executable()) {
    log.Write(kError, "runner.go:49", "unable to lookup executable path",
              {{"error", "readlink /proc/self/exe: no such file or directory"}});
    return {};
  }
  Ports ports;
  Supported supported;
  std::vector<DeviceInfo> devices = FindDevices(ports, log);
  log.Write(kDebug, "runner.go:124", "evaluating which, if any, devices to filter out",
            {{"initial_count", std::to_string(devices.size())}});
  std::vector<bool> needs_delete = ValidateDevices(devices, ports, supported, log);
  log.Write(kTrace, "runner.go:174", "supported GPU library combinations before filtering",
            {{"supported", GoText(supported)}});
  FilterOverlapByLibrary(supported, needs_delete, log);
  DeleteMarked(devices, needs_delete, log);
  DropDuplicates(devices, log);
  log.Write(kDebug, "runner.go:40", "GPU bootstrap discovery took",
            {{"duration", GoText(Clock::now() - start)}});
  return devices;
}

int End(const StartFailure& failure) {
  std::fputs(failure.text.c_str(), stderr);
  return failure.status;
}

}  // namespace

int Serve() {
  const Log log(LogLevel());
  if (const auto failed = PrepareServer()) return End(*failed);
  log.Write(kInfo, "routes.go:1663", "server config", {{"env", GoText(ServerConfig())}});
  if (const auto failed = PrepareModels()) return End(*failed);
  log.Write(kInfo, "routes.go:1718",
            "Listening on " + ListeningAt() + " (version " + Release() + ')');
  ReportDevices(GpuDevices(log), log);
  return 0;
}

}  // namespace gpustage::ollama
