// What vulkaninfo says of devices: as text (in full or --summary) and as JSON, a profile or an
// older release's devsim file, whole in one line, indented, quoted, or cut at its end.
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

constexpr char kText[] = "vulkaninfo";
constexpr char kJson[] = "vulkaninfo --json";
constexpr char kProperties[] = "\"VkPhysicalDeviceProperties\"";

using Members = std::map<std::string, std::string>;

// The plain members of the object that a text begins with, as far as the text goes.
class MembersOf : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit MembersOf(std::string_view text) {
    nlohmann::json::sax_parse(text.begin(), text.end(), this, nlohmann::json::input_format_t::json,
                              false);
  }
  Members members;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t number) override { return Keep(std::to_string(number)); }
  bool number_unsigned(uint64_t number) override { return Keep(std::to_string(number)); }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string& text) override { return Keep(text); }
  bool binary(nlohmann::json::binary_t&) override { return true; }
  bool start_object(size_t) override { return ++depth_ > 0; }
  bool key(std::string& name) override {
    key_ = name;
    return true;
  }
  bool end_object() override { return --depth_ > 0; }
  bool start_array(size_t) override { return ++depth_ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool Keep(const std::string& value) {
    if (depth_ == 1) members[key_] = value;
    return true;
  }
  int depth_ = 0;
  std::string key_;
};

// Of an object that is the value of this key; nothing where there is none.
Members ObjectOf(std::string_view text, const std::string& key) {
  const size_t at = text.find('"' + key + '"');
  if (at == std::string_view::npos) return {};
  const size_t begin = text.find_first_not_of(" \t\n:", at + key.size() + 2);
  if (begin == std::string_view::npos || text[begin] != '{') return {};
  return MembersOf(text.substr(begin)).members;
}

std::string Of(const Members& members, const std::string& name) {
  const auto found = members.find(name);
  return found == members.end() ? "" : found->second;
}

// "1002" of 4098 and of 0x1002.
std::string Hex(const std::string& number) {
  const bool is_hex = number.starts_with("0x");
  unsigned value = 0;
  const char* const end = number.data() + number.size();
  std::from_chars(number.data() + (is_hex ? 2 : 0), end, value, is_hex ? 16 : 10);
  char text[16];
  snprintf(text, sizeof text, "%04x", value);
  return text;
}

// pci.ids; the numbers above 0xffff are Khronos's (vk.xml, VkVendorId).
std::string VendorOfId(const std::string& id) {
  static const std::map<std::string, std::string> kVendors = {
      {"10de", "nvidia"}, {"1002", "amd"},       {"8086", "intel"},
      {"1af4", "virtio"}, {"10005", "software"}, {"1ae0", "software"}};
  const auto known = kVendors.find(id);
  return known == kVendors.end() ? "" : known->second;
}

class VulkanReader {
 public:
  explicit VulkanReader(Reader reader) : reader_(reader) {}

  void Read() {
    for (const PastedLine& line : reader_.text.lines) Line(line);
    Flush();
    Json();
    // Its own list counts what is no GPU, too.
    if (listed_ > 0 && gpus_ == 0)
      reader_.facts.counts.push_back({{"vulkan", 0}, reader_.facts.devices.back().from});
  }

