// devices: of a machine, and fixtures/devices/NAME.yaml.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

// What fits into fakes/world/format.h.
constexpr int kMaxAttribute = 191;
constexpr size_t kLongestDeviceName = 255;
constexpr size_t kLongestPci = 31;

// CUdevice_attribute numbers of cuda.h whose values follow from other fields of a device.
constexpr int kMultiprocessorCount = 16;
constexpr int kIntegrated = 18;
constexpr int kPciBusId = 33;
constexpr int kPciDeviceId = 34;
constexpr int kPciDomainId = 50;
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;
constexpr int kGpuPciDeviceId = 139;

Result<std::array<uint8_t, 16>> ReadUuid(const YamlNode& node) {
  constexpr std::string_view kForm = "GPU-00112233-4455-6677-8899-aabbccddeeff";
  std::array<uint8_t, 16> uuid = {};
  bool right = node.IsText() && node.text.size() == kForm.size() &&
               (node.text.starts_with("GPU-") || node.text.starts_with("MIG-"));
  size_t digits = 0;
  for (size_t i = 4; right && i < kForm.size(); ++i) {
    const char c = node.text[i];
    if (kForm[i] == '-') {
      right = c == '-';
      continue;
    }
    unsigned value = 0;
    right = std::from_chars(&c, &c + 1, value, 16).ec == std::errc();
    uuid[digits / 2] = static_cast<uint8_t>(uuid[digits / 2] << 4 | value);
    ++digits;
  }
  if (right) return uuid;
  return ErrorAt(node, fmt::format("expected a UUID such as {}, got {}", kForm, Describe(node)));
}

// "gfx1100", "gfx90a": a major number, and a digit each for the minor one and the stepping.
Result<std::string> ReadGfx(const YamlNode& node) {
  constexpr std::string_view kBegin = "gfx";
  const std::string_view text = node.text;
  const size_t digits = text.size() - std::min(text.size(), kBegin.size());
  const bool right = node.IsText() && text.starts_with(kBegin) && (digits == 3 || digits == 4) &&
                     text.find_first_not_of("0123456789abcdef", kBegin.size()) == text.npos &&
                     text.substr(kBegin.size(), digits - 2).find_first_of("abcdef") == text.npos;
  if (right) return node.text;
  return ErrorAt(node, fmt::format("expected a target of AMD's such as gfx1100 or gfx90a, got {}",
                                   Describe(node)));
}

