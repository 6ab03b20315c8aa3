#include "fakes/scanner/device.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace gpustage::ollama {
namespace {

using Json = nlohmann::ordered_json;

Json ToObject(const DeviceInfo& device) {
  Json object;
  object["id"] = device.id;
  if (!device.library.empty()) object["backend"] = device.library;
  object["name"] = device.name;
  object["description"] = device.description;
  if (!device.filter_id.empty()) object["filter_id"] = device.filter_id;
  if (device.integrated) object["integration"] = true;
  if (!device.pci_id.empty()) object["pci_id"] = device.pci_id;
  object["total_memory"] = device.total_memory;
  if (device.free_memory != 0) object["free_memory"] = device.free_memory;
  object["ComputeMajor"] = device.compute_major;
  object["ComputeMinor"] = device.compute_minor;
  if (device.driver_major != 0) object["driver_major"] = device.driver_major;
  if (device.driver_minor != 0) object["driver_minor"] = device.driver_minor;
  object["LibraryPath"] = device.library_path;
  return object;
}

DeviceInfo FromObject(const Json& object) {
  DeviceInfo device;
  device.id = object.value("id", "");
  device.library = object.value("backend", "");
  device.name = object.value("name", "");
  device.description = object.value("description", "");
  device.filter_id = object.value("filter_id", "");
  device.integrated = object.value("integration", false);
  device.pci_id = object.value("pci_id", "");
  device.total_memory = object.value("total_memory", uint64_t{0});
  device.free_memory = object.value("free_memory", uint64_t{0});
  device.compute_major = object.value("ComputeMajor", 0);
  device.compute_minor = object.value("ComputeMinor", 0);
  device.driver_major = object.value("driver_major", 0);
  device.driver_minor = object.value("driver_minor", 0);
  device.library_path = object.at("LibraryPath").get<std::vector<std::string>>();
  return device;
}

std::string Pair(int major, int minor) {
  return std::to_string(major) + '.' + std::to_string(minor);
}

}  // namespace

std::string DeviceInfo::Compute() const {
  if (library != "ROCm") return Pair(compute_major, compute_minor);
  char gfx[32];
  std::snprintf(gfx, sizeof gfx, "gfx%x%02x", compute_major, compute_minor);
  return gfx;
}

std::string DeviceInfo::Driver() const { return Pair(driver_major, driver_minor); }

Comparison Compare(const DeviceInfo& a, const DeviceInfo& b) {
  if (a.pci_id != b.pci_id) return Comparison::kUnique;
  const bool same_library = a.library == b.library;
  if (a.pci_id.empty() && (a.id != b.id || !same_library)) return Comparison::kUnique;
  return same_library ? Comparison::kSameBackend : Comparison::kDuplicate;
}

bool NeedsInitValidation(const DeviceInfo& device) {
  return device.library == "CUDA" || device.library == "ROCm";
}

EnvMap ValidationEnvironment(const DeviceInfo& device) {
  const char* visible = device.library == "ROCm" ? "ROCR_VISIBLE_DEVICES" : "CUDA_VISIBLE_DEVICES";
  return {{"GGML_CUDA_INIT", "1"},
          {visible, device.filter_id.empty() ? device.id : device.filter_id}};
}

std::string ToJson(const std::vector<DeviceInfo>& devices) {
  Json array = Json::array();
  for (const DeviceInfo& device : devices) array.push_back(ToObject(device));
  // Go too writes U+FFFD for bytes that are not UTF-8.
  return array.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::optional<std::vector<DeviceInfo>> FromJson(const std::string& text) {
  try {
    std::vector<DeviceInfo> devices;
    for (const Json& object : Json::parse(text)) devices.push_back(FromObject(object));
    return devices;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string GoText(const std::vector<DeviceInfo>& devices) {
  std::vector<std::string> list;
  for (const DeviceInfo& d : devices)
    list.push_back("{DeviceID:{ID:" + d.id + " Library:" + d.library + "} Name:" + d.name +
                   " Description:" + d.description + " FilterID:" + d.filter_id +
                   " Integrated:" + (d.integrated ? "true" : "false") + " PCIID:" + d.pci_id +
                   " TotalMemory:" + std::to_string(d.total_memory) +
                   " FreeMemory:" + std::to_string(d.free_memory) +
                   " ComputeMajor:" + std::to_string(d.compute_major) +
                   " ComputeMinor:" + std::to_string(d.compute_minor) +
                   " DriverMajor:" + std::to_string(d.driver_major) + " DriverMinor:" +
                   std::to_string(d.driver_minor) + " LibraryPath:" + GoText(d.library_path) + '}');
  return GoText(list);
}

}  // namespace gpustage::ollama
