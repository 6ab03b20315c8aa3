#include "harness/evidence/loader/outside.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/evidence.h"

namespace gpustage {
namespace {

// Begins of the names of libraries by which a program comes to a GPU, or does its work there.
constexpr std::string_view kGpuNames[] = {
    "libcuda.so",     "libcudart.so", "libcublas",    "libcudnn",    "libcufft",
    "libcurand",      "libcusparse",  "libcusolver",  "libnvidia-",  "libnvrtc",
    "libnvJitLink",   "libnccl",      "libggml-",     "libamdhip64", "librocm",
    "libhsa-runtime", "libze_",       "libvulkan.so", "libOpenCL.so"};
// Where the kernel tells of devices. Everything else of /proc is the same on a machine without a
// GPU.
constexpr std::string_view kDeviceFacts[] = {"/proc/driver/nvidia", "/proc/modules",
                                             "/proc/devices", "/proc/bus/pci", "/proc/misc"};

bool Under(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

bool WasUsed(const Event& event) {
  switch (event.kind) {
    case EventKind::kLoad: return event.subject.starts_with('/');
    case EventKind::kOpen:
    case EventKind::kLook:
    case EventKind::kList:
    case EventKind::kExec: return event.value == 0;
    default: return false;
  }
}

// "/proc/7/maps" and "/proc/self/exe" are of the process itself.
bool IsOfProcess(const std::string& path) {
  const std::string name = path.substr(6, path.find('/', 6) - 6);
  return name.empty() || name == "self" || name == "thread-self" ||
         name.find_first_not_of("0123456789") == std::string::npos;
}

bool IsOfKernel(const std::string& path) {
  return path.starts_with("/proc/") && !IsOfProcess(path);
}

// What was asked of the kernel and was not a look alone.
bool WasRead(const Event& event) {
  return event.kind != EventKind::kLook && event.kind != EventKind::kList;
}

class Audit {
 public:
  explicit Audit(const AfterRun& after) : after_(after) {}

  std::vector<Outside> Find(const Evidence& evidence) {
    for (const Event& event : evidence.events)
      if (WasUsed(event)) LookAtUse(event);
    std::vector<Outside> list;
    for (auto& [key, outside] : found_) list.push_back(std::move(outside));
    std::stable_sort(list.begin(), list.end(),
                     [](const Outside& a, const Outside& b) { return a.event < b.event; });
    return list;
  }

 private:
  void LookAtUse(const Event& event) {
    const std::string path = LexicallyNormal(event.subject);
    for (const std::string& directory : after_.host_directories)
      if (Under(path, directory)) {
        if (IsGpuLibrary(path)) return Note(event, path, Outside::What::kDeclaredLibrary, false);
        return Note(event, directory, Outside::What::kDeclaredDirectory, false);
      }
    if (IsOfKernel(path)) {
      if (Contains(after_.own_kernel_files, path)) return;
      const bool device =
          std::any_of(std::begin(kDeviceFacts), std::end(kDeviceFacts),
                      [&](std::string_view fact) { return path.starts_with(fact); });
      return Note(event, path, device ? Outside::What::kDevices : Outside::What::kKernel, device);
    }
    if (WasRead(event) && Contains(after_.of_machine, path))
      Note(event, path, Outside::What::kLibrary, true);
  }

  void Note(const Event& event, const std::string& path, Outside::What what, bool leak) {
    Outside& outside = found_[{event.pid, path}];
    if (outside.count++ > 0) return;
    outside = {event.pid, path, what, leak, 1, event.id};
  }

  const AfterRun& after_;
  std::map<std::pair<int, std::string>, Outside> found_;
};

}  // namespace

bool IsGpuLibrary(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return name.find(".so") != std::string::npos &&
         std::any_of(std::begin(kGpuNames), std::end(kGpuNames),
                     [&](std::string_view begin) { return name.starts_with(begin); });
}

void FindUsedFiles(const Evidence& evidence, Questions& questions) {
  std::set<std::string> kernels, others;
  for (const Event& event : evidence.events) {
    if (!WasUsed(event)) continue;
    const std::string path = LexicallyNormal(event.subject);
    if (IsOfKernel(path))
      kernels.insert(path);
    else if (WasRead(event))
      others.insert(path);
  }
  questions.kernel_files.assign(kernels.begin(), kernels.end());
  questions.used.assign(others.begin(), others.end());
}

std::vector<Outside> FindOutside(const Evidence& evidence, const AfterRun& after) {
  return Audit(after).Find(evidence);
}

}  // namespace gpustage
