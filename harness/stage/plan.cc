#include "harness/stage/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fakes/world/format.h"
#include "harness/stage/device_nodes.h"
#include "harness/stage/driver_exports.h"
#include "harness/stage/identity.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

constexpr char kDriver[] = "cuda";  // the fake that is libcuda.so.1
constexpr char kStandardPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What every Debian system has, merged /usr included, and what a bare service needs to start.
std::vector<TreeOp> Skeleton(const Case& c, bool owners) {
  std::vector<TreeOp> ops;
  for (const char* directory : {"/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu", "/usr/lib64",
                                "/usr/local/bin", "/usr/local/lib", "/etc/ld.so.conf.d", "/proc",
                                "/sys", "/run", "/var", "/home/user", "/root", "/usr/share/ollama"})
    ops.push_back({MakeDirOp{directory, 0755}, {}});
  for (const char* open_to_all : {"/tmp", "/var/tmp", "/dev/shm"})
    ops.push_back({MakeDirOp{open_to_all, 01777}, {}});
  for (const char* name : {"bin", "sbin", "lib", "lib64"})
    ops.push_back({SymlinkOp{fmt::format("/{}", name), fmt::format("usr/{}", name)}, {}});
  // Whoever loads libc into a namespace of its own, as dlmopen and an auditor do, looks for ld.so
  // where libraries lie.
  ops.push_back({SymlinkOp{"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                           "/usr/lib64/ld-linux-x86-64.so.2"},
                 {}});
  ops.push_back({WriteFileOp{"/etc/passwd", PasswdFile(), 0644}, {}});
  ops.push_back({WriteFileOp{"/etc/group", GroupFile(c.user, c.groups), 0644}, {}});
  ops.push_back(
      {WriteFileOp{"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n", 0644}, {}});
  ops.push_back({WriteFileOp{"/etc/hosts", "127.0.0.1 localhost\n", 0644}, {}});
  // As Debian's libc-bin and libc6 have them.
  ops.push_back({WriteFileOp{"/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n", 0644}, {}});
  ops.push_back({WriteFileOp{"/etc/ld.so.conf.d/libc.conf", "/usr/local/lib\n", 0644}, {}});
  ops.push_back({WriteFileOp{"/etc/ld.so.conf.d/x86_64-linux-gnu.conf",
                             "/usr/local/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu\n"
                             "/usr/lib/x86_64-linux-gnu\n",
                             0644},
                 {}});
  if (owners)
    for (const auto& [path, owner] :
         {std::pair{"/home/user", "user"}, std::pair{"/usr/share/ollama", "ollama"}})
      ops.push_back({ChownOp{path, owner, owner}, {}});
  return ops;
}

// The path whose mode shuts others out; "" when the step sets no such mode. The owner of a tree is
// never shut out.
std::string RestrictedPath(const TreeOp& op) {
  constexpr FileMode kOthersRead = 04, kOthersEnter = 01;
  if (const auto* chmod = std::get_if<ChmodOp>(&op.what)) return chmod->path;
  if (const auto* dir = std::get_if<MakeDirOp>(&op.what))
    return (~dir->mode.value_or(0755) & (kOthersRead | kOthersEnter)) != 0 ? dir->path : "";
  if (const auto* file = std::get_if<WriteFileOp>(&op.what))
    return (~file->mode.value_or(0644) & kOthersRead) != 0 ? file->path : "";
  if (const auto* library = std::get_if<PlaceLibraryOp>(&op.what))
    return (~library->mode.value_or(0755) & kOthersRead) != 0 ? library->path : "";
  return "";
}

bool RunsAsRoot(const Case& c) {
  const auto is_root = [](const std::string& user) { return user == "root" || user == "0"; };
  return is_root(c.user) || std::any_of(c.runs.begin(), c.runs.end(), [&](const RunSpec& run) {
           return run.user && is_root(*run.user);
         });
}

// What NVIDIA's runtime mounts of the driver for each capability: the lists of libnvidia-container
// (src/nvc_info.c), by the beginnings of the names. A library that is not there is nobody's.
struct DriverPart {
  const char* capability;
  std::vector<std::string> names;
};
const std::vector<DriverPart>& DriverParts() {
  static const std::vector<DriverPart> parts = {
      {"utility", {"libnvidia-ml.so", "libnvidia-cfg.so", "nvidia-smi"}},
      {"compute",
       {"libcuda.so", "libcudadebugger.so", "libnvidia-opencl.so", "libnvidia-gpucomp.so",
        "libnvidia-ptxjitcompiler.so", "libnvidia-fatbinaryloader.so", "libnvidia-allocator.so",
        "libnvidia-compiler.so", "libnvidia-nvvm.so", "libnvidia-pkcs11"}},
      {"video",
       {"libvdpau_nvidia.so", "libnvidia-encode.so", "libnvidia-opticalflow.so", "libnvcuvid.so"}},
      {"graphics",
       {"libGLX_nvidia.so", "libEGL_nvidia.so", "libGLESv2_nvidia.so", "libGLESv1_CM_nvidia.so",
        "libnvidia-glcore.so", "libnvidia-eglcore.so", "libnvidia-glsi.so", "libnvidia-tls.so",
        "libnvidia-glvkspirv.so", "libnvidia-rtcore.so", "libnvoptix.so", "libnvidia-gpucomp.so",
        "nvidia_icd.json"}}};
  return parts;
}

// "" where no variable of the case has the name.
std::string ValueOf(const Case& c, const std::string& name) {
  std::string value;
  for (const EnvVar& variable : c.env)
    if (variable.name == name) value = variable.value.value_or("");
  return value;
}

bool IsListed(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

// The toolkit's own default is compute and utility.
bool IsGiven(const std::string& path, const std::string& capabilities) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::string asked = capabilities.empty() ? "compute,utility" : capabilities;
  bool of_driver = false, given = false;
  for (const DriverPart& part : DriverParts())
    for (const std::string& begin : part.names)
      if (name.starts_with(begin)) {
        of_driver = true;
        given = given || IsListed(asked, part.capability) || IsListed(asked, "all");
      }
  return given || !of_driver;
}

// "all", numbers, UUIDs; "none" is the driver without a GPU, and "void" or nothing is no driver.
enum class Visible { kNoDriver, kNone, kSome };
Visible VisibleOf(const std::string& devices) {
  if (devices.empty() || devices == "void") return Visible::kNoDriver;
  return devices == "none" ? Visible::kNone : Visible::kSome;
}

bool IsVisible(const Machine& machine, size_t index, const std::string& devices) {
  return IsListed(devices, "all") || IsListed(devices, std::to_string(index)) ||
         (index < machine.devices.size() && IsListed(devices, UuidText(machine.devices[index])));
}

// The case as NVIDIA's runtime makes it of a host's tree and of an image's variables.
Case InContainer(Case c, std::vector<TreeOp>& nodes) {
  const std::string devices = ValueOf(c, "NVIDIA_VISIBLE_DEVICES");
  const std::string capabilities = ValueOf(c, "NVIDIA_DRIVER_CAPABILITIES");
  const Visible visible = VisibleOf(devices);
  const auto path_of = [](const TreeOp& op) {
    return std::visit([](const auto& what) -> std::string { return what.path; }, op.what);
  };
  std::erase_if(c.tree, [&](const TreeOp& op) {
    const bool driver = !IsGiven(path_of(op), "nothing");
    return driver && (visible == Visible::kNoDriver || !IsGiven(path_of(op), capabilities));
  });
  std::erase_if(nodes, [&](const TreeOp& op) {
    const std::string path = path_of(op);
    constexpr std::string_view kNumbered = "/dev/nvidia";
    if (!path.starts_with(kNumbered)) return false;
    if (visible == Visible::kNoDriver) return true;
    const std::string number = path.substr(kNumbered.size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) return false;
    return !IsVisible(c.machine, static_cast<size_t>(std::stoul(number)), devices);
  });
  return c;
}

}  // namespace

