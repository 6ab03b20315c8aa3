#include "tests/collection/mutants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "harness/base/files.h"

namespace gpustage {
namespace {

// With this run alone. What runs before it do to the tree is done.
Case Alone(Case c, size_t run) {
  const RunSpec kept = c.runs[run];
  DropRuns(c.runs, [&](const RunSpec& one) { return one.name != kept.name; });
  return c;
}

std::string PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) { return what.path; }, op.what);
}

// What the tree and the runs before write below these names, each once.
std::vector<std::string> PathsNamed(const Case& c, const std::vector<std::string>& beginnings) {
  std::vector<TreeOp> ops = c.tree;
  for (const RunSpec& run : c.runs) ops.insert(ops.end(), run.change.begin(), run.change.end());
  std::vector<std::string> paths;
  for (const TreeOp& op : ops) {
    const std::string path = PathOf(op), name = BaseNameOf(path);
    const bool named =
        std::any_of(beginnings.begin(), beginnings.end(),
                    [&](const std::string& beginning) { return name.starts_with(beginning); });
    std::erase(paths, path);
    if (named && !std::holds_alternative<RemoveOp>(op.what) &&
        !std::holds_alternative<MakeDirOp>(op.what))
      paths.push_back(path);
  }
  return paths;
}

// What the one run of `c` finds, too, where its fix has changed the machine.
template <typename Change>
void ChangeMachine(const std::string& key, Case& c, const Change& change) {
  change(c.machine);
  if (auto& fixed = c.runs.front().machine;
      fixed && std::count(fixed->keys.begin(), fixed->keys.end(), key) > 0)
    change(fixed->machine);
}

void AddFault(const std::string& function, FaultKind kind, int code, Case& c) {
  FaultSpec fault;
  fault.function = function;
  fault.kind = kind;
  fault.code = code;
  ChangeMachine("faults", c, [&](Machine& machine) { machine.faults.push_back(fault); });
}

bool HasFault(const Case& c, const std::string& function) {
  return std::any_of(c.machine.faults.begin(), c.machine.faults.end(),
                     [&](const FaultSpec& fault) { return fault.function == function; });
}

// The claims on `wanted` are held against it.
void CallItBroken(const RunSpec& wanted, RunSpec& mended) {
  mended.name = wanted.name;
  mended.fixed = false;
}

struct Operator {
  const char* name;
  std::vector<std::string> of;              // what must be there, by the beginnings of names
  bool gone = false;                        // that is taken away
  FileMode mode = 0;                        // not 0: that is all that is left of them
  std::vector<const char*> nodes = {};      // of a GPU, which are closed instead
  std::vector<const char*> functions = {};  // that fail instead
  int code = 0;
  const char* variable = "";  // that is set instead
  const char* value = "";
};

const std::vector<Operator>& Operators() {
  static const std::vector<std::string> driver = {"libcuda.so"}, nvml = {"libnvidia-ml.so"},
                                        hip = {"libamdhip64.so"}, vulkan = {"libggml-vulkan"},
                                        manifests = {"nvidia_icd", "intel_icd", "radeon_icd"},
                                        backends = {"libggml-cuda", "libggml-hip",
                                                    "libggml-vulkan"};
  static const std::vector<const char*> starts = {"nvmlInit_v2", "nvmlInitWithFlags"};
  static const std::vector<Operator> operators = {
      {"masked-instead", driver, false, 0, {}, {}, 0, "CUDA_VISIBLE_DEVICES", "-1"},
      {"masked-in-hip-instead", hip, false, 0, {}, {}, 0, "HIP_VISIBLE_DEVICES", "-1"},
      {"masked-in-hsa-instead", hip, false, 0, {}, {}, 0, "ROCR_VISIBLE_DEVICES", ""},
      {"masked-in-vulkan-instead", vulkan, false, 0, {}, {}, 0, "GGML_VK_VISIBLE_DEVICES", "7"},
      {"driver-gone-instead", driver, true},
      {"driver-unreadable-instead", driver, true, 0600},
      {"management-gone-instead", nvml, true},
      {"management-unreadable-instead", nvml, true, 0600},
      {"runtime-gone-instead", {"libcudart.so"}, true},
      {"cublas-gone-instead", {"libcublas.so"}, true},
      {"cublas-unreadable-instead", {"libcublas.so"}, true, 0600},
      {"backend-gone-instead", backends, true},
      {"backend-unreadable-instead", backends, true, 0600},
      {"hip-gone-instead", hip, true},
      {"rocblas-gone-instead", {"librocblas.so"}, true},
      {"manifest-gone-instead", manifests, true},
      {"manifest-unreadable-instead", manifests, true, 0600},
      {"control-node-closed-instead", driver, false, 0, {"/dev/nvidiactl"}},
      {"memory-node-closed-instead", driver, false, 0, {"/dev/nvidia-uvm"}},
      {"gpu-node-closed-instead", driver, false, 0, {"/dev/nvidia0"}},
      {"kfd-closed-instead", hip, false, 0, {"/dev/kfd"}},
      {"no-device-instead", driver, false, 0, {}, {"cuInit"}, 100},
      {"not-ready-instead", driver, false, 0, {}, {"cuInit"}, 802},
      {"unknown-error-instead", driver, false, 0, {}, {"cuInit"}, 999},
      {"no-count-instead", driver, false, 0, {}, {"cuDeviceGetCount"}, 3},
      {"nvml-unknown-instead", nvml, false, 0, {}, starts, 999},
      {"nvml-mismatch-instead", nvml, false, 0, {}, starts, 18},
      {"nvml-no-count-instead", nvml, false, 0, {}, {"nvmlDeviceGetCount_v2"}, 999},
      {"hsa-fails-instead", hip, false, 0, {}, {"hsa_init"}, 4096},
  };
  return operators;
}

