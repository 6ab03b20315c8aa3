#include "harness/capture/scenario_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "harness/capture/not_staged.h"
#include "harness/capture/sections.h"

namespace gpustage::capture {
namespace {

// The name of the one file of fixtures/devices that has this name; null where none has, or several.
const char* ProfileOf(const std::string& name) {
  struct Profile {
    const char* name;
    const char* profile;
  };
  static constexpr Profile kProfiles[] = {
#define PROFILE(name, profile) {name, profile},
#include "harness/capture/profiles.inc"
#undef PROFILE
  };
  for (const Profile& known : kProfiles)
    if (known.name == name) return known.profile;
  return nullptr;
}

constexpr char kNotStaged[] = "Read there, and not staged:";
constexpr size_t kMostPrinted = 200;  // lines of a program behind --

// A code, a version, a count: longer numbers may be of the machine alone.
bool IsCode(const std::string& text) { return IsNumber(text) && text.size() <= 6; }
// Attributes are an int; a GPU has less than 1 TiB.
bool IsInt(const std::string& text) {
  return IsNumber(text) && text.size() <= 10 && atoll(text.c_str()) <= INT32_MAX;
}
bool IsMemory(const std::string& text) {
  return IsNumber(text) && text.size() <= 13 && text[0] != '0' &&
         atoll(text.c_str()) <= (1ll << 40);
}

class Writer : public Sections {
 public:
  explicit Writer(const MachineFacts& facts) : Sections(facts, {}) {
    for (const Answer& answer : facts.answers) by_family_[answer.family] = &answer;
    count_ = CountOfDevices();
  }

  std::string Write() {
    Head();
    MachineOf();
    // As in WSL, where /dev/dxg is the way: nothing that a fake asks for was missing there.
    if (CountsWithoutNodes())
      Comment("no node of NVIDIA's is there, and the driver counts without");
    Tree(CountsWithoutNodes() ? 0 : count_);
    Environment(facts_.process.told ? "of the unit, as systemctl tells them"
                : facts_.process.pid == 0
                    ? "of the shell that capture was started in, not of a service"
                    : "of the process that was named");
    Runs();
    const std::vector<std::string> lines = NotStaged(facts_, places_);
    if (!lines.empty()) Comment(kNotStaged);
    for (const std::string& line : lines) Comment("  " + line);
    return text_;
  }

 private:
  const Answer* Of(const std::string& family) const {
    const auto found = by_family_.find(family);
    return found == by_family_.end() ? nullptr : found->second;
  }
  static std::string ValueOf(const Answer* answer, const std::string& key) {
    if (answer == nullptr) return "";
    const auto found = answer->values.find(key);
    return found == answer->values.end() ? "" : found->second;
  }

  // Whether something stands in a device's place that is none, or a node is not for everybody.
  bool AnyNodeRefuses() const {
    return std::any_of(facts_.nodes.begin(), facts_.nodes.end(), [](const FileFacts& node) {
      return IsOfDevice(node.path) && (!IsNode(node) || (node.mode & 0666) != 0666);
    });
  }
  bool CountsWithoutNodes() const {
    const Answer* const driver = Of("cuda");
    return driver != nullptr && !driver->devices.empty() &&
           std::none_of(facts_.nodes.begin(), facts_.nodes.end(), [](const FileFacts& node) {
             return node.path.rfind("/dev/nvidia", 0) == 0;
           });
  }
  static bool IsOfDevice(const std::string& path) {
    return path.rfind("/dev/nvidia", 0) == 0 && IsNumber(path.substr(11));
  }

  // How many devices the machine has. A mask hides some from the driver and none from NVML; a node
  // that refuses hides its device from both.
  size_t CountOfDevices() const {
    size_t most = 0;
    for (const char* family : {"cuda", "nvml"})
      if (const Answer* answer = Of(family); answer != nullptr)
        most = std::max(most, answer->devices.size());
    if (most != 0 && !AnyNodeRefuses()) return most;
    const auto nodes = std::count_if(facts_.nodes.begin(), facts_.nodes.end(),
                                     [](const FileFacts& node) { return IsOfDevice(node.path); });
    return std::max(most, static_cast<size_t>(nodes));
  }

