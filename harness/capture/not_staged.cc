#include "harness/capture/not_staged.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "harness/capture/stand_in.h"

namespace gpustage::capture {
namespace {

// "6.8.0" of "6.8.0-45-generic".
std::string KernelVersion(const std::string& release) {
  return DriverVersion(release.substr(0, release.find_first_not_of("0123456789.")));
}

std::string PciName(const KernelGpu& gpu) {
  char text[16];
  snprintf(text, sizeof text, "%04x:%04x", gpu.vendor & 0xffff, gpu.device & 0xffff);
  return text;
}

// The kernel's own; another's name may be somebody's.
std::string DriverName(const std::string& name) {
  static const std::set<std::string> known = {
      "nvidia", "nouveau", "nova",   "amdgpu", "radeon",     "i915", "xe",       "virtio-pci",
      "ast",    "mgag200", "vmwgfx", "bochs",  "hyperv_drm", "qxl",  "simpledrm"};
  return name.empty() ? "no driver" : known.count(name) != 0 ? name : "another driver";
}

std::string RuleText(const DeviceRule& rule) {
  const auto number = [](int value) { return value < 0 ? "*" : std::to_string(value); };
  return std::string(1, rule.type == 'b' || rule.type == 'c' ? rule.type : 'a') + " " +
         number(rule.major) + ":" + number(rule.minor) + " " + (rule.read ? "r" : "") +
         (rule.write ? "w" : "");
}

// A build id of SHA-1 or MD5, as linkers make them.
bool IsBuildId(const std::string& id) {
  return (id.size() == 40 || id.size() == 32) &&
         id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string LibraryText(const ElfFacts& elf, Placeholders& places) {
  std::vector<std::string> parts;
  const auto names = [&places](const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& name : all) text += " " + places.Name(name);
    return text;
  };
  if (!elf.needed.empty()) parts.push_back("needs" + names(elf.needed));
  if (!elf.versions.empty()) parts.push_back("defines" + names(elf.versions));
  // Of GLIBC_2.2.5 to GLIBC_2.34 the newest decides.
  std::map<std::string, std::string> newest;
  for (const auto& [library, version] : elf.wanted_versions) {
    std::string& known = newest[version.substr(0, version.find_last_of('_') + 1)];
    if (known.empty() || strverscmp(known.c_str(), version.c_str()) < 0) known = version;
  }
  std::vector<std::string> wanted;
  for (const auto& [stem, version] : newest) wanted.push_back(version);
  if (!wanted.empty()) parts.push_back("wants" + names(wanted));
  if (IsBuildId(elf.build_id)) parts.push_back("build id " + elf.build_id);
  return Joined(parts);
}

}  // namespace

std::vector<std::string> NotStaged(const MachineFacts& facts, Placeholders& places) {
  std::vector<std::string> lines;
  const auto add = [&lines](const char* what, const std::string& text) {
    if (!text.empty()) lines.push_back(std::string(what) + ": " + text);
  };
  std::vector<std::string> words;
  add("kernel", KernelVersion(facts.kernel));
  for (const auto& [name, version] : facts.modules) {
    const std::string number = DriverVersion(version);
    words.push_back(name + (number.empty() ? "" : " " + number));
  }
  add("modules", Joined(words));
  words.clear();
  for (const KernelGpu& card : facts.cards)
    words.push_back(PciName(card) + " by " + DriverName(card.driver));
  add("the kernel draws with", Joined(words));
  words.clear();
  for (const KernelGpu& gpu : facts.kfd) words.push_back(PciName(gpu));
  add("the kernel computes with", Joined(words));
  add("where it is", Joined(facts.markers));
  words.clear();
  for (const auto& [name, value] : facts.process.limits)
    words.push_back(name + " " + (value == UINT64_MAX ? "none" : std::to_string(value)));
  add("limits", Joined(words));
  add("namespaces of its own", Joined(facts.process.namespaces));
  if (facts.process.devices) {
    words.clear();
    for (const DeviceRule& rule : *facts.process.devices) words.push_back(RuleText(rule));
    add("its cgroup lets it open", words.empty() ? "nothing" : Joined(words));
  }
  for (const FileFacts& file : facts.files) {
    if (file.path.find("/OpenCL/vendors/") != std::string::npos)
      add("OpenCL", places.Path(file.path));
    if (file.elf && file.elf->is_elf && !FakeOf(file).name.empty())
      if (const std::string text = LibraryText(*file.elf, places); !text.empty())
        lines.push_back(places.Path(file.path) + ": " + text);
  }
  return lines;
}

}  // namespace gpustage::capture
