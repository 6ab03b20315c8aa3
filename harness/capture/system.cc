#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>

#include "harness/capture/collect.h"

namespace gpustage::capture {
namespace {

constexpr size_t kMostNodes = 256;
constexpr size_t kNodeText = 64;  // of a node that is a file: a staged machine's says which it is

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = text.find(at, begin);
    if (end == std::string::npos) end = text.size();
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Which mount namespace it is in: "mnt:[4026531841]".
std::string MountsOf(const std::string& proc) {
  char text[64];
  const ssize_t got = readlink((proc + "/ns/mnt").c_str(), text, sizeof text);
  return got <= 0 ? "" : std::string(text, static_cast<size_t>(got));
}

std::string FieldOf(const std::string& os_release, const std::string& key) {
  for (const std::string& line : Split(os_release, '\n'))
    if (line.rfind(key + "=", 0) == 0) {
      std::string value = line.substr(key.size() + 1);
      value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
      return value;
    }
  return "";
}

std::string FirstLine(const std::string& path) {
  const std::string text = ReadWhole(path, 256);
  return text.substr(0, std::min(text.find_last_not_of(" \n") + 1, text.find('\n')));
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  DIR* const open = opendir(directory.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = readdir(open))
    if (entry->d_name[0] != '.' && names.size() < kMostNodes) names.emplace_back(entry->d_name);
  closedir(open);
  std::sort(names.begin(), names.end());
  return names;
}

// AMD's GPUs that compute: nodes of the topology with SIMDs. Its serial number, unique_id, is not
// read. Format: drivers/gpu/drm/amd/amdkfd/kfd_topology.c.
void ReadKfd(MachineFacts& facts) {
  const std::string nodes = "/sys/class/kfd/kfd/topology/nodes";
  for (const std::string& name : NamesIn(nodes)) {
    KernelGpu gpu;
    unsigned simds = 0;
    for (const std::string& line : Split(ReadWhole(nodes + "/" + name + "/properties"), '\n')) {
      const size_t blank = line.find(' ');
      if (blank == std::string::npos) continue;
      const unsigned value = static_cast<unsigned>(strtoul(line.c_str() + blank, nullptr, 10));
      const std::string key = line.substr(0, blank);
      if (key == "simd_count") simds = value;
      if (key == "vendor_id") gpu.vendor = value;
      if (key == "device_id") gpu.device = value;
      if (key == "gfx_target_version") gpu.target = value;
    }
    if (simds != 0) facts.kfd.push_back(gpu);
  }
}

// What the kernel draws with: card0, and not its connectors, card0-DP-1.
void ReadCards(MachineFacts& facts) {
  const std::string cards = "/sys/class/drm/";
  for (const std::string& name : NamesIn(cards)) {
    if (name.rfind("card", 0) != 0 || name.find('-') != std::string::npos) continue;
    const std::string device = cards + name + "/device";
    const auto hex = [&](const char* file) {
      return static_cast<unsigned>(strtoul(FirstLine(device + file).c_str(), nullptr, 16)) & 0xffff;
    };
    KernelGpu gpu;
    gpu.vendor = hex("/vendor");
    gpu.device = hex("/device");
    char link[256];
    if (const ssize_t got = readlink((device + "/driver").c_str(), link, sizeof link); got > 0) {
      gpu.driver.assign(link, static_cast<size_t>(got));
      gpu.driver.erase(0, gpu.driver.rfind('/') + 1);
    }
    facts.cards.push_back(gpu);
  }
}

void ReadLimits(const std::string& proc, ProcessFacts& process) {
  // Names of /proc/PID/limits, and setrlimit(2)'s.
  static const std::pair<const char*, const char*> kLimits[] = {
      {"Max locked memory", "memlock"}, {"Max open files", "nofile"}, {"Max processes", "nproc"},
      {"Max address space", "as"},      {"Max data size", "data"},    {"Max file size", "fsize"}};
  for (const std::string& line : Split(ReadWhole(proc + "/limits", 8192), '\n'))
    for (const auto& [words, name] : kLimits)
      if (line.rfind(words, 0) == 0) {
        const std::string value = line.substr(std::min<size_t>(26, line.size()));
        process.limits[name] =
            value.rfind("unlimited", 0) == 0 ? UINT64_MAX : strtoull(value.c_str(), nullptr, 10);
      }
}

// Which of its namespaces are not those of process 1; of what may not be read nothing is said.
void ReadNamespaces(const std::string& proc, ProcessFacts& process) {
  for (const char* name : {"mnt", "pid", "net", "user", "ipc", "cgroup"}) {
    char its[64], first[64];
    const ssize_t a = readlink((proc + "/ns/" + name).c_str(), its, sizeof its);
    const ssize_t b = readlink((std::string("/proc/1/ns/") + name).c_str(), first, sizeof first);
    if (a > 0 && b > 0 && (a != b || memcmp(its, first, static_cast<size_t>(a)) != 0))
      process.namespaces.emplace_back(name);
  }
}

// cgroup v1's list of what may be opened; v2 has it in a program of the kernel's, which nobody
// reads.
void ReadDeviceRules(const std::string& proc, MachineFacts& facts) {
  bool unified = false;
  for (const std::string& line : Split(ReadWhole(proc + "/cgroup", 8192), '\n')) {
    const size_t one = line.find(':'), two = line.find(':', one + 1);
    if (two == std::string::npos) continue;
    unified |= line.rfind("0::/", 0) == 0 && line.size() > 4;
    if (("," + line.substr(one + 1, two - one - 1) + ",").find(",devices,") == std::string::npos)
      continue;
    const std::string list =
        ReadWhole("/sys/fs/cgroup/devices" + line.substr(two + 1) + "/devices.list");
    if (list.empty()) continue;
    std::vector<DeviceRule>& rules = facts.process.devices.emplace();
    for (const std::string& rule : Split(list, '\n')) {
      const std::vector<std::string> words = Split(rule, ' ');
      if (words.size() != 3 || rules.size() >= kMostNodes) continue;
      const size_t colon = words[1].find(':');
      const auto number = [](const std::string& text) {
        return text.empty() || text[0] == '*' ? -1 : atoi(text.c_str());
      };
      rules.push_back({words[0][0], number(words[1].substr(0, colon)),
                       number(colon == std::string::npos ? "" : words[1].substr(colon + 1)),
                       words[2].find('r') != std::string::npos,
                       words[2].find('w') != std::string::npos});
    }
    return;
  }
  if (unified && facts.process.pid != 0)
    facts.gaps.push_back({"which nodes its cgroup lets it open", "",
                          "cgroup v2 keeps that in the kernel",
                          "systemctl show UNIT -p DevicePolicy -p DeviceAllow"});
}

void AddNodes(const std::string& root, const std::string& directory, MachineFacts& facts) {
  DIR* const open = opendir((root + directory).c_str());
  if (open == nullptr) return;
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open)) names.emplace_back(entry->d_name);
  closedir(open);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const bool ours = directory != "/dev" || name.rfind("nvidia", 0) == 0 || name == "kfd" ||
                      name == "dxg" || name.rfind("nvhost", 0) == 0 || name == "nvmap";
    struct stat found;
    if (name[0] == '.' || !ours || facts.nodes.size() >= kMostNodes ||
        lstat((root + directory + "/" + name).c_str(), &found) != 0)
      continue;
    FileFacts node;
    node.path = directory + "/" + name;
    node.kind = S_ISCHR(found.st_mode)   ? FileKind::kDevice
                : S_ISDIR(found.st_mode) ? FileKind::kDirectory
                : S_ISREG(found.st_mode) ? FileKind::kFile
                                         : FileKind::kOther;
    node.mode = found.st_mode & 07777;
    node.uid = found.st_uid;
    node.gid = found.st_gid;
    node.major = major(found.st_rdev);
    node.minor = minor(found.st_rdev);
    if (node.kind == FileKind::kFile) node.text = ReadWhole(root + node.path, kNodeText);
    facts.nodes.push_back(node);
    if (node.kind == FileKind::kDirectory && name == "nvidia-caps")
      AddNodes(root, node.path, facts);
  }
}

}  // namespace

