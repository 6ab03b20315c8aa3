// What the texts report, which program of ours is asked the same, and whether the facts explain it.
#include <fmt/format.h>

#include <algorithm>

#include "harness/capture/stand_in.h"
#include "harness/import/assemble.h"
#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

constexpr char kOllamaRoot[] = "/usr/local/lib/ollama";

// How a cause that a log names is staged where no file or variable of the texts does: an operation
// of the tree, a fault, a variable.
struct Staging {
  const char* cause;
  const char* tree;
  const char* fault;
  const char* variable = "";
  const char* value = "";
};
// fixtures/logs/causes.yaml, and scenarios/scanner-not-loading/the-report.
constexpr Staging kStagings[] = {
    {"B1-no-libcudart", "{remove: /usr/local/lib/ollama/cuda_v12/libcudart.so.12}", ""},
    {"B1-no-libcublas", "{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}", ""},
    {"B1-no-libcublasLt", "{remove: /usr/local/lib/ollama/cuda_v12/libcublasLt.so.12}", ""},
    {"B1-no-libggml-base", "{remove: /usr/local/lib/ollama/libggml-base.so.0}", ""},
    {"A1-unlistable", "{chmod: /usr/local/lib/ollama/cuda_v12, mode: \"0711\"}", ""},
    {"no-gpu-libraries", "{remove: /usr/local/lib/ollama/cuda_v12}", ""},
    {"no-lib-folder", "{remove: /usr/local/lib/ollama}", ""},
    {"cpu-only-image", "{remove: /usr/local/lib/ollama/cuda_v12}", ""},
    {"cpu-build", "{remove: /usr/local/lib/ollama/cuda_v12}", ""},
    {"B9-no-nvidia-uvm", "{remove: /dev/nvidia-uvm}", ""},
    {"B9-no-nvidiactl", "{remove: /dev/nvidiactl}", ""},
    {"nodes-lost", "{remove: /dev/nvidiactl}", ""},
    {"driver-not-running", "{remove: /dev/nvidiactl}", ""},
    {"permission", "{chmod: /dev/nvidiactl, mode: \"0600\"}", ""},
    {"B4-no-device", "", "{function: cuInit, return: 100}"},
    {"B4-driver-too-old", "", "{function: cudaGetDeviceCount, return: 35}"},
    {"B4-mismatch", "", "{function: cuInit, return: 803}"},
    {"B4-busy", "", "{function: cuInit, return: 46}"},
    {"B4-unknown-error", "", "{function: cuInit, return: 999}"},
    {"stub-library", "", "{function: cuInit, return: 34}"},
    {"fabric-manager", "", "{function: cuInit, return: 802}"},
    {"forward-compat", "", "{function: cuInit, return: 804}"},
    {"B6-abort-in-the-child", "", "{function: cuInit, abort: true}"},
    {"B6-crash-in-the-child", "", "{function: cuInit, crash: true}"},
    {"B5-hidden-by-a-list", "", "", "CUDA_VISIBLE_DEVICES", "-1"},
    {"B5-hidden-by-an-empty-list", "", "", "CUDA_VISIBLE_DEVICES", ""},
    {"mask", "", "", "CUDA_VISIBLE_DEVICES", "-1"}};

// Causes that are the absence of the driver's libraries.
bool IsNoDriver(const std::string& cause) {
  for (const char* known :
       {"B1-no-libcuda", "no-driver-in-container", "host-driver-missing", "toolkit-not-set-up"})
    if (cause == known) return true;
  return false;
}

class SymptomReader {
 public:
  SymptomReader(const Facts& facts, Machine& machine) : facts_(facts), machine_(machine) {}

  void Read() {
    Report();
    Built();
    Layouts();
    Masked();
    Versions();
    Restricted();
    Missing();
    if (Lost() && machine_.why.empty()) Answers();
    if (Lost() && machine_.why.empty()) Causes();
    if (Unexplained() && !facts_.logs.empty()) {
      machine_.log_asks = facts_.logs.front().value.asks;
    }
  }

 private:
  bool Lost() const { return machine_.symptom.devices == 0; }
  bool Unexplained() const { return Lost() && machine_.why.empty(); }

