// What NVIDIA's own tools say: nvidia-smi as a table, -L, -q, -q -x, and the kernel module's file.
#include <re2/re2.h>

#include <charconv>

#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

int64_t MiB(const std::string& number) {
  int64_t value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value << 20;
}

// One text at a time: devices follow each other, and what a later line says is of the last.
class SmiReader {
 public:
  explicit SmiReader(Reader reader) : reader_(reader) {}

  void Read(const PastedLine& line) {
    if (Head(line) || Row(line) || Listed(line) || Module(line) || Refused(line)) return;
    Asked(line);
  }
  // What it counted, where it listed any.
  void Finish() {
    for (const auto& [kind, count] : counted_)
      reader_.facts.counts.push_back({{"nvidia-smi", count.first}, count.second});
  }

 private:
  bool Head(const PastedLine& line) {
    static const RE2 head(R"(NVIDIA-SMI ([\d.]+) +(?:KMD Version|Driver Version): ([\d.]+) +)"
                          R"(CUDA (?:UMD )?Version: ([\d.]+|N/A))");
    std::string smi, driver, cuda;
    if (!RE2::PartialMatch(line.text, head, &smi, &driver, &cuda)) return false;
    const Origin from = reader_.At("nvidia-smi", line.number);
    reader_.facts.library_version.push_back({smi, from});
    reader_.facts.kernel_version.push_back({driver, from});
    if (cuda != "N/A") reader_.facts.cuda_version.push_back({cuda, from});
    return true;
  }

  bool Row(const PastedLine& line) {
    static const RE2 name(R"(^\| +(\d+) +(\S.*?) +(?:On|Off|N/A|TCC|WDDM|Disabled) *\| +)"
                          R"((?:[0-9A-F]{4,8}:)?[0-9A-F]{2}:[0-9A-F]{2}\.\d)");
    static const RE2 memory(R"(^\|.*\| +\d+MiB */ *(\d+)MiB *\| +\S+ +(\S[^|]*?) *\|)");
    std::string number, words, mode;
    if (RE2::PartialMatch(line.text, name, &number, &words)) {
      Add("nvidia-smi", words, line.number);
      return true;
    }
    if (last_ == kNone || !RE2::PartialMatch(line.text, memory, &number, &mode)) return false;
    Last().memory = MiB(number);
    Last().compute_mode = mode;
    return true;
  }

  bool Listed(const PastedLine& line) {
    static const RE2 listed(R"(^GPU (\d+): (.+?) \(UUID: (GPU-[0-9A-Za-z-]+)\)$)");
    static const RE2 slice(R"(^MIG (\S+) +Device +(\d+): \(UUID: (MIG-\S+)\)$)");
    std::string number, words, uuid;
    if (RE2::FullMatch(line.text, listed, &number, &words, &uuid)) {
      Add("nvidia-smi -L", words, line.number);
      Last().uuid = uuid;
      return true;
    }
    return RE2::FullMatch(line.text, slice, &words, &number, &uuid);
  }

  bool Module(const PastedLine& line) {
    static const RE2 module(R"(NVRM version: NVIDIA UNIX (?:Open Kernel Module for )?\S+ +)"
                            R"((?:Kernel Module +)?(\d[\d.]+))");
    static const RE2 library(R"(NVML library version: ([\d.]+))");
    std::string version;
    if (RE2::PartialMatch(line.text, module, &version)) {
      reader_.facts.kernel_version.push_back({version, reader_.At("NVRM version", line.number)});
      return true;
    }
    if (!RE2::PartialMatch(line.text, library, &version)) return false;
    reader_.facts.library_version.push_back({version, reader_.At("nvidia-smi", line.number)});
    return true;
  }

  bool Refused(const PastedLine& line) {
    // nvml.h: NVML_ERROR_…
    static const std::pair<const char*, int> kWords[] = {
        {"Driver/library version mismatch", 18},
        {"Driver Not Loaded", 9},
        {"Insufficient Permissions", 4},
        {"Unknown Error", 999},
        {"GPU access blocked by the operating system", 17},
        {"couldn't communicate with the NVIDIA driver", 9},
        {"No devices were found", 0}};
    const bool says = line.text.find("Failed to initialize NVML") != std::string::npos ||
                      line.text.find("NVIDIA-SMI has failed") != std::string::npos ||
                      line.text.starts_with("No devices were found");
    if (!says) return false;
    const Origin from = reader_.At("nvidia-smi", line.number);
    for (const auto& [words, code] : kWords)
      if (line.text.find(words) != std::string::npos && code != 0)
        reader_.facts.answers.push_back({{"nvmlInit_v2", code}, from});
    reader_.facts.counts.push_back({{"nvidia-smi", 0}, from});
    return true;
  }

  // -q, and -q -x.
  void Asked(const PastedLine& line) {
    static const RE2 plain(
        R"(^(Driver Version|CUDA Version|Product Name|Compute Mode|GPU UUID|Total) +: (.+)$)");
    static const RE2 xml(
        R"(^<(driver_version|cuda_version|product_name|compute_mode|uuid|total)>([^<]+)</)");
    std::string key, value;
    const bool is_xml = RE2::PartialMatch(line.text, xml, &key, &value);
    if (!is_xml && !RE2::FullMatch(line.text, plain, &key, &value)) return;
    const char* const kind = is_xml ? "nvidia-smi -q -x" : "nvidia-smi -q";
    if (key == "Driver Version" || key == "driver_version") {
      reader_.facts.kernel_version.push_back({value, reader_.At(kind, line.number)});
    } else if ((key == "CUDA Version" || key == "cuda_version") && value != "N/A") {
      reader_.facts.cuda_version.push_back({value, reader_.At(kind, line.number)});
    } else if (key == "Product Name" || key == "product_name") {
      Add(kind, value, line.number);
    } else if (last_ == kNone) {
      return;
    } else if (key == "Compute Mode" || key == "compute_mode") {
      Last().compute_mode = value;
    } else if (key == "GPU UUID" || key == "uuid") {
      Last().uuid = value;
    } else if (Last().memory == 0 && value.ends_with(" MiB")) {
      Last().memory =
          MiB(value.substr(0, value.size() - 4));  // the first Total is the frame buffer's
    }
  }

  void Add(const char* kind, const std::string& name, int line) {
    const Origin from = reader_.At(kind, line);
    Device device;
    device.name = name;
    device.vendor = "nvidia";
    device.api = kind;
    last_ = reader_.facts.devices.size();
    reader_.facts.devices.push_back({device, from});
    auto& [count, where] = counted_[kind];
    if (count++ == 0) where = from;
  }
  Device& Last() { return reader_.facts.devices[last_].value; }

  static constexpr size_t kNone = static_cast<size_t>(-1);
  Reader reader_;
  size_t last_ = kNone;
  std::map<std::string, std::pair<int, Origin>> counted_;
};

}  // namespace

void ReadSmi(Reader reader) {
  SmiReader smi(reader);
  for (const PastedLine& line : reader.text.lines) smi.Read(line);
  smi.Finish();
}

}  // namespace gpustage::pasted
