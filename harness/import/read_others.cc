// What ROCm's and PyTorch's tools and lspci say of devices, and what logs of ggml and Ollama do.
#include <re2/re2.h>

#include <charconv>

#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

std::string VendorOfName(const std::string& name) {
  static const std::pair<const char*, const char*> kWords[] = {
      {"NVIDIA", "nvidia"}, {"GeForce", "nvidia"}, {"Tesla", "nvidia"}, {"Quadro", "nvidia"},
      {"AMD", "amd"},       {"Radeon", "amd"},     {"Intel", "intel"},  {"gfx", "amd"}};
  for (const auto& [word, vendor] : kWords)
    if (name.find(word) != std::string::npos) return vendor;
  return "";
}

class OtherReader {
 public:
  explicit OtherReader(Reader reader) : reader_(reader) {}

  void Finish() {
    if (rocm_.value > 0) reader_.facts.counts.push_back({{"hip", rocm_.value}, rocm_.from});
  }

  void Read(const PastedLine& line) {
    if (Rocm(line) || Torch(line) || Pci(line)) return;
    Log(line);
  }

 private:
  Device& Add(const char* kind, const char* vendor, const std::string& name, int line) {
    const Origin from = reader_.At(kind, line);
    Device device;
    device.name = name;
    device.vendor = *vendor != '\0' ? vendor : VendorOfName(name);
    device.api = kind;
    reader_.facts.devices.push_back({device, from});
    return reader_.facts.devices.back().value;
  }

  bool Rocm(const PastedLine& line) {
    static const RE2 gfx(R"(^Name: +(gfx[1-9][0-9a-f]+)$)");
    static const RE2 marketing(R"(^Marketing Name: +(\S.*?)$)");
    static const RE2 series(R"(^GPU\[(\d+)\]\s*: (?:Card [Ss]eries|Device Name): *\t* *(\S.*)$)");
    static const RE2 refused(R"(Unable to open /dev/kfd read-write: (.+)$)");
    std::string value, number;
    if (RE2::FullMatch(line.text, gfx, &value)) {
      Add("rocminfo", "amd", value, line.number).compute = value;
      if (rocm_.value++ == 0) rocm_.from = reader_.At("rocminfo", line.number);
      of_rocminfo_ = true;
    } else if (of_rocminfo_ && RE2::FullMatch(line.text, marketing, &value)) {
      reader_.facts.devices.back().value.name = value;
      of_rocminfo_ = false;
    } else if (RE2::FullMatch(line.text, series, &number, &value)) {
      Add("rocm-smi", "amd", value, line.number);
    } else if (RE2::PartialMatch(line.text, refused, &value)) {
      const bool denied = value == "Permission denied" || value == "Operation not permitted";
      reader_.facts.absent.push_back({{"/dev/kfd", denied, value == "No such file or directory"},
                                      reader_.At("rocminfo", line.number)});
      reader_.facts.counts.push_back({{"hip", 0}, reader_.At("rocminfo", line.number)});
    } else if (line.text == "WARNING: No AMD GPUs specified") {
      reader_.facts.counts.push_back({{"hip", 0}, reader_.At("rocm-smi", line.number)});
    } else {
      return false;
    }
    return true;
  }

  bool Torch(const PastedLine& line) {
    static const RE2 available(R"(^Is CUDA available: (\w+)$)");
    static const RE2 driver(R"(^Nvidia driver version: (\d[\d.]+)$)");
    static const RE2 built(R"(^(CUDA|ROCM) used to build PyTorch: (\S+)$)");
    static const RE2 first(R"(^GPU models and configuration:(?: GPU (\d+): (.+))?$)");
    static const RE2 next(R"(^GPU (\d+): ([^(]+)$)");
    std::string value, number;
    if (RE2::FullMatch(line.text, available, &value)) {
      const Origin from = reader_.At("collect_env", line.number);
      if (value == "False" || value == "No") reader_.facts.counts.push_back({{"torch", 0}, from});

      in_torch_ = true;
    } else if (RE2::FullMatch(line.text, built, &value, &number)) {
      if (value == "CUDA") no_cuda_ = number == "None" || number == "Could";
      if (value == "ROCM" && no_cuda_ && (number == "N/A" || number == "None"))
        reader_.facts.builds.push_back({"this PyTorch was built without CUDA, and without ROCm",
                                        reader_.At("collect_env", line.number)});
    } else if (RE2::FullMatch(line.text, driver, &value)) {
      reader_.facts.kernel_version.push_back({value, reader_.At("collect_env", line.number)});
    } else if (in_torch_ && (RE2::FullMatch(line.text, first, &number, &value) ||
                             RE2::FullMatch(line.text, next, &number, &value))) {
      if (!value.empty()) Add("collect_env", "nvidia", value, line.number);
    } else {
      return false;
    }
    return true;
  }

  // lspci, with -nn or without; what is on the bus need not have a driver.
  bool Pci(const PastedLine& line) {
    static const RE2 card(R"(^(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d )"
                          R"((?:VGA compatible|3D|Display) controller(?: \[\d+\])?: )"
                          R"(NVIDIA Corporation [^\[]*\[([^\]]+)\])");
    std::string name;
    if (!RE2::PartialMatch(line.text, card, &name)) return false;
    Add("lspci", "nvidia", name, line.number);
    return true;
  }

  // The devices of a log; what else it says is read by what is known of logs.
  void Log(const PastedLine& line) {
    static const RE2 ollama(
        R"re(msg="inference compute" id="?([^\s"]+)"?(?: filter_id=\S+)?)re"
        R"re( library=(\w+)(?: variant=\S+)? compute="?([^\s"]*)"?.*?total="([\d.]+) GiB")re");
    static const RE2 description(R"re(\b(?:description|name)="([^"]+)")re");
    static const RE2 ggml(R"(^Device (\d+): ([^,]+), compute capability ([\d.]+))");
    static const RE2 loaded(
        R"(^\S+ +[0-9a-f]{12} +[\d.]+ [KMG]B +(\d+)% (CPU|GPU) )");  // ollama ps
    std::string id, library, compute, total, name;
    if (RE2::PartialMatch(line.text, loaded, &total, &name)) {
      if (total == "100" && name == "CPU")
        reader_.facts.counts.push_back({{"ollama", 0}, reader_.At("ollama ps", line.number)});
      return;
    }
    if (RE2::PartialMatch(line.text, ollama, &id, &library, &compute, &total)) {
      if (library == "cpu") return;
      re2::StringPiece rest(line.text);
      while (RE2::FindAndConsume(&rest, description, &name)) {
      }
      Device& device = Add("a log", "", name, line.number);
      device.compute = compute;
      if (compute.find('.') != std::string::npos) device.vendor = "nvidia";
      if (compute.starts_with("gfx")) device.vendor = "amd";
      device.uuid = id;
      double gib = 0;
      std::from_chars(total.data(), total.data() + total.size(), gib);
      device.memory = static_cast<int64_t>(gib * (1 << 30));
    } else if (RE2::PartialMatch(line.text, ggml, &id, &name, &compute)) {
      Add("a log", "nvidia", name, line.number).compute = compute;
    }
  }

  Reader reader_;
  bool of_rocminfo_ = false, in_torch_ = false, no_cuda_ = false;
  Told<int> rocm_ = {0, {}};
};

}  // namespace

void ReadOthers(Reader reader) {
  OtherReader others(reader);
  for (const PastedLine& line : reader.text.lines) others.Read(line);
  others.Finish();
}

}  // namespace gpustage::pasted