  // Who says how many there are; the program that users came with goes before its tools.
  void Report() {
    static const std::pair<const char*, Asked> kAsked[] = {
        {"ollama", Asked::kOllama},   {"llama.cpp", Asked::kBackend},  {"torch", Asked::kRuntime},
        {"pytorch", Asked::kRuntime}, {"tensorflow", Asked::kRuntime}, {"hip", Asked::kHip},
        {"vulkan", Asked::kVulkan}};
    Symptom& symptom = machine_.symptom;
    symptom.devices = static_cast<int>(machine_.devices.size());
    if (machine_.lister.starts_with("roc")) symptom.asked = Asked::kHip;
    for (const auto& [by, asked] : kAsked)
      for (const auto& told : facts_.counts)
        if (told.value.by == by && !symptom.reported) {
          symptom = {asked, told.value.devices,
                     fmt::format("{} counts {} device{}", by, told.value.devices,
                                 told.value.devices == 1 ? "" : "s"),
                     ToString(told.from), true};
        }
    if (!symptom.reported) OtherReport();
    // Whom nobody but Vulkan lists is Vulkan's to count.
    if (!symptom.reported && machine_.backend.empty() && IsOfVulkanAlone())
      symptom.asked = Asked::kVulkan;
    if (!symptom.reported && !machine_.backend.empty())
      symptom.asked = machine_.unlistable ? Asked::kOllama : Asked::kBackend;
    if (!symptom.reported && !machine_.missing.empty()) {
      symptom.devices = 0;
      symptom.asked = IsOfBackend() ? Asked::kBackend : Asked::kDriver;
      symptom.says = "a loader finds no " + machine_.missing.front();
      symptom.reported = true;
    }
    if (!symptom.reported && !machine_.why.empty()) {
      symptom.devices = 0;
      symptom.says = machine_.why.front();
      symptom.reported = true;
    }
  }
  bool IsOfVulkanAlone() const {
    return !facts_.devices.empty() &&
           std::all_of(facts_.devices.begin(), facts_.devices.end(),
                       [](const auto& told) { return told.value.api.starts_with("vulkaninfo"); });
  }
  // A loader's complaint, then whoever counted none, then nvidia-smi.
  void OtherReport() {
    Symptom& symptom = machine_.symptom;
    if (!machine_.missing.empty() && IsOfBackend()) {
      symptom = {Asked::kBackend, 0, "a loader finds no " + machine_.missing.front(), "", true};
      return;
    }
    for (const bool none : {true, false})
      for (const auto& told : facts_.counts) {
        const bool smi = told.value.by == "nvidia-smi";
        // What nvidia-smi lists no mask hides: it says nothing of who asks CUDA.
        if ((told.value.devices == 0) != none || symptom.reported || (smi && !none)) continue;
        symptom = {smi ? Asked::kManagement : Asked::kDriver, told.value.devices,
                   fmt::format("{} counts {} device{}", told.value.by, told.value.devices,
                               told.value.devices == 1 ? "" : "s"),
                   ToString(told.from), true};
      }
  }
  // What was built without a GPU looks for none: no machine shows it.
  void Built() {
    if (!Lost() || facts_.builds.empty()) return;
    const auto& told = facts_.builds.front();
    machine_.why.push_back(told.value + " (" + ToString(told.from) + ")");
    machine_.not_staged = told.value + ": it looks for no GPU on any machine";
  }
  bool IsOfBackend() const {
    return std::any_of(machine_.missing.begin(), machine_.missing.end(), [](const auto& soname) {
      return soname.starts_with("libcudart") || soname.starts_with("libcublas") ||
             soname.starts_with("libggml");
    });
  }

  void Layouts() {
    const Asked asked = machine_.symptom.asked;
    if (asked == Asked::kHip) return Amd();
    if (asked == Asked::kVulkan) return StageVulkan(facts_, machine_);
    if ((asked != Asked::kOllama && asked != Asked::kBackend) || !machine_.backend.empty()) return;
    const bool listed = std::any_of(
        machine_.facts.files.begin(), machine_.facts.files.end(),
        [](const auto& file) { return file.path.find("/lib/ollama/") != std::string::npos; });
    for (const capture::FileFacts& file : machine_.facts.files)
      if (const std::string base = BaseOf(file.path); asked == Asked::kBackend &&
                                                      base.starts_with("libggml") &&
                                                      base.find("cuda") != std::string::npos)
        machine_.backend = file.path;                 // ldd was asked of it
    if (listed || !machine_.backend.empty()) return;  // a listing without a backend: it has none
    machine_.layouts.push_back("ollama-cuda-12");
    machine_.backend = std::string(kOllamaRoot) + "/cuda_v12/libggml-cuda.so";
    Ask(machine_, "the libraries beside the program",
        "no text lists them; those of a release stand for them",
        "ls -lR " + std::string(kOllamaRoot));
  }