  void Head() {
    const std::string code = ValueOf(Of("cuda"), "cuInit");
    const Answer* const driver = Of("cuda");
    Comment("Written by gpustage-capture, on a machine of " + places_.Name(facts_.distribution) +
            ".");
    Comment(
        "What is not a word of GPU software is a placeholder (p1, p2, …), the same for the same "
        "text.");
    std::string claim = "a captured machine: ";
    const Answer* const hip = Of("hip");
    if (hip != nullptr && !facts_.kfd.empty() && (driver == nullptr || !driver->error.empty()))
      claim += "HIP counts " + std::to_string(hip->devices.size());
    else if (driver == nullptr)
      claim += "its driver was not asked";
    else if (IsCode(code) && code != "0")
      claim += "cuInit answers " + code;
    else if (!driver->error.empty())
      claim += "libcuda.so.1 could not be asked";
    else
      claim += "the driver counts " + std::to_string(driver->devices.size());
    Line("claim: " + Quoted(claim));
    Line("tags: [captured]");
    for (const Gap& gap : facts_.gaps) {
      Comment("NOT KNOWN: " + gap.what + (gap.path.empty() ? "" : " " + PathOf(gap.path)) + ": " +
              gap.why);
      if (!gap.command.empty()) Comment("  try: " + gap.command);
    }
  }

  // Of the name of libcuda's or NVML's real file: libcuda.so.580.159.04.
  std::string LibraryVersion() const {
    for (const FileFacts& file : facts_.files)
      for (const char* stem : {"/libcuda.so.", "/libnvidia-ml.so."})
        if (const size_t at = file.path.rfind(stem);
            at != std::string::npos && file.kind == FileKind::kFile)
          if (const std::string version = DriverVersion(file.path.substr(at + strlen(stem)));
              !version.empty())
            return version;
    return "";
  }

  void MachineOf() {
    const Answer* const driver = Of("cuda");
    const Answer* const management = Of("nvml");
    Line("machine:");
    if (count_ == 0 && facts_.kfd.empty()) {
      Line("  devices: []  # no driver counted one, and there is no node /dev/nvidia0");
    } else {
      Line("  devices:");
      for (size_t i = 0; i < count_; ++i) Device(i, driver, management);
      for (size_t i = 0; i < facts_.kfd.size(); ++i) DeviceOfAmd(i);
    }
    std::string version = DriverVersion(ValueOf(management, "driver"));
    if (version.empty()) version = LibraryVersion();
    if (!version.empty())
      Line("  driver: \"" + version + "\"  # NVML, or the name of the library's file");
    const std::string module = DriverVersion(facts_.kernel_driver);
    if (!module.empty()) Line("  kernel_driver: \"" + module + "\"  # of the loaded module");
    if (const std::string cuda = ValueOf(driver, "driver"); IsCode(cuda)) {
      const int number = atoi(cuda.c_str());
      Line("  cuda: \"" + std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10) +
           "\"  # cuDriverGetVersion");
    }
    const std::string code = ValueOf(driver, "cuInit");
    if (IsCode(code) && code != "0")
      Comment("cuInit answered " + code +
              " there. Where nothing below explains it: "
              "faults: [{function: cuInit, return: " +
              code + "}]");
  }

  static std::string NameOf(const std::map<std::string, std::string>& device) {
    const auto name = device.find("name");
    return name == device.end() ? "" : name->second;
  }

