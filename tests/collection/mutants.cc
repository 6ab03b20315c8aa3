#include "tests/collection/mutants.h"

#include <algorithm>
#include <array>
#include <set>

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

void AddFault(const std::string& function, int code, Case& c) {
  FaultSpec fault;
  fault.function = function;
  fault.code = code;
  c.machine.faults.push_back(fault);
  if (auto& change = c.runs.front().machine;
      change && std::count(change->keys.begin(), change->keys.end(), "faults") > 0)
    change->machine.faults.push_back(fault);
}

struct Operator {
  const char* name;
  std::vector<std::string> of;  // what must be there, by the beginnings of names
  bool gone = false;            // that is taken away
  FileMode mode = 0;            // not 0: that is all that is left of them
  const char* function = "";    // that fails instead
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
  static const std::vector<Operator> operators = {
      {"masked-instead", driver, false, 0, "", 0, "CUDA_VISIBLE_DEVICES", "-1"},
      {"masked-in-hip-instead", hip, false, 0, "", 0, "HIP_VISIBLE_DEVICES", "-1"},
      {"masked-in-vulkan-instead", vulkan, false, 0, "", 0, "GGML_VK_VISIBLE_DEVICES", "7"},
      {"driver-gone-instead", driver, true},
      {"management-gone-instead", nvml, true},
      {"runtime-gone-instead", {"libcudart.so"}, true},
      {"cublas-gone-instead", {"libcublas.so"}, true},
      {"backend-gone-instead", backends, true},
      {"backend-unreadable-instead", backends, true, 0600},
      {"hip-gone-instead", hip, true},
      {"manifest-gone-instead", manifests, true},
      {"no-device-instead", driver, false, 0, "cuInit", 100},
      {"not-ready-instead", driver, false, 0, "cuInit", 802},
      {"nvml-unknown-instead", nvml, false, 0, "nvmlInit_v2", 999},
      {"nvml-mismatch-instead", nvml, false, 0, "nvmlInit_v2", 18},
  };
  return operators;
}

// The machine as the fix leaves it, broken by the operator; nothing where that is no other fault.
std::vector<Case> Otherwise(const Case& c, size_t run, size_t fixed, const Operator& by) {
  const RunSpec& wanted = c.runs[run];
  const RunSpec& mended = c.runs[fixed];
  if (std::any_of(c.machine.faults.begin(), c.machine.faults.end(),
                  [&](const FaultSpec& fault) { return fault.function == by.function; }))
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
  only.name = wanted.name;
  only.fixed = false;
  if (*by.function != '\0') AddFault(by.function, by.code, other);
  if (*by.variable != '\0') only.env.push_back({by.variable, by.value, {}});
  return {other};
}

// What is closed is gone, or what is gone is closed; all of it, for a part would leave the fault.
template <typename From, typename Exchange>
void ExchangeAll(const char* by, const Case& c, size_t run, const Exchange& exchange,
                 std::vector<Mutant>& mutants) {
  Case other = Alone(c, run);
  for (TreeOp& op : other.tree)
    if (const auto* own = std::get_if<From>(&op.what); own != nullptr && op.pos.file == c.file)
      exchange(From(*own), op);
  if (other.tree != c.tree) mutants.push_back({by, std::move(other)});
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
  for (size_t at = 0; at < c.machine.faults.size(); ++at) {
    const FaultSpec& fault = c.machine.faults[at];
    if (fault.kind != FaultKind::kReturn) continue;
    constexpr std::array kCodes = {999, 801, 3};
    Case other = Alone(c, run);
    other.machine.faults[at].code =
        *std::find_if(kCodes.begin(), kCodes.end(), [&](int code) { return code != fault.code; });
    mutants.push_back({"other-code-instead", std::move(other)});
  }
  return mutants;
}

}  // namespace

std::vector<Mutant> MutantsOf(const Case& c, size_t run) {
  std::vector<Mutant> mutants = Exchanged(c, run);
  for (size_t fixed = 0; fixed < c.runs.size(); ++fixed) {
    if (!c.runs[fixed].fixed || c.runs[fixed].name != c.runs[run].name + kFixedSuffix) continue;
    for (const Operator& by : Operators())
      for (Case& other : Otherwise(c, run, fixed, by))
        mutants.push_back({by.name, std::move(other)});
  }
  return mutants;
}

}  // namespace gpustage
