#include "harness/import/assemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/capture/privacy.h"
#include "harness/stage/identity.h"

namespace gpustage::pasted {
namespace {

// The version that most of a name says: "Tesla P100-PCIE..." of an old nvidia-smi is cut.
std::string Uncut(std::string name) {
  while (name.ends_with('.')) name.pop_back();
  return name;
}

// RADV and NVK say the chip behind the name: "AMD Radeon RX 7900 XTX (RADV NAVI31)".
std::string NameOf(const Device& device) {
  const bool vulkan = device.api.starts_with("vulkaninfo");
  return Uncut(vulkan ? device.name.substr(0, device.name.find(" (")) : device.name);
}

// The profile of a vendor's that takes any number.
std::string UsualOf(const std::string& vendor) {
  return vendor == "amd"      ? "rx-7900-xtx"
         : vendor == "intel"  ? "arc-a770"
         : vendor == "virtio" ? "virtio-gpu"
                              : "";
}

// Of all who list devices, the one that lists most of what matters; a log's devices are those that
// it could use, so a tool of the driver goes before it.
std::string BestLister(const std::vector<Told<Device>>& devices) {
  for (const char* api :
       {"nvidia-smi -q -x", "nvidia-smi -q", "nvidia-smi -L", "nvidia-smi", "collect_env", "a log",
        "rocminfo", "rocm-smi", "vulkaninfo --json", "vulkaninfo", "lspci"})
    for (const Told<Device>& told : devices)
      if (told.value.api == api && told.value.vendor != "software") return api;
  return "";
}

const Device* Detail(const std::vector<Told<Device>>& devices, const std::string& name, size_t at) {
  std::map<std::string, size_t> number;
  const Device* found = nullptr;
  for (const Told<Device>& told : devices) {
    const size_t place = number[told.value.api]++;
    const std::string a = Uncut(told.value.name), b = Uncut(name);
    const bool same = a == b || a.starts_with(b) || b.starts_with(a) || place == at;
    if (same && !told.value.compute.empty()) found = &told.value;
  }
  return found;
}

// What all texts say of one thing, where it is not the same.
void Differ(const std::vector<Told<std::string>>& all, const std::string& what,
            const std::string& variable, std::vector<Contradiction>& found) {
  std::vector<std::string> said;
  for (const Told<std::string>& other : all) {
    const Told<std::string>& first = all.front();
    if (SameVersion(first.value, other.value)) continue;
    if (std::find(said.begin(), said.end(), other.value) != said.end()) continue;
    said.push_back(other.value);
    found.push_back(
        {what, variable, first.value, ToString(first.from), other.value, ToString(other.from)});
  }
}

}  // namespace

bool SameVersion(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::string& shorter = a.size() < b.size() ? a : b;
  const std::string& longer = a.size() < b.size() ? b : a;
  return !shorter.empty() && shorter.find_first_not_of("0123456789.") == std::string::npos &&
         shorter.find('.') != std::string::npos && longer.starts_with(shorter + ".");
}

void Ask(Machine& machine, const std::string& what, const std::string& why,
         const std::string& command) {
  machine.facts.gaps.push_back({what, "", why, command});
}

void AddDevices(const Facts& facts, const std::vector<DeviceName>& known, Machine& machine) {
  const std::string lister = BestLister(facts.devices);
  size_t at = 0;
  for (const Told<Device>& told : facts.devices) {
    if (told.value.api != lister || told.value.vendor == "software") continue;
    StagedDevice staged;
    staged.from = ToString(told.from);
    staged.uuid = told.value.uuid;
    staged.memory = told.value.memory;
    if (told.value.compute.starts_with("gfx")) staged.gfx = told.value.compute;
    const std::vector<std::string> meant = MeantDevices(NameOf(told.value), known);
    const Device* const detail = Detail(facts.devices, told.value.name, at++);
    if (meant.size() == 1) {
      staged.profile = meant.front();
      staged.memory = 0;
    } else {
      staged.profile = meant.empty() ? UsualOf(told.value.vendor) : meant.front();
      staged.name = NameOf(told.value);
      if (detail != nullptr && detail->compute.find('.') != std::string::npos)
        staged.compute = detail->compute;
      else if (told.value.vendor == "nvidia" || told.value.vendor.empty())
        Ask(machine, "the compute capability of device " + std::to_string(at - 1),
            meant.empty() ? "no profile has its name" : "several profiles fit its name",
            "nvidia-smi --query-gpu=name,compute_cap,memory.total --format=csv");
    }
    machine.devices.push_back(std::move(staged));
  }
  machine.devices_known = !machine.devices.empty();
  machine.lister = lister;
  if (machine.devices_known) return;
  // A mask is of a machine that has what it names.
  size_t most = 1;
  for (const auto& told : facts.variables)
    if (told.value.first == "CUDA_VISIBLE_DEVICES")
      for (const char c : told.value.second)
        if (c >= '0' && c <= '9' && told.value.second.find('-') == std::string::npos)
          most = std::max(most, static_cast<size_t>(c - '0') + 1);
  for (size_t i = 0; i < most; ++i)
    machine.devices.push_back({"rtx-3090", "", "", "", 0, "", "not told by any text"});
  Ask(machine, "which GPUs there are", "no text lists them; an RTX 3090 stands for each",
      "nvidia-smi -L");
}

void AddSettings(const Facts& facts, Machine& machine) {
  const auto first = [](const std::vector<Told<std::string>>& all) {
    return all.empty() ? std::string() : all.front().value;
  };
  machine.driver = first(facts.library_version);
  for (const Told<std::string>& version : facts.library_version)
    if (version.value.size() > machine.driver.size() && SameVersion(version.value, machine.driver))
      machine.driver = version.value;
  machine.kernel_driver = first(facts.kernel_version);
  machine.cuda = first(facts.cuda_version);
  for (const auto& [name, all] : {std::pair{"driver", &facts.library_version},
                                  {"kernel_driver", &facts.kernel_version},
                                  {"cuda", &facts.cuda_version}})
    if (!all->empty()) machine.origins[name] = ToString(all->front().from);
  if (machine.driver.empty() && !machine.kernel_driver.empty()) {
    machine.driver = machine.kernel_driver;
    machine.origins["driver"] = machine.origins["kernel_driver"];
  }
  if (machine.driver.empty())
    Ask(machine, "the versions of the driver", "no text says them",
        "nvidia-smi; cat /proc/driver/nvidia/version");

  // What is said last holds: a drop-in after the unit, a command line after both.
  std::map<std::string, size_t> placed;
  auto& environment = machine.facts.process.environment;
  for (const auto& told : facts.variables) {
    const auto& [name, value] = told.value;
    const auto [at, fresh] = placed.emplace(name, environment.size());
    if (fresh)
      environment.emplace_back(name, value);
    else
      environment[at->second].second = value;
    machine.origins["env " + name] = ToString(told.from);
  }
  // The shell's own search path is no matter for a box.
  std::erase_if(environment, [](const auto& one) { return one.first == "PATH"; });

  for (const Told<std::string>& file : facts.unread)
    Ask(machine, "the variables of a file that the unit names",
        "its text is in none of these (" + ToString(file.from) + ")",
        "sudo grep -E 'VISIBLE_DEVICES|LD_|OLLAMA_|NVIDIA_' " + file.value);
  if (!facts.user.empty()) {
    machine.user = facts.user.back().value;
    machine.user_from = ToString(facts.user.back().from);
  }
}

std::vector<Contradiction> Contradictions(const Facts& facts) {
  std::vector<Contradiction> found;
  Differ(facts.library_version, "the driver's library", "", found);
  Differ(facts.kernel_version, "the driver's kernel module", "", found);
  Differ(facts.cuda_version, "the driver's CUDA version", "", found);
  Differ(facts.user, "the user", "USER", found);
  std::map<std::string, std::vector<Told<std::string>>> values, files;
  for (const auto& told : facts.variables)
    values[told.value.first].push_back({told.value.second, told.from});
  for (const auto& [name, all] : values)
    if (name != "PATH") Differ(all, name, name, found);
  for (const auto& told : facts.files) {
    const capture::FileFacts& file = told.value.facts;
    if (!told.value.listed) continue;
    files[file.path].push_back(
        {file.link.empty() ? fmt::format("of mode {:04o}", file.mode) : "a link to " + file.link,
         told.from});
  }
  for (const auto& [path, all] : files) Differ(all, path, "", found);
  for (const auto& absent : facts.absent)
    for (const auto& told : facts.files)
      if (told.value.facts.path == absent.value.path && !absent.value.denied) {
        found.push_back({absent.value.path, "", "not there", ToString(absent.from), "there",
                         ToString(told.from)});
        break;
      }
  return found;
}

Machine Assemble(const Facts& facts, const std::vector<DeviceName>& known) {
  Machine machine;
  machine.texts = facts.texts;
  AddDevices(facts, known, machine);
  AddSettings(facts, machine);
  AddFiles(facts, machine);
  AddSymptom(facts, machine);
  machine.contradictions = Contradictions(facts);
  return machine;
}

}  // namespace gpustage::pasted