// A device that is described as another one must not answer as the old one did.
void DeriveAttributes(GpuDevice& device) {
  device.attributes[kComputeCapabilityMajor] = device.cc.major;
  device.attributes[kComputeCapabilityMinor] = device.cc.minor;
  device.attributes[kIntegrated] = device.integrated ? 1 : 0;
  if (device.sm_count > 0) device.attributes[kMultiprocessorCount] = device.sm_count;
  unsigned domain = 0, bus = 0, slot = 0, function = 0;
  if (std::sscanf(device.pci.c_str(), "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4) return;
  device.attributes[kPciDomainId] = static_cast<int>(domain);
  device.attributes[kPciBusId] = static_cast<int>(bus);
  device.attributes[kPciDeviceId] = static_cast<int>(slot);
}

// The keys that a device file and a device in a scenario share, over what `device` is already.
Status ReadDeviceKeys(const YamlNode& node, GpuDevice& device) {
  if (const YamlNode* name = node.Find("name")) {
    TRY(device.name, ReadCString(*name, "a device name", kLongestDeviceName));
  }
  if (const YamlNode* total = node.Find("memory_total")) {
    TRY(device.memory_total, ReadBytes(*total, "memory_total"));
    device.memory_free = device.memory_total;
    device.nvml_memory_total = 0;  // that of a profile belongs to the profile's board
    device.assumed.memory_total = device.assumed.memory_free = false;
  }
  if (const YamlNode* free = node.Find("memory_free")) {
    TRY(device.memory_free, ReadBytes(*free, "memory_free"));
    if (device.memory_free > device.memory_total)
      return ErrorAt(*free, fmt::format("memory_free {} is more than memory_total {}",
                                        device.memory_free, device.memory_total));
    device.assumed.memory_free = false;
  }
  if (const YamlNode* total = node.Find("nvml_memory_total")) {
    device.no_nvml_memory = total->IsText() && total->text == "none";
    if (!device.no_nvml_memory) {
      TRY(device.nvml_memory_total, ReadBytes(*total, "nvml_memory_total"));
    }
  }
  if (const YamlNode* count = node.Find("sm_count")) {
    TRY(device.sm_count, ReadInt(*count, "sm_count", 1, 100000));
  }
  if (const YamlNode* integrated = node.Find("integrated")) {
    TRY(device.integrated, ReadBool(*integrated, "integrated"));
  }
  if (const YamlNode* gfx = node.Find("gfx")) {
    TRY(device.gfx, ReadGfx(*gfx));
  }
  return Ok();
}

// By ordinal, so that the same scenario always has the same devices: the UUIDs end in ...00, ...01,
// the PCI buses are 1, 2.
void GiveIdentity(size_t ordinal, GpuDevice& device) {
  device.uuid = {0, 0, 0, 0, 0, 0, 0x40, 0, 0x80};
  device.uuid.back() = static_cast<uint8_t>(ordinal);
  device.pci = fmt::format("0000:{:02x}:00.0", ordinal + 1);
}

Result<GpuDevice> ReadModel(const YamlNode& node, Fixtures& fixtures) {
  if (!node.IsText())
    TRY(CheckKeys(
        node, "a device",
        {"profile", "name", "uuid", "pci", "cc", "prop_cc", "memory_total", "memory_free",
         "nvml_memory_total", "sm_count", "integrated", "gfx", "attributes", "mig", "count"}));
  GpuDevice device;
  if (const YamlNode* profile = node.IsText() ? &node : node.Find("profile")) {
    TRY(const GpuDevice* known, fixtures.FindDevice(*profile));
    device = *known;
  } else {
    for (const char* key : {"name", "cc", "memory_total"})
      TRY(Require(node, "a device without a profile", key));
  }
  if (const YamlNode* cc = node.Find("cc")) {
    TRY(device.cc, ReadComputeCapability(*cc));
  }
  if (const YamlNode* cc = node.Find("prop_cc")) {
    TRY(device.prop_cc, ReadComputeCapability(*cc));
  }
  TRY(ReadDeviceKeys(node, device));
  return device;
}

// "10de:2330" as attribute 139 packs it.
void GivePciId(const std::string& id, GpuDevice& device) {
  unsigned vendor = 0, number = 0;
  if (std::sscanf(id.c_str(), "%4x:%4x", &vendor, &number) != 2) return;
  device.pci_id = id;
  device.attributes[kGpuPciDeviceId] = static_cast<int>(number << 16 | vendor);
}

// "1002:744c" is AMD's; what is no PCI device is a Jetson.
bool IsNvidia(const GpuDevice& device) {
  return device.pci_id.empty() || device.pci_id.starts_with("10de:");
}

// A MIG slice stands on a board of its parent's kind: on the one at that address, where the
// scenario gives one, and all others on one board.
Status PutOnBoard(const YamlNode& node, Fixtures& fixtures, Machine& machine, GpuDevice& slice) {
  for (const GpuDevice& board : machine.boards) {
    if (board.profile != slice.mig_parent ||
        (node.Find("pci") != nullptr && board.pci != slice.pci))
      continue;
    slice.pci = board.pci;
    GivePciId(board.pci_id, slice);
    return Ok();
  }
  YamlNode parent;
  parent.text = slice.mig_parent;
  parent.pos = node.pos;
  TRY(const GpuDevice* known, fixtures.FindDevice(parent));
  GpuDevice& board = machine.boards.emplace_back(*known);
  board.uuid = slice.uuid;
  board.uuid[9] = 1;  // so that it is nobody's in the machine
  board.pci = slice.pci;
  board.mig_enabled = true;
  GivePciId(board.pci_id, slice);
  return Ok();
}

// pci_id: "10de:2330", or none; mig: {parent: h100-80gb, profile: 1g.10gb}.
Status ReadBoardKeys(const YamlNode& node, GpuDevice& device) {
  if (const YamlNode* id = node.Find("pci_id"); id != nullptr && id->text != "none") {
    unsigned vendor = 0, number = 0;
    int end = 0;
    if (!id->IsText() || std::sscanf(id->text.c_str(), "%4x:%4x%n", &vendor, &number, &end) != 2 ||
        end != 9 || id->text.size() != 9)
      return ErrorAt(*id, fmt::format("expected a PCI id such as \"10de:2330\", or none, got {}",
                                      Describe(*id)));
    GivePciId(id->text, device);
  }
  if (const YamlNode* mig = node.Find("mig")) {
    TRY(CheckKeys(*mig, "a MIG slice", {"parent", "profile"}));
    TRY(const YamlNode* parent, Require(*mig, "a MIG slice", "parent"));
    TRY(device.mig_parent, ReadName(*parent, "the device that the slice is cut from"));
    TRY(const YamlNode* profile, Require(*mig, "a MIG slice", "profile"));
    TRY(const std::string name, ReadName(*profile, "a MIG profile"));
    if (!device.name.ends_with(" MIG " + name))
      return ErrorAt(*profile, fmt::format("the driver calls it \"... MIG {}\", not \"{}\"", name,
                                           device.name));
  }
  return Ok();
}

// board: {power_limit: 400, …}: watts, degrees, MHz and numbers, as nvidia-smi -q prints them.
struct BoardKey {
  const char* key;
  world::BoardFigure figure;
  int times;
};
constexpr BoardKey kBoardKeys[] = {
    {"power_limit", world::BoardFigure::kPowerLimit, 1000},
    {"least_power_limit", world::BoardFigure::kLeastPowerLimit, 1000},
    {"most_power_limit", world::BoardFigure::kMostPowerLimit, 1000},
    {"shutdown", world::BoardFigure::kShutdown, 1},
    {"slowdown", world::BoardFigure::kSlowdown, 1},
    {"memory_most", world::BoardFigure::kMemoryMost, 1},
    {"gpu_most", world::BoardFigure::kGpuMost, 1},
    {"video_clock", world::BoardFigure::kVideoClock, 1},
    {"fans", world::BoardFigure::kFans, 1},
    {"pcie_generation", world::BoardFigure::kPcieGeneration, 1},
    {"pcie_lanes", world::BoardFigure::kPcieLanes, 1}};

Status ReadBoard(const YamlNode& node, GpuDevice& device) {
  std::vector<std::string> keys;
  for (const BoardKey& known : kBoardKeys) keys.emplace_back(known.key);
  TRY(CheckKeys(node, "a board", keys));
  for (const BoardKey& known : kBoardKeys)
    if (const YamlNode* value = node.Find(known.key)) {
      TRY(const int figure, ReadInt(*value, known.key, 0, 100000));
      device.board[static_cast<int>(known.figure)] = figure * known.times;
    }
  return Ok();
}

// What a file does not say of free memory, nobody has recorded.
Status ReadAssumed(const YamlNode& node, GpuDevice& device) {
  device.assumed.memory_free = node.Find("memory_free") == nullptr;
  const YamlNode* list = node.Find("assumed");
  if (list == nullptr) return Ok();
  TRY(CheckList(*list, "assumed"));
  for (const YamlNode& item : list->items) {
    if (item.text == "memory_total")
      device.assumed.memory_total = true;
    else if (item.text == "sm_count")
      device.assumed.attributes.insert(kMultiprocessorCount);
    else
      return UnknownWord(item, "fact that may be assumed", {"memory_total", "sm_count"});
  }
  return Ok();
}

}  // namespace

Result<ComputeCapability> ReadMajorMinor(const YamlNode& node, std::string_view what,
                                         std::string_view example) {
  ComputeCapability read;
  const char* const end = node.text.data() + node.text.size();
  const auto major = std::from_chars(node.text.data(), end, read.major);
  if (node.IsText() && major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
    const auto minor = std::from_chars(major.ptr + 1, end, read.minor);
    const bool whole = minor.ec == std::errc() && minor.ptr == end;
    if (whole && read.major >= 0 && read.major < 1000 && read.minor >= 0 && read.minor < 100)
      return read;
  }
  return ErrorAt(node,
                 fmt::format("expected {} such as {}, got {}", what, example, Describe(node)));
}

Result<ComputeCapability> ReadComputeCapability(const YamlNode& node) {
  return ReadMajorMinor(node, "a compute capability", "9.0");
}

Status ReadAttributes(const YamlNode& node, std::map<int, int>& attributes) {
  if (!node.IsMap())
    return ErrorAt(node,
                   fmt::format("expected attributes, a map of CUdevice_attribute numbers, got {}",
                               Describe(node)));
  for (const YamlEntry& entry : node.entries) {
    YamlNode key;
    key.text = entry.key;
    key.pos = entry.pos;
    TRY(const int number, ReadInt(key, "a CUdevice_attribute", 0, kMaxAttribute));
    TRY(attributes[number],
        ReadInt(entry.value, "the value of an attribute", std::numeric_limits<int>::min() + 1,
                std::numeric_limits<int>::max()));
  }
  return Ok();
}

Result<GpuDevice> ReadDeviceFile(const std::string& file) {
  TRY(const YamlNode node, ReadYamlFile(file));
  TRY(CheckKeys(node, "a device",
                {"device", "name", "compute_capability", "memory_total", "memory_free",
                 "nvml_memory_total", "sm_count", "integrated", "pci_id", "gfx", "mig", "recorded",
                 "attributes", "board", "assumed", "source"}));
  for (const char* key : {"device", "name", "memory_total", "source"})
    TRY(Require(node, "a device file", key));
  GpuDevice device;
  TRY(device.profile, ReadFixtureName(node, "device"));
  TRY(ReadDeviceKeys(node, device));
  TRY(ReadBoardKeys(node, device));
  if (IsNvidia(device)) {
    TRY(const YamlNode* cc, Require(node, "a device file", "compute_capability"));
    TRY(device.cc, ReadComputeCapability(*cc));
  }
  if (const YamlNode* attributes = node.Find("attributes"))
    TRY(ReadAttributes(*attributes, device.attributes));
  if (const YamlNode* board = node.Find("board")) TRY(ReadBoard(*board, device));
  if (const YamlNode* recorded = node.Find("recorded")) {
    TRY(device.recorded, ReadBool(*recorded, "recorded"));
  }
  TRY(ReadAssumed(node, device));
  return device;
}

Status AddDevices(const YamlNode& node, Fixtures& fixtures, Machine& machine) {
  TRY(const GpuDevice model, ReadModel(node, fixtures));
  TRY(const Capabilities* capabilities, fixtures.FindCapabilities());
  std::vector<GpuDevice>& devices = IsNvidia(model) ? machine.devices : machine.others;
  int count = 1;
  if (const YamlNode* value = node.Find("count")) {
    TRY(count, ReadInt(*value, "count", 1, world::kMaxDevices));
  }
  for (; count > 0; --count) {
    const auto uncut = static_cast<size_t>(
        std::count_if(machine.boards.begin(), machine.boards.end(),
                      [](const GpuDevice& board) { return board.uuid[9] == 0; }));
    const size_t ordinal = machine.devices.size() + machine.others.size() + uncut;
    if (ordinal == world::kMaxDevices)
      return ErrorAt(node, fmt::format("a machine has at most {} devices", world::kMaxDevices));
    GpuDevice device = model;
    GiveIdentity(ordinal, device);
    if (const YamlNode* uuid = node.Find("uuid")) {
      TRY(device.uuid, ReadUuid(*uuid));
    }
    if (const YamlNode* pci = node.Find("pci")) {
      TRY(device.pci, ReadCString(*pci, "a PCI address", kLongestPci));
    }
    if (!device.mig_parent.empty()) TRY(PutOnBoard(node, fixtures, machine, device));
    if (const YamlNode* mig = node.Find("mig")) {
      TRY(device.mig_enabled,
          ReadChoice<bool>(*mig, "MIG mode", {{"disabled", false}, {"enabled", true}}));
      if (!device.mig_parent.empty())
        return ErrorAt(*mig, "a slice is on a board that is in MIG mode already");
    }
    DeriveAttributes(device);
    if (const YamlNode* attributes = node.Find("attributes"))
      TRY(ReadAttributes(*attributes, device.attributes));
    if (!device.recorded && IsNvidia(device)) FillAttributes(*capabilities, device);
    // In MIG mode and not cut: NVML's alone.
    (device.mig_enabled ? machine.boards : devices).push_back(std::move(device));
  }
  return Ok();
}

}  // namespace gpustage