Result<std::vector<PlanStep>> PlanChange(const std::vector<TreeOp>& ops, uint32_t first_instance,
                                         const Machine& machine) {
  std::vector<PlanStep> steps;
  for (const TreeOp& op : ops) {
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    const bool fake = placed != nullptr && placed->source.kind == LibrarySource::Kind::kFake;
    PlanStep step{op, fake ? first_instance++ : 0};
    const Machine own = fake && placed->machine ? Changed(machine, *placed->machine) : machine;
    if (fake && (placed->machine || !placed->archs.empty())) {
      TRY(step.world, WorldFile(own, placed->archs));
    }
    if (fake && placed->source.name == kDriver) step.lacked = ExportsNewerThan(own.cuda_version);
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<StagePlan> PlanStage(const Case& c, std::vector<HostFile> base, bool owners) {
  StagePlan plan;
  std::sort(base.begin(), base.end());
  base.erase(std::unique(base.begin(), base.end()), base.end());
  plan.base = std::move(base);
  // With one id the scanner owns what cases share, whoever it runs as.
  plan.private_copies = RunsAsRoot(c) || !owners;
  plan.real_nodes = c.machine.real_nodes;
  TRY(plan.world, WorldFile(c.machine));
  TRY(plan.skeleton, PlanChange(Skeleton(c, owners), 1));
  std::vector<TreeOp> nodes = DeviceNodes(c.machine, c.tree);
  if (c.machine.nvidia_container) {
    const Case inside = InContainer(c, nodes);
    TRY(plan.steps, PlanChange(inside.tree, 1, c.machine));
  } else {
    TRY(plan.steps, PlanChange(c.tree, 1, c.machine));
  }
  TRY(plan.nodes, PlanChange(nodes, 1));
  return plan;
}

Result<std::vector<PlanStep>> PlanRestart(const Machine& machine) {
  TRY(std::string world, WorldFile(machine));
  std::vector<TreeOp> ops = DeviceNodes(machine, {});
  ops.push_back({WriteFileOp{kWorldPath, std::move(world), 0644}, {}});
  return PlanChange(ops, 1);
}

std::vector<std::string> EnvironmentOf(const Case& c, const RunSpec& run) {
  std::map<std::string, std::string> merged = {
      {"PATH", kStandardPath}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : run.scanner.env) merged[name] = value;
  for (const auto* layer : {&c.env, &run.env})
    for (const EnvVar& variable : *layer) {
      if (variable.value)
        merged[variable.name] = *variable.value;
      else
        merged.erase(variable.name);
    }
  std::vector<std::string> environment;
  for (const auto& [name, value] : merged) environment.push_back(name + "=" + value);
  return environment;
}

std::string NeedOfSecondUid(const Case& c) {
  std::vector<const std::vector<TreeOp>*> lists = {&c.tree};
  if (!c.groups.empty()) return "needs a second uid: its user is in further groups";
  for (const RunSpec& run : c.runs) {
    if (run.groups && !run.groups->empty())
      return fmt::format("needs a second uid: the user of {} is in further groups", run.name);
    lists.push_back(&run.change);
  }
  for (const auto* ops : lists)
    for (const TreeOp& op : *ops) {
      if (std::holds_alternative<ChownOp>(op.what))
        return "needs a second uid: the tree sets an owner";
      if (const std::string path = RestrictedPath(op); !path.empty())
        return fmt::format("needs a second uid: the mode of {} decides", path);
    }
  return "";
}

std::string ToString(const StagePlan& plan) {
  std::string text;
  for (const HostFile& file : plan.base)
    text += file.host_path == file.path
                ? fmt::format("host     {}\n", file.path)
                : fmt::format("host     {}  from {}\n", file.path, file.host_path);
  for (const PlanStep& step : plan.nodes) text += ToString(step.op) + '\n';
  for (const PlanStep& step : plan.steps) {
    text += ToString(step.op);
    if (step.instance != 0) text += fmt::format("  #{}", step.instance);
    text += '\n';
  }
  return text;
}

}  // namespace gpustage