// The machine as the fix leaves it, broken by the operator; nothing where that is no other fault.
std::vector<Case> Otherwise(const Case& c, size_t run, size_t fixed, const Operator& by) {
  const RunSpec& wanted = c.runs[run];
  const RunSpec& mended = c.runs[fixed];
  if (std::any_of(by.functions.begin(), by.functions.end(),
                  [&](const char* function) { return HasFault(c, function); }))
    return {};
  const auto sets = [&](const std::vector<EnvVar>& env) {
    return std::any_of(env.begin(), env.end(),
                       [&](const EnvVar& variable) { return variable.name == by.variable; });
  };
  if (*by.variable != '\0' && (sets(c.env) || sets(wanted.env) || sets(mended.env))) return {};
  Case other = Alone(c, fixed);
  RunSpec& only = other.runs.front();
  const std::vector<std::string> there = PathsNamed(other, by.of);
  if (there.empty()) return {};
  std::set<std::string> touched;  // by the fix
  for (const RunSpec& one : c.runs)
    if (one.fixed)
      for (const TreeOp& op : one.change) touched.insert(PathOf(op));
  for (const std::string& path : by.gone ? there : std::vector<std::string>()) {
    if (touched.contains(path)) return {};
    only.change.push_back({RemoveOp{path}, {}});
    if (by.mode != 0) only.change.back().what = ChmodOp{path, by.mode};
  }
  for (const char* node : by.nodes) {
    if (touched.contains(node)) return {};
    only.change.push_back({ChmodOp{node, 0}, {}});
  }
  CallItBroken(wanted, only);
  for (const char* function : by.functions) AddFault(function, FaultKind::kReturn, by.code, other);
  if (*by.variable != '\0') only.env.push_back({by.variable, by.value, {}});
  return {other};
}

// How a program of these ends as the report's does, in a function of another's.
std::vector<Mutant> EndedElsewhere(const Case& c, size_t run, size_t fixed, const Claim& claim) {
  const auto* outcome = std::get_if<OutcomeClaim>(&claim.what);
  if (outcome == nullptr || (outcome->kind == "exited" && outcome->code.value_or(0) == 0))
    return {};
  const FaultKind kind = outcome->kind == "timed_out" ? FaultKind::kHang
                         : outcome->kind == "exited"  ? FaultKind::kExit
                         : outcome->code == SIGABRT   ? FaultKind::kAbort
                                                      : FaultKind::kSegfault;
  std::vector<Mutant> mutants;
  for (const char* function :
       {"cuInit", "cuDeviceGetCount", "nvmlInit_v2", "nvmlInitWithFlags", "nvmlDeviceGetCount_v2",
        "hsa_init", "hsa_iterate_agents", "rocblas_initialize", "vkCreateInstance",
        "vkEnumeratePhysicalDevices"}) {
    if (HasFault(c, function)) continue;
    Case other = Alone(c, fixed);
    CallItBroken(c.runs[run], other.runs.front());
    AddFault(function, kind, kind == FaultKind::kExit ? *outcome->code : 0, other);
    mutants.push_back({fmt::format("ends-in-{}-instead", function), std::move(other), {function}});
  }
  return mutants;
}