std::string ReadWhole(const std::string& path, size_t most) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return "";
  struct stat found;
  std::string text;
  char part[8192];
  if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode))
    while (text.size() < most) {
      const ssize_t got = read(fd, part, std::min(sizeof part, most - text.size()));
      if (got <= 0) break;
      text.append(part, static_cast<size_t>(got));
    }
  close(fd);
  return text;
}

void ReadProcess(pid_t pid, MachineFacts& facts) {
  ProcessFacts& process = facts.process;
  process.pid = pid;
  const std::string proc = pid == 0 ? "/proc/self" : "/proc/" + std::to_string(pid);
  const std::string environment = ReadWhole(proc + "/environ");
  if (environment.empty() && access((proc + "/environ").c_str(), R_OK) != 0)
    facts.gaps.push_back({"the environment of the process", "", strerror(errno),
                          "run gpustage-capture as its user, or as root"});
  for (const std::string& entry : Split(environment, '\0'))
    if (const size_t equals = entry.find('='); equals != std::string::npos)
      process.environment.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  for (const std::string& line : Split(ReadWhole(proc + "/status"), '\n')) {
    const auto number = [&line](size_t begin) {
      return strtoul(line.c_str() + begin, nullptr, 10);
    };
    if (line.rfind("Uid:\t", 0) == 0) process.uid = static_cast<uid_t>(number(5));
    if (line.rfind("Gid:\t", 0) == 0) process.gid = static_cast<gid_t>(number(5));
    if (line.rfind("Groups:\t", 0) == 0)
      for (const std::string& group : Split(line.substr(8), ' '))
        process.groups.push_back(static_cast<gid_t>(strtoul(group.c_str(), nullptr, 10)));
  }
  process.argv = Split(ReadWhole(proc + "/cmdline", 4096), '\0');
  char text[4096];
  if (const ssize_t got = readlink((proc + "/exe").c_str(), text, sizeof text); got > 0 && pid != 0)
    process.executable.assign(text, static_cast<size_t>(got));
  if (const ssize_t got = readlink((proc + "/cwd").c_str(), text, sizeof text); got > 0)
    process.working_directory.assign(text, static_cast<size_t>(got));
  ReadLimits(proc, process);
  ReadNamespaces(proc, process);
  ReadDeviceRules(proc, facts);
  if (pid == 0) return;
  struct stat its, ours;
  if (stat((proc + "/root/").c_str(), &its) != 0)
    facts.gaps.push_back({"the files as the process sees them (those of this shell are taken)", "",
                          strerror(errno), "run gpustage-capture as root"});
  else if ((stat("/", &ours) == 0 && (its.st_dev != ours.st_dev || its.st_ino != ours.st_ino)) ||
           MountsOf(proc) != MountsOf("/proc/self"))  // as PrivateDevices makes them
    process.root = proc + "/root";
}