  void Device(size_t i, const Answer* driver, const Answer* management) {
    static const std::map<std::string, std::string> none;
    const auto of = [i](const Answer* answer) -> const std::map<std::string, std::string>& {
      return answer != nullptr && i < answer->devices.size() ? answer->devices[i] : none;
    };
    const auto& named = of(management);
    const auto name = named.find("name");
    // Of several alike one may be hidden from the driver, and is as the others are.
    const bool hidden = driver != nullptr && !driver->devices.empty() &&
                        i >= driver->devices.size() &&
                        (name == named.end() || NameOf(driver->devices.back()) == name->second);
    const auto& device = hidden ? driver->devices.back() : of(driver);
    const auto value = [&device](const std::string& key) {
      const auto found = device.find(key);
      return found == device.end() ? std::string() : found->second;
    };
    char uuid[64];
    snprintf(uuid, sizeof uuid, "GPU-00000000-0000-0000-0000-%012zx", i + 1);
    if (const std::string real = value("uuid"); real.size() == 32 && !hidden)
      places_.KnowDevice("GPU-" + real.substr(0, 8) + "-" + real.substr(8, 4) + "-" +
                             real.substr(12, 4) + "-" + real.substr(16, 4) + "-" + real.substr(20),
                         uuid);
    const std::string major = value("attribute.75"), minor = value("attribute.76"),
                      total = value("memory_total"), units = value("attribute.16");
    if (!IsCode(major) || !IsCode(minor) || !IsMemory(total)) {
      const std::string product = name == named.end() ? "" : ProductName(name->second);
      if (const char* const profile = ProfileOf(product); profile != nullptr)
        Line("    - profile: " + std::string(profile) + "  # NVML calls it " + product);
      else
        Line(
            "    - profile: h100-80gb  # NOT KNOWN which: " +
            (product.empty() ? "no driver answered; a node is there" : "NVML calls it " + product));
      Line("      uuid: " + std::string(uuid));
      return;
    }
    Line("    - name: " + Quoted(ProductName(NameOf(device))) +
         (hidden ? "  # as the one before: the driver was not shown it" : ""));
    Line("      uuid: " + std::string(uuid));
    Line("      cc: " + major + "." + minor);
    Line("      memory_total: " + total);
    if (IsCode(units) && units != "0") Line("      sm_count: " + units);
    if (value("attribute.18") == "1") Line("      integrated: true");
    std::string attributes;
    for (int k = 1; k < 192; ++k) {
      if (k == 16 || k == 18 || k == 33 || k == 34 || k == 50 || k == 75 || k == 76)
        continue;  // said above; PCI
      const std::string number = value("attribute." + std::to_string(k));
      if (!number.empty() && IsInt(number[0] == '-' ? number.substr(1) : number))
        attributes += (attributes.empty() ? "" : ", ") + std::to_string(k) + ": " + number;
    }
    if (!attributes.empty()) Line("      attributes: {" + attributes + "}");
  }

  // As the kernel lists it; what HIP says of it where HIP counts all of them.
  void DeviceOfAmd(size_t i) {
    const KernelGpu& gpu = facts_.kfd[i];
    char target[32];
    snprintf(target, sizeof target, "gfx%u%x%x", gpu.target / 10000, gpu.target / 100 % 100,
             gpu.target % 100);
    Line(std::string("    - profile: ") + ProfileOfTarget(target) + "  # of the kernel's topology");
    Line(std::string("      gfx: ") + target);
    const Answer* const hip = Of("hip");
    if (hip == nullptr || hip->devices.size() != facts_.kfd.size()) return;
    const auto& device = hip->devices[i];
    if (const std::string name = NameOf(device); !name.empty())
      Line("      name: " + Quoted(ProductName(name)));
    if (const auto total = device.find("memory_total");
        total != device.end() && IsMemory(total->second))
      Line("      memory_total: " + total->second);
  }

  // Whether each driver that a manifest names has a fake: then Vulkan counts the same. vulkaninfo
  // brings the libX11 that NVIDIA's wants, so where that one is missing it is no judge.
  bool IsVulkanStaged() const {
    bool any = false, nvidia = false, x11 = false;
    for (const FileFacts& file : facts_.files) {
      nvidia |= FakeOf(file).name == "vulkan-nvidia";
      x11 |= file.path.find("/libX11.so.6") != std::string::npos;
    }
    if (nvidia && !x11) return false;
    for (const FileFacts& file : facts_.files) {
      if (file.path.find("/vulkan/icd.d/") == std::string::npos || file.kind != FileKind::kFile)
        continue;
      FileFacts library;
      library.path = "/" + ManifestValue(file.text, "library_path");
      if (FakeOf(library).name.rfind("vulkan-", 0) != 0) return false;
      any = true;
    }
    return any;
  }

