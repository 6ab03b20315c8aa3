#include "tests/fakes/recording.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>
#include <stdexcept>

#include "tests/support/source_dir.h"

namespace gpustage::fakes_test {
namespace {

using world::Device;
using world::World;

std::vector<std::string> Lines(const std::string& file) {
  std::ifstream in(InSources("/fixtures/recordings/real-gpu/") + file);
  if (!in) throw std::runtime_error("no recording " + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool Begins(const std::string& line, const std::string& with) {
  return line.compare(0, with.size(), with) == 0;
}

// What stands behind `key` up to the next space: "total" of "r=0 total=85 free=84".
std::string Value(const std::string& line, const std::string& key) {
  const size_t at = line.find(" " + key + "=");
  if (at == std::string::npos) throw std::runtime_error("no " + key + " in " + line);
  const size_t begin = at + key.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

// What stands behind "name r=0 ".
std::string Answer(const std::string& line, const std::string& name) {
  return line.substr(name.size() + std::string(" r=0 ").size());
}

void ReadUuid(const std::string& hex, uint8_t uuid[16]) {
  for (size_t i = 0; i < 16; ++i)
    uuid[i] = static_cast<uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
}

void ReadDeviceLine(const std::string& line, Device& device) {
  std::smatch match;
  static const std::regex attribute(R"(attr (\d+) r=0 v=(-?\d+))");
  static const std::regex pci(R"(pci r=0 ((\w+):(\w+):(\w+)\.\d))");
  if (Begins(line, "name r=0 ")) {
    strcpy(device.name, Answer(line, "name").c_str());
  } else if (Begins(line, "uuid r=0 ")) {
    ReadUuid(Answer(line, "uuid"), device.uuid);
  } else if (Begins(line, "totalMem r=0 ")) {
    device.memory_total = std::stoull(Answer(line, "totalMem"));
  } else if (std::regex_match(line, match, pci)) {
    strcpy(device.pci_bus_id, match[1].str().c_str());
    device.pci_domain = static_cast<uint32_t>(std::stoul(match[2], nullptr, 16));
    device.pci_bus = static_cast<uint32_t>(std::stoul(match[3], nullptr, 16));
    device.pci_device = static_cast<uint32_t>(std::stoul(match[4], nullptr, 16));
  } else if (std::regex_match(line, match, attribute)) {
    device.attributes[std::stoul(match[1])] = std::stoi(match[2]);
  }
}

}  // namespace

std::vector<std::string> RecordedLines(const std::string& file, const std::string& from,
                                       const std::string& to) {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string& line : Lines(file)) {
    inside = inside || Begins(line, from);
    if (inside && !to.empty() && Begins(line, to)) break;
    if (inside) found.push_back(line);
  }
  return found;
}

World RecordedMachine(const std::string& file) {
  World machine = EmptyMachine();
  int asked = 0;  // devices that the runtime and NVML have told of
  int measured = 0;
  for (const std::string& line : Lines(file)) {
    if (Begins(line, "cuDeviceGet ")) {
      Device device = {};
      for (int32_t& value : device.attributes) value = world::kNoAttribute;
      AddDevice(machine, device);
    } else if (Begins(line, "memGetInfo ")) {
      machine.devices[asked++].memory_free = std::stoull(Value(line, "free"));
    } else if (Begins(line, "nvml mem r=0")) {
      machine.devices[measured++].nvml_memory_total = std::stoull(Value(line, "total"));
    } else if (machine.device_count > 0) {
      ReadDeviceLine(line, machine.devices[machine.device_count - 1]);
    }
  }
  for (uint32_t i = 0; i < machine.device_count; ++i) {
    Device& device = machine.devices[i];
    device.cc_major = device.prop_cc_major = device.attributes[75];
    device.cc_minor = device.prop_cc_minor = device.attributes[76];
    device.sm_count = device.attributes[16];
    // What nvidia-smi -q printed of both; the conformance recordings have them, too.
    constexpr int32_t kBoard[] = {700000, 200000, 700000, 95, 89, 95, 87, 1545, 0, 5, 16};
    std::copy(std::begin(kBoard), std::end(kBoard), device.board);
  }
  return machine;
}

}  // namespace gpustage::fakes_test
