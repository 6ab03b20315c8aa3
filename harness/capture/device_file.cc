#include "harness/capture/device_file.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "harness/capture/sections.h"

namespace gpustage::capture {
namespace {

using Values = std::map<std::string, std::string>;

// CUdevice_attribute of cuda.h: what other keys say, and where a card is plugged in.
constexpr int kSaidElsewhere[] = {16, 18, 33, 34, 50, 75, 76, 139};
constexpr int kMostAttributes = 192;

std::string Number(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  if (found == values.end()) return "";
  const std::string& text = found->second;
  return IsNumber(text[0] == '-' ? text.substr(1) : text) ? text : "";
}

// "NVIDIA H200" -> "nvidia-h200"
std::string AsProfileName(const std::string& name) {
  std::string profile;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      profile += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!profile.empty() && profile.back() != '-')
      profile += '-';
  }
  while (profile.ends_with('-')) profile.pop_back();
  return profile;
}

// Attribute 139 holds the PCI id: the vendor below the device.
std::string PciId(const Values& device) {
  const std::string number = Number(device, "attribute.139");
  const unsigned long id = std::strtoul(number.c_str(), nullptr, 10);
  char text[16];
  std::snprintf(text, sizeof text, "%04lx:%04lx", id & 0xffff, id >> 16 & 0xffff);
  return id == 0 ? "" : text;
}

DeviceFile FileOf(const Values& device, const std::string& driver) {
  const auto name = device.find("name");
  const std::string major = Number(device, "attribute.75"), minor = Number(device, "attribute.76"),
                    memory = Number(device, "memory_total");
  if (name == device.end() || major.empty() || minor.empty() || memory.empty()) return {};
  const std::string product = ProductName(name->second);
  DeviceFile file = {AsProfileName(product), ""};
  std::string& text = file.text;
  text = "# " + product + ", as its driver answers. Written by gpustage record-device.\n";
  text += "device: " + file.profile + "\nname: " + product + "\n";
  text += "compute_capability: " + major + "." + minor + "\nmemory_total: " + memory + "\n";
  if (const std::string units = Number(device, "attribute.16"); !units.empty())
    text += "sm_count: " + units + "\n";
  text += std::string("integrated: ") + (Number(device, "attribute.18") == "1" ? "true" : "false") +
          "\n";
  if (const std::string id = PciId(device); !id.empty()) text += "pci_id: \"" + id + "\"\n";
  std::string attributes;
  for (int k = 1; k < kMostAttributes; ++k) {
    if (std::count(std::begin(kSaidElsewhere), std::end(kSaidElsewhere), k) != 0) continue;
    if (const std::string number = Number(device, "attribute." + std::to_string(k));
        !number.empty())
      attributes += (attributes.empty() ? "" : ", ") + std::to_string(k) + ": " + number;
  }
  if (!attributes.empty()) text += "attributes: {" + attributes + "}\n";
  text += "source:\n  figures: \"gpustage record-device, a driver for CUDA " + driver + "\"\n";
  return file;
}

}  // namespace

std::vector<DeviceFile> DeviceFiles(const std::string& probe) {
  std::vector<Values> devices;
  int version = 0;
  for (size_t begin = 0; begin < probe.size();) {
    const size_t end = std::min(probe.find('\n', begin), probe.size());
    const std::string line = probe.substr(begin, end - begin);
    begin = end + 1;
    const size_t blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const std::string key = line.substr(0, blank), value = line.substr(blank + 1);
    if (key == "device")
      devices.emplace_back();
    else if (!devices.empty())
      devices.back().emplace(key, value);
    else if (key == "driver")
      version = std::atoi(value.c_str());
  }
  const std::string driver =
      std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  std::vector<DeviceFile> files;
  for (const Values& device : devices) {
    DeviceFile file = FileOf(device, driver);
    const bool known = std::any_of(files.begin(), files.end(), [&](const DeviceFile& other) {
      return other.profile == file.profile;
    });
    if (!file.profile.empty() && !known) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace gpustage::capture