  // AMD's stack on the kernel's side of these cards; the nodes as the texts have them.
  void Amd() {
    std::erase_if(machine_.facts.gaps, [](const capture::Gap& gap) {
      return gap.what.find("which GPUs") == std::string::npos;  // of NVIDIA's
    });
    for (capture::Gap& gap : machine_.facts.gaps)
      gap.command = "rocminfo | grep -E 'gfx|Marketing'";
    machine_.layouts = {"rocm-6"};
    std::erase_if(machine_.devices, [](const StagedDevice& device) { return device.gfx.empty(); });
    for (StagedDevice& device : machine_.devices) {
      device.name.clear();
      device.memory = 0;
      device.profile = capture::ProfileOfTarget(device.gfx);
    }
    if (machine_.devices.empty())
      machine_.devices = {{"rx-7900-xtx", "", "", "", 0, "", "stands for AMD's"}};
    if (machine_.symptom.devices == 0) Kfd();
    if (machine_.symptom.devices == 0 && machine_.why.empty())
      machine_.not_staged = "the texts do not say why";
  }
  void Kfd() {
    for (const auto& absent : facts_.absent) {
      if (absent.value.path != "/dev/kfd") continue;
      const std::string from = ToString(absent.from);
      if (absent.value.denied) {
        machine_.more.push_back("{chown: /dev/kfd, user: root, group: \"993\"}");
        machine_.more.push_back("{chmod: /dev/kfd, mode: \"0660\"}  # " + from);
        machine_.why.push_back("/dev/kfd may not be opened (" + from + ")");
      } else if (absent.value.gone) {
        machine_.more.push_back("{remove: /dev/kfd}  # " + from);
        machine_.why.push_back("/dev/kfd is not there (" + from + ")");
      }
      return;
    }
  }

  // CUDA_VISIBLE_DEVICES up to the first entry that is no device (CUDA Programming Guide).
  void Masked() {
    for (const auto& [name, value] : machine_.facts.process.environment) {
      if (name != "CUDA_VISIBLE_DEVICES") continue;
      size_t left = 0;
      for (size_t begin = 0; begin <= value.size();) {
        const size_t end = std::min(value.find(',', begin), value.size());
        const std::string part = value.substr(begin, end - begin);
        begin = end + 1;
        bool is = !part.empty() && part.size() < 4 &&
                  part.find_first_not_of("0123456789") == std::string::npos &&
                  std::stoul(part) < machine_.devices.size();
        for (const StagedDevice& device : machine_.devices)
          is |= !device.uuid.empty() && device.uuid.starts_with(part) && part.starts_with("GPU-");
        if (!is) break;
        ++left;
      }
      if (left == 0)
        machine_.why.push_back("CUDA_VISIBLE_DEVICES names no device (" +
                               machine_.origins["env " + name] + ")");
      if (!machine_.symptom.reported) machine_.symptom.devices = static_cast<int>(left);
    }
  }

  void Versions() {
    const Asked asked = machine_.symptom.asked;
    if (!machine_.driver.empty() && !machine_.kernel_driver.empty() &&
        !SameVersion(machine_.driver, machine_.kernel_driver))
      machine_.why.push_back(fmt::format("the driver's library is {} and its kernel module {}",
                                         machine_.driver, machine_.kernel_driver));
    const bool runtime_12 =
        asked == Asked::kOllama || asked == Asked::kBackend || asked == Asked::kRuntime;
    if (runtime_12 && !machine_.cuda.empty() && std::atoi(machine_.cuda.c_str()) < 12)
      machine_.why.push_back("a driver for CUDA " + machine_.cuda + " is too old for CUDA 12");
  }