void ReadSystem(MachineFacts& facts) {
  const std::string& root = facts.process.root;
  std::string os = ReadWhole(root + "/etc/os-release", 1 << 16);
  if (os.empty()) os = ReadWhole(root + "/usr/lib/os-release", 1 << 16);
  facts.distribution = FieldOf(os, "ID");
  facts.distribution_version = FieldOf(os, "VERSION_ID");
  struct utsname name;
  if (uname(&name) == 0) facts.kernel = name.release;
  facts.kernel_driver = FirstLine("/sys/module/nvidia/version");
  if (facts.kernel_driver
          .empty()) {  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  …"
    const std::string version = ReadWhole("/proc/driver/nvidia/version", 4096);
    const std::vector<std::string> words = Split(version.substr(0, version.find('\n')), ' ');
    for (size_t i = 0; i < words.size(); ++i)
      if (isdigit(static_cast<unsigned char>(words[i][0])) != 0 &&
          words[i].find('.') != std::string::npos) {
        facts.kernel_driver = words[i];
        break;
      }
  }
  static const std::set<std::string> wanted = {"nvidia",     "nvidia_uvm", "nvidia_modeset",
                                               "nvidia_drm", "nouveau",    "nova_core",
                                               "amdgpu",     "i915",       "xe"};
  for (const std::string& line : Split(ReadWhole("/proc/modules"), '\n'))
    if (const std::string module = line.substr(0, line.find(' ')); wanted.count(module) != 0)
      facts.modules.emplace_back(module, FirstLine("/sys/module/" + module + "/version"));
  const std::pair<const char*, const char*> markers[] = {
      {"/.dockerenv", "docker"},           {"/run/.containerenv", "podman"},
      {"/.flatpak-info", "flatpak"},       {"/dev/dxg", "wsl"},
      {"/etc/nv_tegra_release", "jetson"}, {"/run/systemd/container", "container"}};
  for (const auto& [path, marker] : markers)
    if (access((root + path).c_str(), F_OK) == 0) facts.markers.emplace_back(marker);
  AddNodes(root, "/dev", facts);
  AddNodes(root, "/dev/dri", facts);
  ReadKfd(facts);
  ReadCards(facts);
}

}  // namespace gpustage::capture