 private:
  // "driverName = radv"; the name of the device stands between those of one.
  void Line(const PastedLine& line) {
    static const RE2 pair(R"(^(vendorID|deviceID|deviceType|deviceName|driverName|driverInfo)\s*)"
                          R"(=\s*(\S.*)$)");
    static const RE2 none(R"(^(?:ERROR: \[Loader Message\] Code 0 : .*|Cannot create Vulkan )"
                          R"(instance\..*|.*vkCreateInstance.*VK_ERROR_INCOMPATIBLE_DRIVER.*|)"
                          R"(.*Found no drivers!.*)$)");
    static const RE2 found_none(R"(Found no drivers|ERROR_INCOMPATIBLE_DRIVER)");
    std::string name, value;
    if (RE2::FullMatch(line.text, pair, &name, &value)) {
      if (name == "vendorID" || (name == "deviceName" && now_.count(name) != 0)) Flush();
      if (now_.empty()) line_ = line.number;
      now_[name] = value;
    } else if (RE2::FullMatch(line.text, none) && RE2::PartialMatch(line.text, found_none)) {
      reader_.facts.counts.push_back({{"vulkan", 0}, reader_.At(kText, line.number)});
    }
  }
  void Flush() {
    if (now_.count("deviceName") != 0) Add(kText, line_, now_, now_);
    now_.clear();
  }

  // Each device has its own object of properties; what belongs to it stands up to the next.
  void Json() {
    std::string whole;
    std::vector<std::pair<size_t, int>> begins;  // of each line in it
    for (const PastedLine& line : reader_.text.lines) {
      begins.emplace_back(whole.size(), line.number);
      whole += line.text + "\n";
    }
    for (size_t at = whole.find(kProperties); at != std::string::npos;) {
      const size_t next = whole.find(kProperties, at + 1);
      const std::string_view part = std::string_view(whole).substr(at, next - at);
      const Members device = ObjectOf(part, "VkPhysicalDeviceProperties");
      Members driver = ObjectOf(part, "VkPhysicalDeviceDriverProperties");
      if (driver.empty()) driver = ObjectOf(part, "VkPhysicalDeviceVulkan12Properties");
      const auto line = std::upper_bound(begins.begin(), begins.end(), std::pair(at, INT32_MAX));
      if (device.count("deviceName") != 0)
        Add(kJson, std::prev(line)->second, device, driver).memory = LocalMemory(part);
      at = next;
    }
  }

  // The largest heap of the device's own; a profile does not list them.
  static int64_t LocalMemory(std::string_view text) {
    static const RE2 heap(R"re("flags"\s*:\s*(\d+)\s*,\s*"size"\s*:\s*(\d+))re");
    const size_t at = text.find("\"memoryHeaps\"");
    if (at == std::string_view::npos) return 0;
    const std::string_view heaps = text.substr(at, text.find(']', at) - at);
    re2::StringPiece rest(heaps.data(), heaps.size());
    int64_t most = 0, size = 0;
    int flags = 0;
    while (RE2::FindAndConsume(&rest, heap, &flags, &size))
      if ((flags & 1) != 0) most = std::max(most, size);
    return most;
  }

  Device& Add(const char* kind, int line, const Members& properties, const Members& driver) {
    const Origin from = reader_.At(kind, line);
    Device device;
    device.name = Of(properties, "deviceName");
    device.api = kind;
    const std::string vendor = Of(properties, "vendorID"), type = Of(properties, "deviceType");
    device.vendor = VendorOfId(Hex(vendor));
    // VK_PHYSICAL_DEVICE_TYPE_CPU is 4.
    if (type.ends_with("TYPE_CPU") || type == "4") device.vendor = "software";
    ++listed_;
    gpus_ += device.vendor != "software";
    const std::string id = Of(properties, "deviceID");
    if (!vendor.empty() && !id.empty()) device.pci_id = Hex(vendor) + ":" + Hex(id);
    device.driver = Of(driver, "driverName");
    // Mesa's says its own version, which is none of NVIDIA's driver.
    if (device.driver == "NVIDIA")
      if (const std::string version = Of(driver, "driverInfo"); !version.empty())
        reader_.facts.library_version.push_back({version, from});
    reader_.facts.devices.push_back({std::move(device), from});
    return reader_.facts.devices.back().value;
  }

  Reader reader_;
  Members now_;
  int line_ = 0, listed_ = 0, gpus_ = 0;
};

}  // namespace

void ReadVulkan(Reader reader) { VulkanReader(reader).Read(); }

}  // namespace gpustage::pasted
