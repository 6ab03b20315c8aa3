#include "harness/host_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "harness/base/files.h"
#include "harness/run/host_run.h"
#include "harness/run/watched_process.h"

namespace gpustage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostProcesses = 16;
constexpr size_t kMostNodes = 64;

std::string Proc(pid_t pid, const std::string& file) {
  return fmt::format("/proc/{}/{}", pid, file);
}

std::vector<std::string> Parts(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

// The whole of a file of /proc, or why not.
std::string ReadProc(pid_t pid, const std::string& file, std::string& why) {
  const std::optional<std::string> text = ProcFileOf(pid, file);
  if (!text) why = std::strerror(errno);
  return text.value_or("");
}

void ReadStatus(HostProcess& process, pid_t& parent) {
  std::string why;
  for (const std::string& line : Parts(ReadProc(process.pid, "status", why), '\n')) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "PPid:") words >> parent;
    if (key == "Uid:") words >> process.user.uid >> process.user.uid;  // the effective one
    if (key == "Gid:") words >> process.user.gid >> process.user.gid;
    gid_t group = 0;
    while (key == "Groups:" && words >> group) process.user.groups.push_back(group);
  }
}

bool LeadsToGpus(const std::string& name) {
  static const char* const kStarts[] = {"CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_",  "GPU_",
                                        "GGML_", "VK_",     "LD_",  "ZE_",  "ONEAPI_"};
  return name.find("VISIBLE_DEVICES") != std::string::npos || name == "OLLAMA_LLM_LIBRARY" ||
         name == "OLLAMA_VULKAN" ||
         std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](auto* start) { return name.starts_with(start); });
}

void ReadVariables(HostProcess& process) {
  for (const std::string& entry :
       Parts(ReadProc(process.pid, "environ", process.no_variables), '\0')) {
    const size_t equals = entry.find('=');
    if (equals != std::string::npos && LeadsToGpus(entry.substr(0, equals)))
      process.variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
}

// "580.159.04" of "libcuda.so.580.159.04".
std::string VersionOf(const std::string& name) {
  const size_t so = name.find(".so.");
  if (so == std::string::npos) return "";
  const std::string version = name.substr(so + 4);
  return version.find('.') == std::string::npos ? "" : version;
}

void ReadMaps(HostProcess& process) {
  constexpr std::string_view kReplaced = " (deleted)";
  for (const std::string& line : Parts(ReadProc(process.pid, "maps", process.no_maps), '\n')) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    MappedLibrary library;
    library.path = line.substr(slash);
    library.replaced = library.path.ends_with(kReplaced);
    if (library.replaced) library.path.resize(library.path.size() - kReplaced.size());
    const std::string name = BaseNameOf(library.path);
    library.family = FamilyOfLibrary(name);
    library.version = VersionOf(name);
    const bool known = std::any_of(process.libraries.begin(), process.libraries.end(),
                                   [&](const auto& one) { return one.path == library.path; });
    if (library.family != Family::kNone && !known) process.libraries.push_back(library);
  }
}

void ReadOpenNodes(HostProcess& process) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(Proc(process.pid, "fd"), error)) {
    const std::string path = LinkOf(process.pid, "fd/" + entry.path().filename().string());
    if ((path.starts_with("/dev/nvidia") || path == "/dev/kfd" || path.starts_with("/dev/dri/") ||
         path == "/dev/dxg") &&
        std::find(process.open_nodes.begin(), process.open_nodes.end(), path) ==
            process.open_nodes.end() &&
        process.open_nodes.size() < kMostNodes)
      process.open_nodes.push_back(path);
  }
  if (error) process.no_nodes = error.message();
  std::sort(process.open_nodes.begin(), process.open_nodes.end());
}

