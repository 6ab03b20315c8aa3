// What a driver answers of its devices, as files of fixtures/devices: figures alone, and the
// product's name by the words that makers use.
#pragma once

#include <string>
#include <vector>

namespace gpustage::capture {

struct DeviceFile {
  std::string profile;  // "nvidia-h200"
  std::string text;
};

// `probe`: the lines of the driver's probe (probe.c). One of a kind: equal devices make one file.
// A device whose name, capability or memory was not answered makes none.
std::vector<DeviceFile> DeviceFiles(const std::string& probe);

}  // namespace gpustage::capture