  void Runs() {
    Line("user: \"" + std::to_string(ids_.Of(facts_.process.uid)) + "\"");
    const Answer* const driver = Of("cuda");
    const Answer* const runtime = Of("cudart");
    Line("runs:");
    Line("  - {name: driver, scanner: dlopen, args: [libcuda.so.1]}");
    const std::string own = runtime == nullptr ? "" : PathOf(runtime->library);
    if (!own.empty()) Line("  - {name: runtime, scanner: dlopen, args: [" + Quoted(own) + "]}");
    const bool management = !ValueOf(Of("nvml"), "nvmlInit_v2").empty();
    if (management) Line("  - {name: management, scanner: dlopen, args: [libnvidia-ml.so.1]}");
    const Answer *const hip = Of("hip"), *const vulkan = Of("vulkan");
    if (hip != nullptr)
      Line("  - {name: hip, scanner: dlopen, args: [" + Quoted(PathOf(hip->library)) + "]}");
    const bool drawn = vulkan != nullptr && !vulkan->values.empty() && IsVulkanStaged();
    if (drawn) Line("  - {name: vulkan, scanner: vulkaninfo}");
    bool ollama = false;
    for (const FileFacts& file : facts_.files)
      ollama = ollama || (file.path.find("/lib/ollama/") != std::string::npos &&
                          FakeOf(file).name.rfind("ggml", 0) == 0);
    Line("expect:");
    Expect("driver", driver);
    if (!own.empty()) Expect("runtime", runtime);
    if (management) Expect("management", Of("nvml"));
    if (hip != nullptr) Expect("hip", hip);
    if (drawn)
      Expect("vulkan", vulkan);
    else if (vulkan != nullptr)
      Asked(vulkan);
    Printed();
    if (ollama)
      Comment(
          "what Ollama does here: add {name: service, scanner: ollama-model} to runs, and to "
          "expect "
          "what its log said");
  }
  // Of the program behind --: words that are not known are placeholders here, too.
  void Printed() {
    if (facts_.scanner.empty()) return;
    Comment("  " + places_.Path(facts_.scanner.front()) + " ended with " +
            std::to_string(facts_.scanner_status) + " and printed:");
    size_t lines = 0;
    for (size_t begin = 0; begin < facts_.scanner_output.size() && lines < kMostPrinted; ++lines) {
      const size_t end =
          std::min(facts_.scanner_output.find('\n', begin), facts_.scanner_output.size());
      Comment("  | " + places_.Words(facts_.scanner_output.substr(begin, end - begin)));
      begin = end + 1;
    }
  }
  // What the library said there, in the words of a claim.
  void Expect(const std::string& run, const Answer* answer) {
    static const std::pair<const char*, const char*> kEnds[] = {{"killed by signal 6", "SIGABRT"},
                                                                {"killed by signal 7", "SIGBUS"},
                                                                {"killed by signal 11", "SIGSEGV"}};
    Asked(answer);
    for (const auto& [words, signal] : kEnds)
      if (answer != nullptr && answer->error == words)
        return Line("  - {run: " + run + ", outcome: {killed: " + signal + "}}");
    const std::string count = ValueOf(answer, "count");
    Line("  - {run: " + run + ", devices: " + (IsNumber(count) && count.size() <= 3 ? count : "0") +
         "}");
  }
  void Asked(const Answer* answer) {
    if (answer == nullptr) return;
    std::string said = "  asked there: " + PathOf(answer->library);
    if (!answer->path.empty()) said += " (" + PathOf(answer->path) + ")";
    // Only what the probe asks: a library may print on its own.
    for (const char* key :
         {"driver", "runtime", "cuInit", "cuDeviceGetCount", "nvmlInit_v2", "nvmlDeviceGetCount_v2",
          "cudaGetDeviceCount", "hipGetDeviceCount", "vkCreateInstance", "count"})
      if (const std::string value = ValueOf(answer, key);
          IsCode(value[0] == '-' ? value.substr(1) : value))  // Vulkan's errors are below 0
        said += std::string(", ") + key + " " + value;
    if (!answer->error.empty()) said += ": " + places_.Words(answer->error);
    Comment(said);
  }

  std::map<std::string, const Answer*> by_family_;
  size_t count_ = 0;
};

}  // namespace

std::string ScenarioText(const MachineFacts& facts) { return Writer(facts).Write(); }

}  // namespace gpustage::capture