// A machine of NVIDIA's or of another maker's that has as many GPUs as were counted.
std::vector<Mutant> AsManyGpus(const Case& c, size_t run, size_t fixed, const Claim& claim) {
  const auto* devices = std::get_if<DevicesClaim>(&claim.what);
  if (devices == nullptr) return {};
  const auto wanted = static_cast<size_t>(devices->count.at_least);
  std::vector<Mutant> mutants;
  for (const auto list : {&Machine::devices, &Machine::others}) {
    Case other = Alone(c, fixed);
    CallItBroken(c.runs[run], other.runs.front());
    const size_t had = (c.machine.*list).size();
    if (had == wanted || (had == 0 && list == &Machine::others)) continue;
    ChangeMachine("devices", other, [&](Machine& machine) {
      std::vector<GpuDevice>& gpus = machine.*list;
      while (gpus.size() < wanted) {
        gpus.push_back(gpus.empty() ? GpuDevice{} : gpus.back());
        GpuDevice& last = gpus.back();
        if (last.name.empty()) last.name = "NVIDIA GeForce RTX 3060", last.cc = {8, 6};
        last.uuid.back() = static_cast<uint8_t>(0x40 + gpus.size());
        last.pci = fmt::format("0000:{:02x}:00.0", 0x40 + gpus.size());
      }
      gpus.resize(wanted);
    });
    mutants.push_back({"as-many-gpus-instead", std::move(other), {}});
  }
  return mutants;
}

// The same GPUs the other way round.
std::vector<Mutant> OtherOrder(const Case& c, size_t run, size_t fixed) {
  std::vector<Mutant> mutants;
  for (const auto list : {&Machine::devices, &Machine::others}) {
    Case other = Alone(c, fixed);
    CallItBroken(c.runs[run], other.runs.front());
    ChangeMachine("devices", other, [&](Machine& machine) {
      std::reverse((machine.*list).begin(), (machine.*list).end());
    });
    if (other.machine.*list != c.machine.*list)
      mutants.push_back({"other-order-instead", std::move(other), {}});
  }
  return mutants;
}

// What is closed is gone, or what is gone is closed; all of it, for a part would leave the fault.
template <typename From, typename Exchange>
void ExchangeAll(const char* by, const Case& c, size_t run, const Exchange& exchange,
                 std::vector<Mutant>& mutants) {
  Case other = Alone(c, run);
  for (TreeOp& op : other.tree)
    if (const auto* own = std::get_if<From>(&op.what); own != nullptr && op.pos.file == c.file)
      exchange(From(*own), op);
  if (other.tree != c.tree) mutants.push_back({by, std::move(other), {}});
}

// The scenario's own operations and codes exchanged for their neighbours.
std::vector<Mutant> Exchanged(const Case& c, size_t run) {
  std::vector<Mutant> mutants;
  ExchangeAll<ChmodOp>(
      "gone-instead-of-mode", c, run,
      [](const ChmodOp& chmod, TreeOp& op) {
        if ((chmod.mode & 04) == 0) op.what = RemoveOp{chmod.path};
      },
      mutants);
  ExchangeAll<RemoveOp>(
      "mode-instead-of-gone", c, run,
      [](const RemoveOp& removed, TreeOp& op) {
        if (!removed.path.starts_with("/dev/")) op.what = ChmodOp{removed.path, 0};
      },
      mutants);
  std::set<int> codes;
  for (const FaultSpec& fault : c.machine.faults)
    if (fault.kind == FaultKind::kReturn) codes.insert(fault.code);
  for (const int code : codes) {  // of all functions that answer it: they are one fault
    constexpr std::array kCodes = {999, 801, 3};
    Mutant mutant{"other-code-instead", Alone(c, run), {}};
    for (FaultSpec& fault : mutant.c.machine.faults) {
      if (fault.kind != FaultKind::kReturn || fault.code != code) continue;
      mutant.calls.insert(fault.function);
      fault.code =
          *std::find_if(kCodes.begin(), kCodes.end(), [&](int other) { return other != code; });
    }
    mutants.push_back(std::move(mutant));
  }
  return mutants;
}

}  // namespace

std::vector<Mutant> MutantsOf(const Case& c, size_t run, const std::vector<Claim>& claims) {
  std::vector<Mutant> mutants = Exchanged(c, run);
  const auto add = [&](std::vector<Mutant> more) {
    std::move(more.begin(), more.end(), std::back_inserter(mutants));
  };
  for (size_t fixed = 0; fixed < c.runs.size(); ++fixed) {
    if (!c.runs[fixed].fixed || c.runs[fixed].name != c.runs[run].name + kFixedSuffix) continue;
    for (const Operator& by : Operators())
      for (Case& other : Otherwise(c, run, fixed, by)) add({{by.name, std::move(other), {}}});
    for (const Claim& claim : claims) {
      add(EndedElsewhere(c, run, fixed, claim));
      add(AsManyGpus(c, run, fixed, claim));
    }
    add(OtherOrder(c, run, fixed));
  }
  return mutants;
}

}  // namespace gpustage