// Those of a vendor whose node or module is here at all.
void LookAtNodes(HostProcess& process, const std::string& kernel_driver) {
  const Result<Root> root = Root::Open(Proc(process.pid, "root"));
  if (!root) {
    process.no_files = root.error().message;
    return;
  }
  std::vector<std::string> usual;
  if (!kernel_driver.empty() || process.Holds(Family::kDriver))
    usual = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"};
  std::error_code error;
  if (fs::exists("/sys/class/kfd", error) || process.Holds(Family::kHsa))
    usual.insert(usual.end(), {"/dev/kfd", "/dev/dri/renderD128"});
  for (const std::string& path : usual)
    process.nodes.push_back(LookAt(*root, path, process.user, Want::kWrite));
}

// Only who sees our files finds what we find.
void AskItsDriver(HostProcess& process, const Recorders& recorders) {
  if (process.own_mounts || !process.no_variables.empty() || process.argv.empty()) return;
  const MappedLibrary* const driver = process.Driver();
  std::string why;
  const HostStart start = {process.argv, Parts(ReadProc(process.pid, "environ", why), '\0')};
  process.asked = driver == nullptr ? "libcuda.so.1" : driver->path;
  process.answers = AskDriver(start, "cuda", process.asked, recorders);
}

HostProcess ReadOne(pid_t pid, const std::string& kernel_driver) {
  HostProcess process;
  process.pid = pid;
  pid_t parent = 0;
  ReadStatus(process, parent);
  std::string why;
  process.argv = Parts(ReadProc(pid, "cmdline", why), '\0');
  ReadVariables(process);
  ReadMaps(process);
  ReadOpenNodes(process);
  const std::string its = LinkOf(pid, "ns/mnt");
  process.own_mounts = !its.empty() && its != LinkOf(getpid(), "ns/mnt");
  LookAtNodes(process, kernel_driver);
  return process;
}

// Those below it, its children first.
std::vector<pid_t> Below(pid_t pid) {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    HostProcess one;
    one.pid = static_cast<pid_t>(std::atol(name.c_str()));
    pid_t parent = 0;
    ReadStatus(one, parent);
    children.emplace(parent, one.pid);
  }
  std::vector<pid_t> below = {pid};
  for (size_t i = 0; i < below.size() && below.size() < 1024; ++i)
    for (auto [at, end] = children.equal_range(below[i]); at != end; ++at)
      below.push_back(at->second);
  below.erase(below.begin());
  return below;
}

}  // namespace

bool HostProcess::Holds(Family family) const {
  return std::any_of(libraries.begin(), libraries.end(),
                     [&](const MappedLibrary& one) { return one.family == family; });
}

const MappedLibrary* HostProcess::Driver() const {
  for (const MappedLibrary& one : libraries)
    if (one.family == Family::kDriver) return &one;
  return nullptr;
}

std::string KernelDriverHere() {
  const Result<std::string> text = ReadFile("/proc/driver/nvidia/version");
  if (!text) return "";
  for (size_t at = text->find("Module"); at != std::string::npos;
       at = text->find("Module", at + 1)) {
    const size_t begin = text->find_first_of("0123456789", at);
    if (begin == std::string::npos) return "";
    const size_t end = text->find_first_not_of("0123456789.", begin);
    const std::string version = text->substr(begin, end - begin);
    if (version.find('.') != std::string::npos) return version;
  }
  return "";
}

Result<HostProcesses> ReadHostProcesses(pid_t pid, const Recorders& recorders) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return Error{fmt::format("there is no process {}", pid)};
  HostProcesses processes;
  processes.kernel_driver = KernelDriverHere();
  processes.all.push_back(ReadOne(pid, processes.kernel_driver));
  for (const pid_t below : Below(pid)) {
    if (processes.all.size() >= kMostProcesses) break;
    HostProcess process = ReadOne(below, processes.kernel_driver);
    if (!process.libraries.empty() || !process.open_nodes.empty())
      processes.all.push_back(std::move(process));
  }
  for (HostProcess& process : processes.all)
    if (process.pid == pid || process.Driver() != nullptr) AskItsDriver(process, recorders);
  return processes;
}

}  // namespace gpustage