  // Whether `id` says that the user is in the group of the node; -1: nobody says it.
  int IsMember(const std::string& node) const {
    std::string group;
    for (const auto& told : facts_.files)
      if (told.value.facts.path == node && told.value.listed) group = told.value.group;
    for (const auto& told : facts_.groups)
      if (told.value.first == machine_.user) {
        const auto& names = told.value.second;
        return std::find(names.begin(), names.end(), group) != names.end() ? 1 : 0;
      }
    return -1;
  }
  // Nodes that a user who is not root may not open.
  void Restricted() {
    if (machine_.user == "root" || machine_.user == "0") return;
    bool asked = false;
    for (capture::FileFacts& node : machine_.facts.nodes) {
      if (!node.path.starts_with("/dev/nvidia") || (node.mode & 06) == 06) continue;
      const bool by_group = (node.mode & 060) == 060;
      const int member = by_group ? IsMember(node.path) : 0;
      if (member == 1) {
        node.mode = 0666;  // as the user finds it
        node.uid = node.gid = 0;
      } else if (member == -1 && !Lost()) {
        node.mode = 0666;
        node.uid = node.gid = 0;
        if (!asked)
          Ask(machine_, "whether the user is in the group of " + node.path,
              "it is open to its group alone, and nobody says who is in it",
              "id " + (machine_.user.empty() ? "USER" : machine_.user));
        asked = true;
      } else if (machine_.why.empty()) {
        machine_.why.push_back(fmt::format("{} has mode {:04o}", node.path, node.mode));
        if (!machine_.symptom.reported)
          machine_.symptom = {Asked::kDriver, 0, machine_.why.back(), "", true};
      }
    }
  }

  void Missing() {
    if (machine_.missing.empty() && machine_.backend.empty()) return;
    for (const std::string& soname : machine_.missing) {
      if (std::find(machine_.layouts.begin(), machine_.layouts.end(), "ollama-cuda-12") ==
          machine_.layouts.end()) {
        Unmet(soname);
        continue;
      }
      const std::string folder = soname.starts_with("libggml") ? "" : "/cuda_v12";
      if (soname.ends_with(".so.12") || soname.ends_with(".so.0"))
        machine_.more.push_back(fmt::format("{{remove: {}{}/{}}}", kOllamaRoot, folder, soname));
      else if (!soname.starts_with("libcuda.") && !soname.starts_with("libnvidia"))
        machine_.more.push_back(
            fmt::format("{{library: {}, fake: ggml-cuda-ollama-12, broken: {{needs: [{}]}}}}",
                        machine_.backend, soname));
    }
  }
  // What the fake that stands for the backend does not need by itself.
  void Unmet(const std::string& soname) {
    for (capture::FileFacts& file : machine_.facts.files)
      if (file.path == machine_.backend && file.elf && !soname.starts_with("libcuda.") &&
          !soname.ends_with(".so.12") && !soname.ends_with(".so.13"))
        file.elf->unmet.push_back(soname);
  }

  void Answers() {
    for (const auto& told : facts_.answers) {
      machine_.faults.push_back(fmt::format("{{function: {}, return: {}}}  # {}",
                                            told.value.function, told.value.code,
                                            ToString(told.from)));
      machine_.why.push_back(fmt::format("{} answered {} ({})", told.value.function,
                                         told.value.code, ToString(told.from)));
      return;
    }
  }

  void Causes() {
    for (const auto& told : facts_.logs)
      for (const std::string& cause : told.value.causes) {
        if (IsNoDriver(cause) && std::erase(machine_.layouts, "nvidia-driver-debian") > 0) {
          Why(cause, told.from);
          return;
        }
        for (const Staging& staging : kStagings)
          if (cause == staging.cause) {
            Stage(staging, told.from);
            Why(cause, told.from);
            return;
          }
      }
  }
  void Why(const std::string& cause, const Origin& from) {
    machine_.why.push_back(fmt::format("the log names {} ({})", cause, ToString(from)));
  }
  void Stage(const Staging& staging, const Origin& from) {
    const std::string comment = fmt::format("  # {}: {}", staging.cause, ToString(from));
    if (*staging.tree != '\0') machine_.more.push_back(staging.tree + comment);
    if (*staging.fault != '\0') machine_.faults.push_back(staging.fault + comment);
    if (std::string(staging.fault).find("cudaGet") != std::string::npos &&
        machine_.symptom.asked == Asked::kDriver)
      machine_.symptom.asked = Asked::kRuntime;
    if (*staging.variable == '\0') return;
    machine_.facts.process.environment.emplace_back(staging.variable, staging.value);
    machine_.origins[std::string("env ") + staging.variable] =
        fmt::format("{}: {}", staging.cause, ToString(from));
  }

  const Facts& facts_;
  Machine& machine_;
};

}  // namespace

void AddSymptom(const Facts& facts, Machine& machine) { SymptomReader(facts, machine).Read(); }

}  // namespace gpustage::pasted
