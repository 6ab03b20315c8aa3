#include "harness/diagnose/scenario_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {

// Nothing that YAML, or a key of ours, takes for something else.
bool IsWord(const std::string& text) {
  static const std::set<std::string> kTaken = {"true", "false", "null", "yes", "none", "off"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return text.size() > 2 && letter(text.front()) && kTaken.count(text) == 0 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789_.-") == std::string::npos;
}

// For YAML: plain where nobody could read it otherwise.
std::string Scalar(const std::string& text) {
  const bool path =
      text.starts_with('/') && text.find_first_not_of(
                                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_./+-") == std::string::npos;
  if (path || IsWord(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += std::string("\\") + c;
    else if (c == '\n')
      quoted += "\\n";
    else if (byte < 0x20 || byte >= 0x7f)
      quoted += fmt::format("\\x{:02X}", byte);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string List(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + Scalar(text);
  return "[" + list + "]";
}

// "{a: 1, b: 2}" out of its entries.
class Map {
 public:
  void Add(std::string_view key, const std::string& value) {
    text_ += fmt::format("{}{}: {}", text_.empty() ? "" : ", ", key, value);
  }
  std::string Text() const { return "{" + text_ + "}"; }
  bool IsEmpty() const { return text_.empty(); }

 private:
  std::string text_;
};

std::string Version(const ComputeCapability& cc) {
  return fmt::format("\"{}.{}\"", cc.major, cc.minor);
}

std::string ValueOf(const Breakage& broken) {
  switch (broken.kind) {
    case Breakage::Kind::kEmpty:
    case Breakage::Kind::kGitLfs:
    case Breakage::Kind::kConstructorAborts:
    case Breakage::Kind::kConstructorCrashes: return "true";
    case Breakage::Kind::kWrongClass: return "32";
    case Breakage::Kind::kWrongMachine: return "arm64";
    case Breakage::Kind::kBigEndian: return "big";
    case Breakage::Kind::kVersionTable: return "none";
    case Breakage::Kind::kExecutableStack: return "executable";
    case Breakage::Kind::kTruncated:
    case Breakage::Kind::kStaticTls:
    case Breakage::Kind::kConstructorSleeps: return std::to_string(broken.bytes);
    case Breakage::Kind::kVersionNodeLacks:
    case Breakage::Kind::kSymbolAbsent: return List(broken.names);
    default: return broken.text.empty() ? "none" : Scalar(broken.text);
  }
}

std::string BrokenText(const std::vector<Breakage>& broken) {
  static const std::vector<std::string> words = BreakageWords();
  Map map;
  for (const Breakage& one : broken) {
    const bool each = one.kind == Breakage::Kind::kUndefined || one.kind == Breakage::Kind::kNeeds;
    if (!each) map.Add(words[static_cast<size_t>(one.kind)], ValueOf(one));
  }
  for (const Breakage::Kind kind : {Breakage::Kind::kUndefined, Breakage::Kind::kNeeds}) {
    std::vector<std::string> names;
    for (const Breakage& one : broken)
      if (one.kind == kind) names.push_back(one.text);
    if (!names.empty()) map.Add(words[static_cast<size_t>(kind)], List(names));
  }
  return map.Text();
}

std::string FaultText(const FaultSpec& fault) {
  Map map;
  if (!fault.function.empty())
    map.Add(fault.kind == FaultKind::kErrno ? "node" : "function", Scalar(fault.function));
  if (fault.device) map.Add("device", std::to_string(*fault.device));
  if (fault.first_call > 1 && fault.last_call == fault.first_call) {
    map.Add("call", std::to_string(fault.first_call));
  } else {
    if (fault.first_call > 1)
      map.Add(fault.function.empty() ? "call" : "from_call", std::to_string(fault.first_call));
    if (fault.last_call) map.Add("to_call", std::to_string(*fault.last_call));
  }
  if (fault.from_ms > 0) map.Add("from_ms", std::to_string(fault.from_ms));
  if (fault.to_ms) map.Add("to_ms", std::to_string(*fault.to_ms));
  if (!fault.process_has.empty()) map.Add("process", Scalar(fault.process_has));
  std::string value = "true";
  if (fault.kind == FaultKind::kReturn || fault.kind == FaultKind::kExit ||
      fault.kind == FaultKind::kErrno)
    value = std::to_string(fault.code);
  if (fault.kind == FaultKind::kDelay) value = std::to_string(fault.milliseconds);
  if (fault.kind == FaultKind::kMemoryLeft) value = std::to_string(fault.bytes);
  map.Add(FaultWords()[static_cast<size_t>(fault.kind)], value);
  if (fault.sticky) map.Add("sticky", "true");
  return map.Text();
}

std::string FaultsText(const std::vector<FaultSpec>& faults) {
  std::string text;
  for (const FaultSpec& fault : faults) text += (text.empty() ? "" : ", ") + FaultText(fault);
  return "[" + text + "]";
}

void AddNumbers(const GpuDevice& device, const GpuDevice& profile, Map& map) {
  const auto add = [&](const char* key, uint64_t value, uint64_t usual) {
    if (value != usual) map.Add(key, std::to_string(value));
  };
  add("memory_total", device.memory_total, profile.memory_total);
  const uint64_t usual_free =
      device.memory_total == profile.memory_total ? profile.memory_free : device.memory_total;
  add("memory_free", device.memory_free, usual_free);
  add("nvml_memory_total", device.nvml_memory_total,
      device.memory_total == profile.memory_total ? profile.nvml_memory_total : 0);
  add("sm_count", static_cast<uint64_t>(device.sm_count), static_cast<uint64_t>(profile.sm_count));
  if (device.integrated != profile.integrated)
    map.Add("integrated", device.integrated ? "true" : "false");
}

std::string DeviceText(const GpuDevice& device, const std::vector<GpuDevice>& known) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const GpuDevice& one) {
    return !device.profile.empty() && one.profile == device.profile;
  });
  const GpuDevice profile = found == known.end() ? GpuDevice{} : *found;
  Map map;
  if (found != known.end()) map.Add("profile", device.profile);
  if (device.name != profile.name) map.Add("name", Scalar(device.name));
  map.Add("uuid", Scalar(UuidText(device)));
  map.Add("pci", Scalar(device.pci));
  if (device.cc != profile.cc) map.Add("cc", Version(device.cc));
  if (device.prop_cc) map.Add("prop_cc", Version(*device.prop_cc));
  AddNumbers(device, profile, map);
  return map.Text();
}

constexpr const char* kLayouts[] = {"own", "cuda12", "cuda13", "naive", "truncated", "homemade"};

// The fields of these names.
std::string MachineText(const Machine& machine, const std::vector<std::string>& keys,
                        const std::vector<GpuDevice>& known) {
  Map map;
  for (const std::string& key : keys) {
    if (key == "devices") {
      std::string devices;
      for (const auto* list : {&machine.devices, &machine.others})
        for (const GpuDevice& device : *list)
          devices += (devices.empty() ? "" : ", ") + DeviceText(device, known);
      map.Add(key, "[" + devices + "]");
    }
    if (key == "driver") map.Add(key, Scalar(machine.driver));
    if (key == "kernel_driver") map.Add(key, Scalar(machine.kernel_driver));
    if (key == "cuda")
      map.Add(key, fmt::format("\"{}.{}\"", machine.cuda_version / 1000,
                               machine.cuda_version % 1000 / 10));
    if (key == "props_layout") map.Add(key, kLayouts[static_cast<size_t>(machine.props_layout)]);
    if (key == "container") map.Add(key, machine.nvidia_container ? "nvidia" : "none");
    if (key == "nodes") map.Add(key, machine.real_nodes ? "real" : "files");
    if (key == "faults") map.Add(key, FaultsText(machine.faults));
  }
  return map.Text();
}

std::vector<std::string> KeysOf(const Machine& machine) {
  const Machine usual;
  std::vector<std::string> keys = {"devices"};
  if (machine.driver != usual.driver) keys.push_back("driver");
  if (!machine.kernel_driver.empty()) keys.push_back("kernel_driver");
  if (machine.cuda_version != usual.cuda_version) keys.push_back("cuda");
  if (machine.props_layout != usual.props_layout) keys.push_back("props_layout");
  if (machine.real_nodes) keys.push_back("nodes");
  if (machine.nvidia_container) keys.push_back("container");
  if (!machine.faults.empty()) keys.push_back("faults");
  return keys;
}

std::string Octal(FileMode mode) { return fmt::format("\"{:04o}\"", mode); }

class OpText {
 public:
  explicit OpText(const std::vector<GpuDevice>& known) : known_(known) {}

  std::string operator()(const MakeDirOp& op) { return WithMode(Of("dir", op.path), op.mode); }
  std::string operator()(const WriteFileOp& op) {
    Map map = Of("file", op.path);
    map.Add("content", Scalar(op.content));
    return WithMode(std::move(map), op.mode);
  }
  std::string operator()(const SymlinkOp& op) { return With(Of("symlink", op.path), "to", op.to); }
  std::string operator()(const HardLinkOp& op) {
    return With(Of("hard_link", op.path), "to", op.to);
  }
  std::string operator()(const CopyOp& op) { return With(Of("copy", op.path), "from", op.from); }
  std::string operator()(const ChmodOp& op) { return WithMode(Of("chmod", op.path), op.mode); }
  std::string operator()(const ChownOp& op) {
    Map map = Of("chown", op.path);
    if (op.user) map.Add("user", Scalar(*op.user));
    if (op.group) map.Add("group", Scalar(*op.group));
    return map.Text();
  }
  std::string operator()(const RemoveOp& op) { return Of("remove", op.path).Text(); }
  std::string operator()(const LdconfigOp& op) { return Of("ldconfig", op.path).Text(); }
  std::string operator()(const PlaceLibraryOp& op) {
    Map map = Of("library", op.path);
    const char* kind = op.source.kind == LibrarySource::Kind::kFake   ? "fake"
                       : op.source.kind == LibrarySource::Kind::kReal ? "real"
                                                                      : "file";
    map.Add(kind, Scalar(op.source.name));
    if (!op.broken.empty()) map.Add("broken", BrokenText(op.broken));
    if (op.machine) map.Add("machine", MachineText(op.machine->machine, op.machine->keys, known_));
    if (!op.archs.empty()) {
      std::string archs;
      for (const ComputeCapability& arch : op.archs)
        archs += (archs.empty() ? "" : ", ") + Version(arch);
      map.Add("archs", "[" + archs + "]");
    }
    return WithMode(std::move(map), op.mode);
  }

 private:
  static Map Of(const char* key, const std::string& path) {
    Map map;
    map.Add(key, Scalar(path));
    return map;
  }
  static std::string With(Map map, const char* key, const std::string& value) {
    map.Add(key, Scalar(value));
    return map.Text();
  }
  static std::string WithMode(Map map, const std::optional<FileMode>& mode) {
    if (mode) map.Add("mode", Octal(*mode));
    return map.Text();
  }

  const std::vector<GpuDevice>& known_;
};

std::string TreeText(const std::vector<TreeOp>& ops, const std::string& indent,
                     const std::vector<GpuDevice>& known) {
  std::string text;
  for (const TreeOp& op : ops)
    text += fmt::format("{}- {}\n", indent, std::visit(OpText(known), op.what));
  return text;
}

std::string EnvText(const std::vector<EnvVar>& env) {
  Map map;
  for (const EnvVar& variable : env)
    map.Add(variable.name, variable.value ? Scalar(*variable.value) : "{unset: true}");
  return map.Text();
}

std::string FixText(const WrittenFix& fix, const WrittenScenario& broken,
                    const std::vector<GpuDevice>& known) {
  std::string text = "fix:\n";
  if (!fix.tree.empty()) text += "  tree:\n" + TreeText(fix.tree, "    ", known);
  if (!fix.env.empty()) text += fmt::format("  env: {}\n", EnvText(fix.env));
  if (fix.user) text += fmt::format("  user: {}\n", Scalar(*fix.user));
  if (fix.groups) text += fmt::format("  groups: {}\n", List(*fix.groups));
  if (fix.machine)
    text +=
        fmt::format("  machine: {}\n", MachineText(fix.machine->machine, fix.machine->keys, known));
  Map expect;
  expect.Add("devices", std::to_string(fix.devices));
  // Where nothing was counted before, the step is what flips.
  if (!broken.devices && broken.lost_library)
    expect.Add("reached", fmt::format("{{library: {}, step: {}}}", Scalar(*broken.lost_library),
                                      broken.lost_at));
  return text + fmt::format("  expect: [{}]\n", expect.Text());
}

}  // namespace

std::string ScenarioText(const WrittenScenario& scenario, const std::vector<GpuDevice>& known) {
  const Case& c = scenario.c;
  const RunSpec& run = c.runs.front();
  std::string text;
  for (const std::string& comment : scenario.comments) text += fmt::format("# {}\n", comment);
  text += fmt::format("claim: {}\n", Scalar(scenario.claim));
  text += fmt::format("machine: {}\n", MachineText(c.machine, KeysOf(c.machine), known));
  if (!c.tree.empty()) text += "tree:\n" + TreeText(c.tree, "  ", known);
  if (!c.env.empty()) text += fmt::format("env: {}\n", EnvText(c.env));
  text += fmt::format("user: {}\n", Scalar(c.user));
  if (!c.groups.empty()) text += fmt::format("groups: {}\n", List(c.groups));
  if (c.working_directory != "/")
    text += fmt::format("working_directory: {}\n", Scalar(c.working_directory));
  Map map;
  map.Add("name", "run");
  map.Add("scanner", Scalar(RunName(run.scanner.name, run.scanner)));
  if (!run.args.empty()) map.Add("args", List(run.args));
  text += fmt::format("runs: [{}]\n", map.Text());
  Map expect;
  if (scenario.devices) expect.Add("devices", std::to_string(*scenario.devices));
  if (scenario.lost_library)
    expect.Add("lost", fmt::format("{{library: {}, at: {}}}", Scalar(*scenario.lost_library),
                                   scenario.lost_at));
  if (!expect.IsEmpty()) text += fmt::format("expect: [{}]\n", expect.Text());
  if (scenario.fix) text += FixText(*scenario.fix, scenario, known);
  return text;
}

}  // namespace gpustage
