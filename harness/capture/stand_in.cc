#include "harness/capture/stand_in.h"

#include <set>

namespace gpustage::capture {
namespace {

std::string MajorOf(const std::string& text, const std::string& stem) {
  const size_t at = text.find(stem);
  if (at == std::string::npos) return "";
  const size_t begin = at + stem.size();
  return text.substr(begin, text.find_first_not_of("0123456789", begin) - begin);
}

}  // namespace

// Which of our fakes stands for the library; none: {}.
Fake FakeOf(const FileFacts& file) {
  const std::string base = file.path.substr(file.path.rfind('/') + 1);
  const std::string name = file.elf && !file.elf->soname.empty() ? file.elf->soname : base;
  const auto is = [&](const char* stem) { return name.rfind(stem, 0) == 0; };
  const auto any_of_runtime = [](const std::string& major) {
    return major == "11" || major == "12" || major == "13";
  };
  if (is("libcuda.so")) {
    const bool stub = file.path.find("/stubs/") != std::string::npos;
    return {stub ? "cuda-stub" : "cuda", "libcuda.so.1"};
  }
  if (is("libnvidia-ml.so")) return {"nvml", "libnvidia-ml.so.1"};
  for (const auto& [stem, fake] : {std::pair{"libcudart.so.", "cudart-"},
                                   {"libcublasLt.so.", "cublaslt-"},
                                   {"libcublas.so.", "cublas-"}})
    if (const std::string major = MajorOf(name, stem); any_of_runtime(major))
      return {fake + major,
              major == "11" && fake == std::string("cudart-") ? "libcudart.so.11.0" : stem + major};
  const bool of_ollama = file.path.find("ollama") != std::string::npos;
  if (is("libggml-base.so"))
    return {of_ollama ? "ggml-base-ollama" : "ggml-base-upstream",
            of_ollama ? "libggml-base.so.0" : "libggml-base.so"};
  if (is("libggml-cuda.so")) {
    std::string major = "12";
    if (file.elf)
      for (const std::string& needed : file.elf->needed)
        if (const std::string found = MajorOf(needed, "libcudart.so."); any_of_runtime(found))
          major = found == "13" ? "13" : "12";
    return {std::string("ggml-cuda-") + (of_ollama ? "ollama-" : "upstream-") + major, ""};
  }
  return {};
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() <= 20 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

// "580.159.04": three numbers at most, as driver versions are.
std::string DriverVersion(const std::string& text) {
  int dots = 0, digits = 0;
  for (const char c : text) {
    if (c == '.')
      ++dots, digits = 0;
    else if (c < '0' || c > '9' || ++digits > 4)
      return "";
  }
  return dots >= 1 && dots <= 2 && digits > 0 ? text : "";
}

// "NVIDIA GeForce RTX 4090 Laptop GPU": makers' words and short codes of letters and digits.
std::string ProductName(const std::string& name) {
  static const std::set<std::string> words = {
      "NVIDIA", "GeForce", "RTX",       "GTX",    "GT",      "Ti",          "SUPER",  "Super",
      "Tesla",  "Quadro",  "TITAN",     "Titan",  "Ada",     "Generation",  "Laptop", "GPU",
      "Max-Q",  "Orin",    "Thor",      "Xavier", "nvgpu",   "MIG",         "PCIe",   "Graphics",
      "Device", "PRO",     "Blackwell", "Server", "Edition", "Workstation", "GRID",   "Mobile",
      "Design", "with",    "NVL",       "SXM",    "X",       "V",           "D",      "(nvgpu)",
      "Radeon", "AMD",     "Intel",     "Arc"};
  std::string kept, word;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != ' ') {
      word += name[i];
      continue;
    }
    size_t letters = 0, digits = 0;
    bool plain = true;
    for (const char c : word) {
      letters += (c >= 'A' && c <= 'Z') || c == 'g' || c == 'b';
      digits += c >= '0' && c <= '9';
      plain = plain && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == 'g' || c == 'b' ||
                        c == '.' || c == '-');
    }
    const bool code = plain && digits >= 1 && digits <= 5 && letters <= 4 && word.size() <= 10;
    if (!kept.empty()) kept += ' ';
    kept += word.empty() || words.count(word) != 0 || code ? word : "?";
    word.clear();
  }
  return kept;
}

}  // namespace gpustage::capture
